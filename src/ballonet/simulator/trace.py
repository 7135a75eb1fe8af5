"""Traces: what an engine saw and sent, tick by tick, as a table of one row a tick and guest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np

from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Bools, Floats, Snapshot

VERSION = 1
KEYS = ("time", "uuid", "name")

COLUMNS: Mapping[str, str] = {
    "running": "running",
    "busy": "busy",
    "device": "device",
    "autodeflate": "autodeflate",
    "free_page_reporting": "reports_free",
    "obstacle_code": "obstacle",
    "watched": "watched",
    "uptime_seconds": "uptime",
    "maximum_bytes": "maximum",
    "actual_bytes": "actual",
    "floor_bytes": "floor",
    "ceiling_bytes": "ceiling",
    "weight": "weight",
    "excluded": "excluded",
    "held": "held",
    "unused_bytes": "unused",
    "usable_bytes": "usable",
    "available_bytes": "available",
    "rss_bytes": "rss",
    "rss_risen_bytes": "risen",
    "swap_in_bytes_total": "swap_in",
    "swap_out_bytes_total": "swap_out",
    "major_faults_total": "major_faults",
    "oom_kills_total": "oom_kills",
    "alloc_stalls_total": "alloc_stalls",
    "direct_scans_bytes_total": "direct_scans",
    "pressure_ratio": "pressure",
    "pressure_since": "pressure_since",
    "heard_at": "heard_at",
    "swapped_bytes": "swapped",
    "swap_left_bytes": "swap_left",
    "committed_bytes": "committed",
    "statistics_at": "stats_at",
    "stats_period_seconds": "period",
    "disk_reads_total": "disk_reads",
    "disk_read_seconds_total": "disk_read_seconds",
    "vcpus": "vcpus",
    "vcpu_seconds_total": "vcpu_seconds",
}
"""What a trace calls each column of a snapshot."""
TIMES = ("statistics_at", "heard_at", "pressure_since")
"""Those that are epoch seconds there."""

HOST_COLUMNS: Mapping[str, str] = {
    "host_total_bytes": "total_bytes",
    "host_available_bytes": "available_bytes",
    "host_swap_total_bytes": "swap_total_bytes",
    "host_swap_free_bytes": "swap_free_bytes",
    "host_swapped_out_bytes_total": "swapped_out_bytes_total",
    "host_pressure_some_ratio": "pressure_some_ratio",
    "host_pressure_full_ratio": "pressure_full_ratio",
    "host_arc_shrinkable_bytes": "arc_shrinkable_bytes",
    "host_merged_bytes": "merged_bytes",
}
"""What a trace calls each field of `HostMemory`; the same on every row of a tick."""

TARGET = "target_bytes"
NUMBERS = (*COLUMNS, *HOST_COLUMNS, TARGET)

# What a row that lacks a column is taken to be; anything else is unknown.
_USUAL: Mapping[str, float] = {
    "running": 1.0,
    "device": 1.0,
    "reports_free": 1.0,
    "obstacle": -1.0,
    "weight": 100.0,
}


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Rows in the order in which they were written; columns of one length, NaN is unknown."""

    time: Floats  # epoch seconds, never less than in the row before
    uuids: tuple[str, ...]
    names: tuple[str, ...]
    numbers: Mapping[str, Floats]  # by their names in NUMBERS; those that the file has
    warning: str = ""  # what is missing at the end of the file, as a sentence

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.uuids)

    def ticks(self) -> Iterator[slice]:
        """Yield each tick's rows."""
        edges = [0, *(np.flatnonzero(np.diff(self.time)) + 1).tolist(), len(self)]
        return (slice(*pair) for pair in pairwise(edges)) if len(self) else iter(())

    def snapshot(self, rows: slice) -> Snapshot:
        """Return what the engine saw at a tick; its seconds are epoch seconds, its host is None."""
        length = rows.stop - rows.start
        known = {COLUMNS[name]: self.numbers[name][rows] for name in COLUMNS if name in self.numbers}
        columns: dict[str, Any] = {
            name: known.get(name, np.full(length, _USUAL.get(name, np.nan))) for name in COLUMNS.values()
        }
        for field in fields(Snapshot):
            if field.type is Bools:
                columns[field.name] = np.nan_to_num(columns[field.name]) != 0
        columns["obstacle"] = np.nan_to_num(columns["obstacle"], nan=-1.0).astype(np.int8)
        return Snapshot(
            taken_at=float(self.time[rows.start]),
            host=None,
            uuids=self.uuids[rows],
            names=self.names[rows],
            **columns,
        )


def traced(plan: Plan, told: Floats, epoch: float) -> Trace:
    """Return one tick's rows: what the plan was made from, and what each guest was last told.

    `epoch` is what to add to monotonic seconds: fixed for a recording, whatever happens to the clock.
    """
    snapshot = plan.snapshot
    numbers = {
        name: np.asarray(getattr(snapshot, field), dtype=np.float64) for name, field in COLUMNS.items()
    }
    for name in TIMES:
        numbers[name] = epoch + numbers[name]
    for name, field in HOST_COLUMNS.items():
        value = None if snapshot.host is None else getattr(snapshot.host, field)
        numbers[name] = np.full(len(snapshot), np.nan if value is None else float(value))
    numbers[TARGET] = told
    return Trace(np.full(len(snapshot), epoch + snapshot.taken_at), snapshot.uuids, snapshot.names, numbers)
