"""Simulated guests as adapters of real hypervisors show them, and what those refuse: unknown is None."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballonet.errors import BallonetError, DeadlineError, RefusedError
from ballonet.facts.agent import Heard
from ballonet.facts.columns import Columns
from ballonet.facts.guest import Device, Guest, State
from ballonet.facts.snapshot import Bools
from ballonet.facts.statistics import Statistics
from ballonet.simulator.incidents import Phase
from ballonet.simulator.kinds import Kind
from ballonet.simulator.spec import Spec

_STATISTICS = {
    "unused_bytes": "unused",
    "usable_bytes": "usable",
    "available_bytes": "available",
    "rss_bytes": "rss",
    "swap_in_bytes_total": "swap_in",
    "swap_out_bytes_total": "swap_out",
    "major_faults_total": "major_faults",
    "oom_kills_total": "oom_kills",
    "alloc_stalls_total": "alloc_stalls",
    "direct_scans_bytes_total": "direct_scans",
}
_WHOLE = (*_STATISTICS.values(), "disk_reads", "vcpus")
_NUMBERS = (*_WHOLE, "number", "last_update", "pressure", "disk_read_seconds", "vcpu_seconds", "heard")


def guest_rows(
    columns: Columns,
    rows: Iterable[int],
    specs: Sequence[Spec],
    *,
    phases: Bools,
    caches: Sequence[float],
    read_at: float,
) -> list[Guest]:
    """Return guests that are in these phases (phases x guests); one that is shut off has its sizes only."""
    numbers = {name: getattr(columns, name).tolist() for name in _NUMBERS}
    whole = {name: [_whole(value) for value in numbers[name]] for name in _WHOLE}
    off, busy, paused = (phases[phase].tolist() for phase in (Phase.OFF, Phase.JOB, Phase.PAUSE))
    found = []
    for row in rows:
        spec, frame = specs[row], _frame(columns, specs[row], row, read_at)
        if off[row]:
            found.append(Guest(**frame, id=None, state=State.SHUT_OFF))
            continue
        last_update, pressure = numbers["last_update"][row], numbers["pressure"][row]
        tells_cache = spec.kind is Kind.LINUX and not isnan(last_update)
        found.append(
            Guest(
                **frame,
                id=int(numbers["number"][row]),
                state=State.PAUSED if paused[row] else State.RUNNING,
                job="migration out" if busy[row] else None,
                statistics=Statistics(
                    **{field: whole[name][row] for field, name in _STATISTICS.items()},
                    disk_caches_bytes=int(caches[row]) if tells_cache else None,
                    last_update=None if isnan(last_update) else last_update,
                ),
                disk_reads_total=whole["disk_reads"][row],
                disk_read_seconds_total=None if busy[row] else numbers["disk_read_seconds"][row],
                vcpus=whole["vcpus"][row],
                vcpu_seconds_total=None if busy[row] else numbers["vcpu_seconds"][row],
                pressure_ratio=None if isnan(pressure) else pressure,
                heard=None if isnan(numbers["heard"][row]) else _heard(columns, row),
            )
        )
    return found


def _frame(columns: Columns, spec: Spec, row: int, read_at: float) -> dict[str, Any]:
    """Return what is known of a guest whether it runs or not."""
    return {
        "name": spec.name,
        "uuid": columns.uuids[row],
        "read_at": read_at,
        "maximum_bytes": int(columns.maximum[row]),
        "actual_bytes": int(columns.actual[row]),
        "device": Device("virtio", spec.autodeflate, spec.free_page_reporting, spec.period_seconds),
        "obstacles": frozenset({spec.obstacle} if spec.obstacle else ()),
    }


def _heard(columns: Columns, row: int) -> Heard:
    """Return what a guest's agent told."""
    swapped, left = _whole(float(columns.swapped[row])), _whole(float(columns.swap_left[row]))
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


def _whole(value: float) -> int | None:
    """Return a whole number, None for NaN."""
    return None if isnan(value) else int(value)
