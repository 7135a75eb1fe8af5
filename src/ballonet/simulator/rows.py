"""One simulated guest as adapters of real hypervisors show it: unknown is None."""

from dataclasses import replace

import numpy as np

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
    return replace(
        frame,
        id=int(columns.number[row]),
        state=State.PAUSED if phases[Phase.PAUSE] else State.RUNNING,
        job="migration out" if phases[Phase.JOB] else None,
        statistics=Statistics(
            unused_bytes=_whole(columns.unused[row]),
            usable_bytes=_whole(columns.usable[row]),
            available_bytes=_whole(columns.available[row]),
            disk_caches_bytes=cache_bytes,
            rss_bytes=int(columns.rss[row]),
            swap_in_bytes_total=_whole(columns.swap_in[row]),
            swap_out_bytes_total=_whole(columns.swap_out[row]),
            major_faults_total=_whole(columns.major_faults[row]),
            last_update=None if np.isnan(columns.last_update[row]) else float(columns.last_update[row]),
        ),
        disk_reads_total=int(columns.disk_reads[row]),
        disk_read_seconds_total=float(columns.disk_read_seconds[row]),
        vcpus=int(columns.vcpus[row]),
    )


def _whole(value: np.float64) -> int | None:
    """Return a whole number, None for NaN."""
    return None if np.isnan(value) else int(value)
