"""A decision with its reasons: what each guest has, wanted by tier, got, and which rule bound it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from math import isnan

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.host import HostState
from ballonet.facts.snapshot import Codes, Floats, Snapshot
from ballonet.facts.verdict import VERDICTS, Verdict

TIERS = ("need", "cushion", "cache", "surplus")


class Bound(IntEnum):
    """The rule that decided a guest's next size."""

    NOTHING = 0  # it has what it should have
    GROWS = 1  # it gets all that was allotted to it
    SHRINKS = 2  # it gives all that was allotted elsewhere
    VERDICT = 3  # it must not be touched
    HOST_SHORT = 4  # it grows by less: no more is free
    BITE = 5  # it gives a part now, and is watched before the next
    DEADBAND = 6  # the change is not worth making
    DWELL = 7  # it grew a moment ago
    WAITS = 8  # its last change has not arrived, or no statistics are newer than it
    DISTRESS = 9  # it swaps: nothing is taken


_BOUNDS = tuple(Bound)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One guest's part of a plan. Sizes are bytes."""

    uuid: str
    name: str
    verdict: Verdict
    actual_bytes: float
    target_bytes: float | None  # None: it stays as it is
    allotted_bytes: float  # what the tiers give it in the end
    wanted_bytes: tuple[float, float, float, float]  # by tier
    got_bytes: tuple[float, float, float, float]
    bound: Bound
    short_bytes: float  # by how much the budget is too small for all wants before surplus
    stats_age_seconds: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What should happen next, guest by guest, in the rows' order of its snapshot."""

    snapshot: Snapshot
    verdict: Codes  # index in VERDICTS
    target: Floats  # NaN: no change
    allotted: Floats
    wanted: Floats  # tiers x guests
    got: Floats  # tiers x guests
    bound: Codes
    budget: float  # what the managed guests may hold together, the pool not counted
    pool: float  # what is held back for bursts
    free: float  # what is left to hand out at once after these changes: nobody holds it, the pool included
    short: float  # by how much the budget is too small for need, cushions and cache; 0: it is not
    state: HostState = HostState.PLENTY  # how short of memory the host is

    def changes(self) -> list[int]:
        """Return the rows that change: those that shrink first, so that there is something to give."""
        (rows,) = (~np.isnan(self.target)).nonzero()
        grows = self.target[rows] > self.snapshot.actual[rows]
        changes: list[int] = rows[grows.argsort(kind="stable")].tolist()
        return changes

    def row(self, index: int) -> PlanRow:
        """Return one guest's part."""
        return next(self.rows(np.array([index])))

    def rows(self, indexes: NDArray[np.intp]) -> Iterator[PlanRow]:
        """Yield these guests' parts."""
        uuids, names = self.snapshot.uuids, self.snapshot.names
        columns = (
            indexes,
            self.verdict[indexes],
            self.snapshot.actual[indexes],
            self.target[indexes],
            self.allotted[indexes],
            self.wanted[:, indexes].T,
            self.got[:, indexes].T,
            self.bound[indexes],
            self.snapshot.stats_age[indexes],
        )
        parts = zip(*(column.tolist() for column in columns), strict=True)
        for index, verdict, actual, target, allotted, wanted, got, bound, age in parts:
            yield PlanRow(
                uuid=uuids[index],
                name=names[index],
                verdict=VERDICTS[verdict],
                actual_bytes=actual,
                target_bytes=None if isnan(target) else target,
                allotted_bytes=allotted,
                wanted_bytes=tuple(wanted),
                got_bytes=tuple(got),
                bound=_BOUNDS[bound],
                short_bytes=self.short,
                stats_age_seconds=None if isnan(age) else age,
            )
