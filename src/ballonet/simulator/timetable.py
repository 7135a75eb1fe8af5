"""All guests' schedules side by side: what each wants now, and when that changes next."""

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.snapshot import Floats
from ballonet.simulator.schedule import KEYS, Step
from ballonet.units import MIB

NEVER = 1 << 60
# What a schedule says, by the names of its keys without the unit: sizes are bytes here.
WANTS = tuple(key.removesuffix("_s").removesuffix("_mib") for key in KEYS)
_UNITS = np.array([1.0 if want == key else MIB for want, key in zip(WANTS, KEYS, strict=True)])
Rows = NDArray[np.intp]
Steps = NDArray[np.int64]


class Timetable:
    """Where guests are in their schedules. Times are whole steps of the simulated world.

    What a schedule says holds from the first step on that begins at its time or after it.
    """

    def __init__(self, schedules: Sequence[Sequence[Step]], step_seconds: float) -> None:
        lengths = np.array([1 + len(schedule) for schedule in schedules], dtype=np.intp)
        every = [step for schedule in schedules for step in (Step(at=-1.0), *schedule)]  # nothing at first
        values = np.fromiter(chain.from_iterable(map(attrgetter(*KEYS), every)), dtype=np.float64)
        self._values = values.reshape(len(every), len(KEYS)) * _UNITS
        ends = np.cumsum(lengths)
        at = np.ceil(np.array([step.at for step in every]) / step_seconds - 1e-6).astype(np.int64)
        self._following = np.append(at[1:], NEVER)
        self._following[ends - 1] = NEVER
        self._place = ends - lengths
        self.next_at = self._following[self._place]
        self._present = self._values[self._place].T.copy()

    def turn(self, rows: Rows, at: int | Steps) -> Rows:
        """Bring these guests to this step, or each to its own; return who wants something else from it on."""
        late = self.next_at[rows] <= at
        due: Rows = rows[late]
        if not len(due):
            return due
        left, until = due, np.broadcast_to(at, rows.shape)[late]
        while len(left):
            self._place[left] += 1
            self.next_at[left] = self._following[self._place[left]]
            late = self.next_at[left] <= until
            left, until = left[late], until[late]
        self._present[:, due] = self._values[self._place[due]].T
        return due

    def wants(self, rows: Rows) -> dict[str, Floats]:
        """Return each of `WANTS` as a column of these guests."""
        return dict(zip(WANTS, self._present.take(rows, axis=1), strict=True))
