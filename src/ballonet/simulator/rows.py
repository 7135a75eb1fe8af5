"""Simulated guests as adapters of real hypervisors show them, and what those refuse: unknown is None."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballonet.errors import BallonetError, DeadlineError, RefusedError
from ballonet.facts.agent import Heard
from ballonet.facts.columns import Columns
from ballonet.facts.guest import Device, Guest, Obstacle, State
from ballonet.facts.snapshot import Bools
from ballonet.facts.statistics import Statistics
from ballonet.simulator.incidents import Phase


def guest_row(
    columns: Columns,
    row: int,
    *,
    phases: Bools,
    device: Device,
    obstacle: Obstacle | None,
    cache_bytes: int | None,
    read_at: float,
) -> Guest:
    """Return a guest that is in these phases; one that is shut off has its sizes and its device only."""
    frame = Guest(
        name=columns.names[row],
        uuid=columns.uuids[row],
        id=None,
        state=State.SHUT_OFF,
        read_at=read_at,
        maximum_bytes=int(columns.maximum[row]),
        actual_bytes=int(columns.actual[row]),
        device=device,
        obstacles=frozenset({obstacle} if obstacle else ()),
    )
    if phases[Phase.OFF]:
        return frame
    busy = phases[Phase.JOB]
    return replace(
        frame,
        id=int(columns.number[row]),
        state=State.PAUSED if phases[Phase.PAUSE] else State.RUNNING,
        job="migration out" if busy else None,
        statistics=Statistics(
            unused_bytes=_whole(columns.unused[row]),
            usable_bytes=_whole(columns.usable[row]),
            available_bytes=_whole(columns.available[row]),
            disk_caches_bytes=cache_bytes,
            rss_bytes=int(columns.rss[row]),
            swap_in_bytes_total=_whole(columns.swap_in[row]),
            swap_out_bytes_total=_whole(columns.swap_out[row]),
            major_faults_total=_whole(columns.major_faults[row]),
            oom_kills_total=_whole(columns.oom_kills[row]),
            alloc_stalls_total=_whole(columns.alloc_stalls[row]),
            direct_scans_bytes_total=_whole(columns.direct_scans[row]),
            last_update=None if np.isnan(columns.last_update[row]) else float(columns.last_update[row]),
        ),
        disk_reads_total=_whole(columns.disk_reads[row]),
        disk_read_seconds_total=None if busy else float(columns.disk_read_seconds[row]),
        vcpus=_whole(columns.vcpus[row]),
        vcpu_seconds_total=None if busy else float(columns.vcpu_seconds[row]),
        heard=_heard(columns, row),
        pressure_ratio=None if np.isnan(columns.pressure[row]) else float(columns.pressure[row]),
    )


def _heard(columns: Columns, row: int) -> Heard | None:
    """Return what a guest's agent told, None where it has none or was not asked yet."""
    if np.isnan(columns.heard[row]):
        return None
    swapped, left = _whole(columns.swapped[row]), _whole(columns.swap_left[row])
    total = None if swapped is None or left is None else swapped + left
    return Heard(float(columns.heard[row]), swap_total_bytes=total, swap_free_bytes=left)


def only(columns: Columns, rows: NDArray[np.intp]) -> Columns:
    """Return these rows."""
    every: dict[str, Any] = {field.name: getattr(columns, field.name) for field in fields(Columns)}
    for name, column in every.items():
        is_text = isinstance(column, tuple)
        every[name] = tuple(column[row] for row in rows.tolist()) if is_text else column[rows]
    return Columns(**every)


def refusal(name: str, *, off: bool) -> BallonetError:
    """Return why a guest that is off, or else one that a job holds, cannot be resized now."""
    doing = f"resizing {name}"
    if off:
        return RefusedError(f"{doing}: the guest is not running", hint="virsh start GUEST, or use --config")
    return DeadlineError(f"no answer to {doing} in time", hint="see what holds it: virsh domjobinfo GUEST")


def _whole(value: np.float64) -> int | None:
    """Return a whole number, None for NaN."""
    return None if np.isnan(value) else int(value)
