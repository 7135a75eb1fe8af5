"""What is remembered of each guest between two ticks, as columns in the rows' order of a snapshot."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.snapshot import Bools, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """The past, as far as the next decision needs it. Times are monotonic seconds, -inf for "never"."""

    born_at: Floats  # when its process started or it was reset; NaN: unknown

    target: Floats  # bytes it was last told; NaN: nothing was
    arrived: Bools  # `actual` reached that target
    changed_at: Floats  # when it was last told
    grew_at: Floats  # when it was last told to grow
    actual: Floats  # bytes at the last look
    moved_at: Floats  # when `actual` was last seen to move
    nearest: Floats  # bytes between `actual` and target when it last came nearer
    progress_at: Floats  # when that was
    foreign_until: Floats  # until when a change by somebody else's hand is respected
    stuck_until: Floats
    stuck_seconds: Floats  # the pause after the next failure to follow

    need_at: Floats  # time of the sample that `used` is from
    used: Floats  # bytes it used then: its size less what was usable
    overhead: Floats  # its size less what its kernel manages, seen while the balloon was still
    counted: Bools  # the balloon counts as used in `available`, seen while the balloon was still
    swap_in: Floats  # counters of that sample
    swap_out: Floats
    swap_debt: Floats  # bytes swapped out and not back while it was cut, fading
    growth: Floats  # bytes/s, the fastest growth of `used` seen, fading
    swapping: Bools  # it swapped up to its last sample while it was cut and short of free memory

    promised: Floats  # bytes of size that a burst needs, as the reflex saw it; NaN: no burst
    promised_at: Floats

    @classmethod
    def blank(cls, rows: int) -> "Memory":
        """Return the memory of guests never seen before."""
        return cls(**{column.name: np.full(rows, _BLANK.get(column.name, np.nan)) for column in fields(cls)})

    def take(self, rows: NDArray[np.intp]) -> "Memory":
        """Return these rows of every column."""
        return Memory(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})


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
    "growth": 0.0,
    "swapping": False,
    "promised_at": -np.inf,
}
