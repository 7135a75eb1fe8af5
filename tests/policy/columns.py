"""Snapshots and memories for tests: guests of 1 GiB at their maximum with half of it unused, unless said.

Below these, hosts that hypothesis makes up: what guests report, and what no sane one would. Each column may
be unknown as a whole or in places; sizes lie around those of real guests, at their limits, and far beyond.
"""

from collections.abc import Callable, Collection
from dataclasses import fields, replace
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from ballonet.facts.host import HostMemory, HostState
from ballonet.facts.memory import HostPast, Memory
from ballonet.facts.snapshot import Floats, Snapshot
from ballonet.policy.floors import floor_bytes
from ballonet.policy.settings import Settings
from ballonet.units import GIB, MIB

NOW = 1000.0

_DEFAULTS: dict[str, Any] = {
    "running": True,
    "busy": False,
    "device": True,
    "autodeflate": False,
    "reports_free": True,
    "obstacle": -1,
    "watched": True,
    "uptime": 3600.0,
    "maximum": 1024.0 * MIB,
    "actual": 1024.0 * MIB,
    "floor": np.nan,
    "ceiling": np.nan,
    "weight": 100.0,
    "excluded": False,
    "held": False,
    "unused": 512.0 * MIB,
    "usable": 512.0 * MIB,
    "available": np.nan,
    "rss": 1024.0 * MIB,
    "risen": np.nan,
    "swap_in": 0.0,
    "swap_out": 0.0,
    "major_faults": 0.0,
    "stats_at": NOW - 1.0,
    "period": 1.0,
    "oom_kills": np.nan,
    "alloc_stalls": np.nan,
    "direct_scans": np.nan,
    "pressure": np.nan,
    "pressure_since": NOW - 1.0,
    "heard_at": NOW - 0.5,
    "swapped": np.nan,
    "swap_left": np.nan,
    "committed": np.nan,
    "disk_reads": 0.0,
    "disk_read_seconds": 0.0,
    "vcpus": 1.0,
    "vcpu_seconds": 0.0,
}
_TYPES: dict[str, Any] = {"running": np.bool_, "busy": np.bool_, "device": np.bool_, "autodeflate": np.bool_}
_TYPES |= {
    "reports_free": np.bool_,
    "held": np.bool_,
    "watched": np.bool_,
    "excluded": np.bool_,
    "obstacle": np.int8,
}


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
    usual |= {"pressure_since": NOW + seconds - 1, "heard_at": NOW + seconds - 0.5}
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
        available=table.available,
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


# --- made up ----------------------------------------------------------------------------------------
# Elements are drawn from a seed of hypothesis's: thirty columns drawn one by one took seconds an example.

Draw: TypeAlias = Callable[[np.random.Generator, int], Floats]


def one_of(*choices: float | Draw) -> Draw:
    """Return a column each of whose elements is one of these, or drawn from one of these."""

    def draw(rng: np.random.Generator, rows: int) -> Floats:
        made = [choice(rng, rows) if callable(choice) else np.full(rows, choice) for choice in choices]
        return np.array(made, dtype=np.float64)[rng.integers(len(made), size=rows), np.arange(rows)]

    return draw


def between(low: float, high: float) -> Draw:
    return lambda rng, rows: rng.uniform(low, high, rows)


def counter(rng: np.random.Generator, rows: int) -> Floats:
    return np.floor(2.0 ** rng.uniform(0, 40, rows))


SIZE = one_of(between(0, 2 * GIB), between(0, 2 * GIB), between(0, 64 * GIB))
REPORTED = one_of(SIZE, SIZE, SIZE, SIZE, np.nan, one_of(0.0, 1.0, 4095.0, 2.0**50))
MAXIMUM = one_of(64.0 * MIB, 512.0 * MIB, 1024.0 * MIB, 1000.5 * MIB, 8.0 * GIB, 64.0 * GIB)
WHEN = one_of(between(NOW - 120, NOW), between(NOW - 5, NOW + 120), -np.inf, -np.inf)
BOOLEAN = one_of(0.0, 1.0)
RARELY = one_of(*[0.0] * 5, 1.0)

_MADE_UP: dict[str, Draw] = {
    **dict.fromkeys(("autodeflate", "reports_free", "watched"), BOOLEAN),
    "busy": RARELY,
    "obstacle": one_of(*[-1.0] * 6, 0.0, 2.0),
    "weight": lambda rng, rows: np.floor(rng.uniform(1, 1000, rows)),
    "uptime": one_of(3600.0, 3600.0, 1e6, 10.0, np.nan),
    **dict.fromkeys(("unused", "usable", "available", "rss"), REPORTED),
    **dict.fromkeys(("swap_in", "swap_out", "oom_kills", "alloc_stalls", "direct_scans"), counter),
    "pressure": one_of(between(0, 1), 0.0, np.nan),
    **dict.fromkeys(("pressure_since", "heard_at"), one_of(between(NOW - 20, NOW), WHEN, np.nan)),
    **dict.fromkeys(("swapped", "swap_left", "committed"), REPORTED),
    "period": one_of(1.0, 1.0, 2.0, 5.0, 0.0, np.nan),
    **dict.fromkeys(("disk_reads", "disk_read_seconds", "vcpu_seconds"), one_of(counter, np.nan)),
    "vcpus": one_of(1.0, 2.0, 64.0, np.nan),
}
_REMEMBERED: dict[str, Draw] = {
    "target": REPORTED,
    "arrived": BOOLEAN,
    **dict.fromkeys(("changed_at", "grew_at", "bitten_at", "hold_until", "promised_at"), WHEN),
    **dict.fromkeys(("foreign_until", "stuck_until", "streams_until"), one_of(*[-np.inf] * 4, WHEN)),
    "used": one_of(*[SIZE] * 9, np.nan),
    "promised": one_of(np.nan, np.nan, SIZE),
    **dict.fromkeys(("swap_debt", "growth", "kept", "bite", "trial"), one_of(0.0, 0.0, SIZE)),
    "distress": RARELY,
    "worse": one_of(0.0, 0.0, 1.0, 2.0, 9.0),
    "lost": one_of(0.0, 0.001, 0.05, 1e6),
}
_ALWAYS_KNOWN = ("autodeflate", "reports_free", "watched", "busy", "obstacle", "weight")
_MAY_BE_UNKNOWN = (*(name for name in _MADE_UP if name not in _ALWAYS_KNOWN), "actual", "maximum", "stats_at")

laws = st.builds(
    Settings,
    budget_bytes=st.floats(0, 16).map(lambda gib: gib * GIB) | st.floats(0, 400 * GIB),
    reflex=st.booleans(),
    give_surplus=st.booleans(),
)


def _made_up_host(rng: np.random.Generator) -> HostMemory | None:
    swapped = int(rng.integers(2**30)) if rng.random() < 0.5 else None
    available = int(rng.uniform(0, 256) * GIB)
    return HostMemory(256 * GIB, available, 0, 0, swapped, None, None, GIB) if rng.random() < 0.5 else None


def made_up(rng: np.random.Generator, rows: int, unknown: Collection[str], taken_at: float) -> Snapshot:
    """Return guests as nobody ever saw them; `unknown` are columns that nobody reports."""
    columns: dict[str, Any] = {name: draw(rng, rows) for name, draw in _MADE_UP.items()}
    columns |= dict.fromkeys(("running", "device"), ~RARELY(rng, rows).astype(np.bool_))
    columns["excluded"] = RARELY(rng, rows).astype(np.bool_)
    maximum = np.where(RARELY(rng, rows) > 0.0, np.nan, MAXIMUM(rng, rows))
    columns["maximum"] = np.where("maximum" in unknown, np.nan, maximum)
    columns["actual"] = columns["maximum"] * one_of(1.0, between(0, 1), between(0, 1), 1.5, np.nan)(rng, rows)
    columns["ceiling"] = columns["maximum"] * one_of(1.0, 1.0, 0.7)(rng, rows)
    columns["floor"] = np.minimum(floor_bytes(columns["maximum"]), columns["ceiling"])
    columns["stats_at"] = taken_at - one_of(between(0, 4), between(0, 4), between(-5, 60), np.nan)(rng, rows)
    # Of columns drawn one by one, one row in twenty is of a guest that anything is done with.
    sound = rng.random(rows) < 0.6
    for name, value in _managed(rng, rows, taken_at).items():
        columns[name] = np.where(sound, value, columns[name])
    columns |= dict.fromkeys(unknown, np.nan)
    return snapshot(rows, host=_made_up_host(rng), taken_at=taken_at, **columns)


def _managed(rng: np.random.Generator, rows: int, taken_at: float) -> dict[str, Any]:
    """Return what makes guests managed: those that run, with sizes and a sample that could be true."""
    maximum = MAXIMUM(rng, rows)
    actual = maximum * one_of(1.0, between(0.2, 1))(rng, rows)
    available = actual * rng.uniform(0.5, 1.0, rows)
    usable = available * rng.random(rows)
    return {
        **dict.fromkeys(("running", "device"), True),
        **dict.fromkeys(("excluded", "busy"), False),
        "obstacle": -1.0,
        "uptime": 3600.0,
        "period": 1.0,
        "stats_at": taken_at - rng.uniform(0, 4, rows),
        "maximum": maximum,
        "actual": actual,
        "ceiling": maximum,
        "floor": floor_bytes(maximum),
        "available": available,
        "usable": usable,
        "unused": usable * rng.random(rows),
    }


@st.composite
def hosts(draw: DrawFn) -> tuple[Snapshot, Memory]:
    """Return guests at one moment, and what may be remembered of them in any state of their host."""
    rng, rows = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.integers(1, 6))
    table = made_up(rng, rows, draw(st.sets(st.sampled_from(_MAY_BE_UNKNOWN), max_size=2)), NOW)
    memory = known(table, **{name: drawn(rng, rows) for name, drawn in _REMEMBERED.items()})
    past = HostPast(draw(st.sampled_from(HostState)))
    return table, replace(memory, host=past, kept=np.minimum(memory.kept, np.nan_to_num(table.ceiling)))


@st.composite
def courses(draw: DrawFn) -> list[Snapshot]:
    """Return the same guests at some moments, between which anything may have happened to them."""
    rng, rows = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.integers(1, 4))
    unknown = draw(st.sets(st.sampled_from(_MAY_BE_UNKNOWN), max_size=2))
    times = NOW + np.cumsum(draw(st.lists(st.floats(0.05, 30.0), min_size=2, max_size=5)))
    return [made_up(rng, rows, unknown, float(taken_at)) for taken_at in times]
