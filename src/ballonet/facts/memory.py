"""What is remembered of each guest between two ticks, as columns in the rows' order of a snapshot."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.host import HostState
from ballonet.facts.snapshot import Bools, Floats


@dataclass(frozen=True, slots=True)
class HostPast:
    """What is remembered of the host. Times are monotonic seconds."""

    state: HostState = HostState.PLENTY
    entered_at: float = -np.inf
    swapped_out: int | None = None  # its counter at the last look
    swaps: bool = False  # it wrote to its swap since the look before


@dataclass(frozen=True, eq=False)
class Memory:
    """The past, as far as the next decision needs it. Times are monotonic seconds, -inf for "never"."""

    host: HostPast  # the one thing here that is no column

    born_at: Floats  # when its process started or it was reset; NaN: unknown

    target: Floats  # bytes it was last told; NaN: nothing was
    arrived: Bools  # `actual` reached that target
    changed_at: Floats  # when it was last told
    grew_at: Floats  # when it was last told to grow
    actual: Floats  # bytes at the last look
    moved_at: Floats  # when `actual` was last seen to move
    nearest: Floats  # bytes between `actual` and target when it last came nearer; NaN: no look since
    progress_at: Floats  # when that was
    foreign_until: Floats  # until when a change by somebody else's hand is respected
    stuck_until: Floats
    stuck_seconds: Floats  # the pause after the next failure to follow

    need_at: Floats  # time of the sample that `used` and the counters are from
    used: Floats  # bytes it used then: its size less what was usable
    overhead: Floats  # its size less what its kernel manages, seen while the balloon was still
    counted: Bools  # the balloon counts as used in `available`, seen while the balloon was still
    available: Floats  # bytes that its kernel managed at that sample
    swap_in: Floats  # counters of that sample
    swap_out: Floats
    swap_debt: Floats  # bytes swapped out and not back while it was cut, fading
    margin: Floats  # bytes usable with which it was in distress all the same, fading
    growth: Floats  # bytes/s, the fastest growth of `used` seen, fading
    oom_kills: Floats  # counters of that sample
    alloc_stalls: Floats
    direct_scans: Floats
    distress: (
        Bools  # it lacked memory up to its last sample: it swapped, or waited, cut and short of free memory
    )
    worse: Floats  # for how many samples in a row it lost much of its time to that

    looked_at: Floats  # the last look
    disk_reads: Floats  # counters of that look
    disk_read_seconds: Floats
    vcpu_seconds: Floats
    read_rate: Floats  # requests/s, of all its disks, over some seconds; NaN: cannot be seen
    usual_reads: Floats  # requests/s that it reads though it has memory enough
    read_seconds: Floats  # what one request takes
    busy: Floats  # processors that it keeps busy
    lost: Floats  # share of its time, 0..1, that reads of dropped cache cost it

    kept: Floats  # bytes of page cache that are known to be in use: without them it read more
    spare: Floats  # bytes unused beyond its reserve at its last sample
    bitten_at: Floats  # when more than that was last taken from it
    bite: Floats  # how much more
    hold_until: Floats  # until when nothing is taken from it but for another's need
    hold_seconds: Floats  # how long the next hold or pause lasts
    streams_until: Floats  # until when its reads are taken for streaming: giving memory back did not help
    trial: Floats  # bytes given back so far to see whether its reads fall; 0: none is on
    trial_at: Floats
    trial_rate: Floats  # requests/s before that
    trial_from: Floats  # bytes of size before that

    promised: Floats  # bytes of size that a burst needs, as the reflex saw it; NaN: no burst
    promised_at: Floats

    @classmethod
    def blank(cls, rows: int) -> "Memory":
        """Return the memory of guests never seen before."""
        columns = {name: np.full(rows, _BLANK.get(name, np.nan)) for name in cls.columns()}
        return cls(host=HostPast(), **columns)

    @classmethod
    def columns(cls) -> list[str]:
        """Return the names of what is remembered of each guest."""
        return [column.name for column in fields(cls) if column.name != "host"]

    def take(self, rows: NDArray[np.intp]) -> "Memory":
        """Return these rows of every column."""
        columns = {name: getattr(self, name)[rows] for name in self.columns()}
        return Memory(host=self.host, **columns)


_BLANK: dict[str, float | bool] = {
    "arrived": True,
    "counted": False,
    "changed_at": -np.inf,
    "grew_at": -np.inf,
    "moved_at": -np.inf,
    "progress_at": -np.inf,
    "foreign_until": -np.inf,
    "stuck_until": -np.inf,
    "stuck_seconds": 10.0,
    "need_at": -np.inf,
    "swap_debt": 0.0,
    "margin": 0.0,
    "growth": 0.0,
    "distress": False,
    "worse": 0.0,
    "usual_reads": 0.0,
    "lost": 0.0,
    "kept": 0.0,
    "bitten_at": -np.inf,
    "bite": 0.0,
    "hold_until": -np.inf,
    "hold_seconds": 60.0,
    "streams_until": -np.inf,
    "trial": 0.0,
    "trial_at": -np.inf,
    "promised_at": -np.inf,
}
