"""Guests side by side: as columns of what their hypervisor tells, and as the table of a decision."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

import numpy as np

from ballonet.engine.limits import LimitsOf, usual
from ballonet.facts.agent import Heard
from ballonet.facts.columns import Columns
from ballonet.facts.guest import Guest, Obstacle, State
from ballonet.facts.host import HostMemory
from ballonet.facts.limits import Limits
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot
from ballonet.facts.verdict import VERDICTS, Verdict, spoken
from ballonet.policy.floors import hard_floor_bytes
from ballonet.policy.settings import Settings
from ballonet.policy.verdicts import verdicts

_OBSTACLES = {obstacle: index for index, obstacle in enumerate(Obstacle)}
_SILENCE = Heard(at=np.nan)  # of a guest whose agent told nothing
# The attributes that are one number of a guest, or of what its agent told, by column.
_OF_GUEST = {
    "number": "id",
    "maximum": "maximum_bytes",
    "actual": "actual_bytes",
    "unused": "statistics.unused_bytes",
    "usable": "statistics.usable_bytes",
    "available": "statistics.available_bytes",
    "swap_in": "statistics.swap_in_bytes_total",
    "swap_out": "statistics.swap_out_bytes_total",
    "major_faults": "statistics.major_faults_total",
    "oom_kills": "statistics.oom_kills_total",
    "alloc_stalls": "statistics.alloc_stalls_total",
    "direct_scans": "statistics.direct_scans_bytes_total",
    "pressure": "pressure_ratio",
    "last_update": "statistics.last_update",
    "disk_reads": "disk_reads_total",
    "disk_read_seconds": "disk_read_seconds_total",
    "vcpus": "vcpus",
    "vcpu_seconds": "vcpu_seconds_total",
}
_OF_AGENT = {
    "heard": "at",
    "waits_since": "since",
    "swapped": "swapped_bytes",
    "swap_left": "swap_free_bytes",
    "committed": "committed_bytes",
}
_SAME = sorted({field.name for field in fields(Columns)} & {field.name for field in fields(Snapshot)})
_OF_SAME = attrgetter(*_SAME)


@dataclass(frozen=True, slots=True)
class Now:
    """One moment on both clocks: the hypervisor's stamps are epoch seconds, decisions are monotonic."""

    epoch: float
    monotonic: float

    @property
    def drift(self) -> float:
        """Return the epoch time of the monotonic second 0: it stays, unless the wall clock is set."""
        return self.epoch - self.monotonic


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """What is known beside what the hypervisor says; columns in its rows' order, None where of nobody."""

    host: HostMemory | None = None
    watched: Bools | None = None  # whose resident memory is read between ticks
    risen: Callable[[Floats], Floats] | None = None  # bytes by which that rose since these monotonic seconds
    born_at: Floats | None = None  # epoch seconds of start or last reset; NaN: unknown
    held: Bools | None = None  # who is to be left as it is
    sent_at: Floats | None = None  # monotonic seconds of the statistics; None: what their stamps come to now


def snapshot_of(columns: Columns, now: Now, beside: Beside, limits: Limits) -> Snapshot:
    """Return the table that a decision is made from; no limit lies below a guest's hard floor."""
    rows, maximum = len(columns), columns.maximum
    hard = hard_floor_bytes(maximum)
    ceiling = np.minimum(maximum, np.maximum(limits.ceiling, hard))
    uptime = np.full(rows, np.nan) if beside.born_at is None else now.epoch - beside.born_at
    by_stamp = now.monotonic - (now.epoch - columns.last_update)
    sent_at = by_stamp if beside.sent_at is None else beside.sent_at
    # Statistics from before a reset belong to a guest that is gone (QEMU < 10 keeps them).
    stats_at = np.where(now.monotonic - sent_at > uptime, np.nan, sent_at)
    return Snapshot(
        taken_at=now.monotonic,
        host=beside.host,
        watched=np.zeros(rows, dtype=np.bool_) if beside.watched is None else beside.watched,
        uptime=uptime,
        floor=np.minimum(ceiling, np.maximum(limits.floor, hard)),
        ceiling=ceiling,
        weight=limits.weight,
        excluded=limits.excluded,
        held=np.zeros(rows, dtype=np.bool_) if beside.held is None else beside.held,
        stats_at=stats_at,
        heard_at=columns.heard - now.drift,
        pressure_since=columns.waits_since - now.drift,
        risen=beside.risen(stats_at) if beside.risen else np.full(rows, np.nan),
        **dict(zip(_SAME, _OF_SAME(columns), strict=True)),
    )


def side_by_side(guests: Sequence[Guest]) -> Columns:
    """Return guests, as adapters build them one by one, as columns."""
    agents, devices = [guest.heard or _SILENCE for guest in guests], [guest.device for guest in guests]
    return Columns(
        uuids=tuple(guest.uuid for guest in guests),
        names=tuple(guest.name for guest in guests),
        metadata=tuple(guest.metadata for guest in guests),
        running=np.array(
            [guest.state is State.RUNNING or _unseen(guest) for guest in guests], dtype=np.bool_
        ),
        busy=np.array([guest.job is not None for guest in guests], dtype=np.bool_),
        device=np.array([guest.device is not None or _unseen(guest) for guest in guests], dtype=np.bool_),
        autodeflate=np.array([bool(device and device.autodeflate) for device in devices], np.bool_),
        reports_free=np.array([bool(device and device.free_page_reporting) for device in devices], np.bool_),
        obstacle=np.array([_obstacle(guest) for guest in guests], dtype=np.int8),
        rss=np.array([_resident(guest) for guest in guests], dtype=np.float64),
        period=np.array([device and device.period_seconds for device in devices], dtype=np.float64),
        **_numbers(_OF_GUEST, guests),
        **_numbers(_OF_AGENT, agents),
    )


def _numbers(names: Mapping[str, str], those: Sequence[object]) -> dict[str, Floats]:
    """Return these attributes of each as columns; None becomes NaN."""
    rows = np.array([*map(attrgetter(*names.values()), those)], dtype=np.float64)
    return dict(zip(names, rows.reshape(len(those), len(names)).T.copy(), strict=True))


def tabulate(guests: Sequence[Guest], now: Now, beside: Beside, limits: LimitsOf = usual) -> Snapshot:
    """Return the snapshot of these guests."""
    columns = side_by_side(guests)
    return snapshot_of(columns, now, beside, limits(columns))


@dataclass(frozen=True, slots=True)
class Judged:
    """What one look tells of a guest: its verdict, the remedy naming it, and its limits in bytes."""

    verdict: Verdict
    floor_bytes: int | None  # None: its maximum is unknown
    ceiling_bytes: int | None


def judge(guests: Sequence[Guest], limits: LimitsOf = usual) -> list[Judged]:
    """Return each guest's verdict and limits as far as one look can tell."""
    now = Now(epoch=max((guest.read_at for guest in guests), default=0.0), monotonic=0.0)
    table = tabulate(guests, now, Beside(), limits)
    codes = verdicts(table, Memory.blank(len(guests)), Settings(budget_bytes=0.0))
    return [
        Judged(
            spoken(VERDICTS[code], guest.name, guest.hypervisor),
            None if guest.maximum_bytes is None else int(floor),
            None if guest.maximum_bytes is None else int(ceiling),
        )
        for code, guest, floor, ceiling in zip(
            codes, guests, table.floor.tolist(), table.ceiling.tolist(), strict=True
        )
    ]


def _unseen(guest: Guest) -> bool:
    """Return whether a guest could not be asked yet: that is why it is left alone, not what it may lack."""
    return guest.state is State.UNKNOWN and guest.job is not None


def _obstacle(guest: Guest) -> int:
    """Return the code of the first obstacle that a guest has, -1 where none."""
    return min((_OBSTACLES[obstacle] for obstacle in guest.obstacles), default=-1)


def _resident(guest: Guest) -> int | None:
    """Return what the host spends on a guest: the process' resident memory leaves huge pages out.

    These were set aside before: of a guest that has them nothing is still to be taken from what is free.
    """
    resident, size = guest.statistics.rss_bytes, guest.actual_bytes
    if Obstacle.HUGEPAGES not in guest.obstacles or size is None:
        return resident
    return size + (resident or 0)
