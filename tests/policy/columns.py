"""Snapshots and memories for tests: guests of 1 GiB at their maximum with half of it unused, unless said."""

from dataclasses import fields, replace
from typing import Any

import numpy as np

from ballonet.facts.host import HostMemory
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.floors import floor_bytes
from ballonet.policy.settings import Settings
from ballonet.units import GIB, MIB

NOW = 1000.0

_DEFAULTS: dict[str, Any] = {
    "running": True,
    "busy": False,
    "device": True,
    "autodeflate": False,
    "obstacle": -1,
    "watched": True,
    "uptime": 3600.0,
    "maximum": 1024.0 * MIB,
    "actual": 1024.0 * MIB,
    "floor": np.nan,
    "ceiling": np.nan,
    "weight": 100.0,
    "unused": 512.0 * MIB,
    "usable": 512.0 * MIB,
    "available": np.nan,
    "rss": 1024.0 * MIB,
    "swap_in": 0.0,
    "swap_out": 0.0,
    "major_faults": 0.0,
    "stats_at": NOW - 1.0,
    "period": 1.0,
    "oom_kills": np.nan,
    "alloc_stalls": np.nan,
    "direct_scans": np.nan,
    "pressure": np.nan,
    "disk_reads": 0.0,
    "disk_read_seconds": 0.0,
    "vcpus": 1.0,
    "vcpu_seconds": 0.0,
}
_TYPES: dict[str, Any] = {"running": np.bool_, "busy": np.bool_, "device": np.bool_, "autodeflate": np.bool_}
_TYPES |= {"watched": np.bool_, "obstacle": np.int8}


def snapshot(rows: int, *, host: HostMemory | None = None, taken_at: float = NOW, **columns: Any) -> Snapshot:
    """Return so many rows; each column given is one value for all, or a list."""
    made: dict[str, Any] = {
        name: np.array(np.broadcast_to(columns.pop(name, default), rows), dtype=_TYPES.get(name, np.float64))
        for name, default in _DEFAULTS.items()
    }
    assert not columns, f"no such column: {columns}"
    made["floor"] = np.where(np.isnan(made["floor"]), floor_bytes(made["maximum"]), made["floor"])
    made["ceiling"] = np.where(np.isnan(made["ceiling"]), made["maximum"], made["ceiling"])
    overhead = np.where(made["autodeflate"], made["actual"] - made["maximum"], 0.0) + 50 * MIB
    made["available"] = np.where(np.isnan(made["available"]), made["actual"] - overhead, made["available"])
    names = tuple(f"g{row}" for row in range(rows))
    return Snapshot(taken_at=taken_at, host=host, uuids=names, names=names, **made)


def later(seconds: float = 2.0, rows: int = 1, **columns: Any) -> Snapshot:
    """Return guests so many seconds later, with a sample a second old."""
    usual = {"stats_at": NOW + seconds - 1, "uptime": 3600 + seconds}
    return snapshot(rows, taken_at=NOW + seconds, **{**usual, **columns})


def known(table: Snapshot, **columns: Any) -> Memory:
    """Return the memory of guests that have been watched at rest for a while."""
    rows = len(table)
    blank = replace(
        Memory.blank(rows),
        actual=table.actual,
        used=table.actual - table.usable,
        overhead=table.actual - table.available,
        need_at=table.stats_at,
        swap_in=table.swap_in,
        swap_out=table.swap_out,
        born_at=table.taken_at - table.uptime,
    )
    given: dict[str, Any] = {
        name: np.array(np.broadcast_to(value, rows), dtype=getattr(blank, name).dtype)
        for name, value in columns.items()
    }
    return replace(blank, **given)


def take(table: Snapshot, order: list[int]) -> Snapshot:
    """Return the rows in another order."""
    columns = {
        column.name: getattr(table, column.name)[order]
        for column in fields(table)
        if isinstance(getattr(table, column.name), np.ndarray)
    }
    uuids = tuple(table.uuids[row] for row in order)
    return replace(table, uuids=uuids, names=uuids, **columns)


def settings(budget_gib: float, **more: Any) -> Settings:
    """Return the law's settings with this budget."""
    return Settings(budget_bytes=budget_gib * GIB, **more)
