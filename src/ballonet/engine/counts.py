"""What is counted over a process's life: ticks, what happened, and what became of each change."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np

from ballonet.engine.act import PROMISES
from ballonet.engine.ports import Journal
from ballonet.engine.write_ahead import ADOPTED
from ballonet.facts.act import Act, Outcome
from ballonet.facts.happening import ACTS, Happening, Kind
from ballonet.facts.plan import Bound, Plan
from ballonet.facts.request import Hold, Lease

GROW, SHRINK = "grow", "shrink"
OBSERVED = "observed"  # the result of a change that was not sent, as nothing is
CAUSES: Final = (Kind.PLANNED, Kind.BURST, Kind.LENT, Kind.ASKED)  # of changes that are sent
RULES: Final = (Bound.HOST_SHORT, Bound.DWELL, Bound.WAITS, Bound.DISTRESS)  # that keep a guest's size
INVARIANTS: Final = tuple(sorted({text.partition(":")[0] for text in PROMISES if text}))
# A decision for 100 guests takes 1 ms, a look at them 10 ms; a guest that hangs, the deadline of 5 s.
TICK_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# Arrivals are seen at ticks; who does not move at all is given up after half a minute.
CONVERGENCE_SECONDS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)


class Histogram:
    """How often a duration was at most so long. Seconds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.sum = 0.0
        self._counts = [0] * (len(bounds) + 1)

    def add(self, seconds: float) -> None:
        """Take in one duration."""
        self.sum += seconds
        self._counts[bisect_left(self.bounds, seconds)] += 1

    def cumulative(self) -> list[int]:
        """Return how many were at most as long as each bound, and how many there were."""
        return list(accumulate(self._counts))


class Counts:
    """Counters that only rise, and what they need to know of each guest that is there."""

    def __init__(self) -> None:
        self.ticks = Histogram(TICK_SECONDS)
        self.overruns = 0  # ticks that took longer than the interval between two
        self.failures = 0  # ticks that could not read the guests
        self.reads: bool | None = None  # whether the last one could; None: there was none yet
        self.store_writable: bool | None = None  # None: nothing is written down
        self.happenings = Counter({kind.value: 0 for kind in Kind})
        self.changes = Counter(dict.fromkeys(_CHANGES, 0))  # by direction, cause and result
        self.moved_bytes = {GROW: 0.0, SHRINK: 0.0}
        self.convergence = Histogram(CONVERGENCE_SECONDS)
        self.foreign = 0  # changes by somebody else's hand
        self.violations = Counter(dict.fromkeys(INVARIANTS, 0))
        self.turns: dict[str, int] = {}  # by UUID: how often it was sent the other way than before
        self._bounds = np.zeros(len(Bound), dtype=np.int64)
        self._under_way: dict[str, Act] = {}
        self._direction: dict[str, str] = {}

    @property
    def refusals(self) -> dict[str, int]:
        """Return at how many ticks each rule kept a guest, of all guests together."""
        return {rule.name.lower(): int(self._bounds[rule]) for rule in RULES}

    # --- ticks and what happens ---------------------------------------------------------------------

    def ticked(self, plan: Plan, seconds: float, interval_seconds: float) -> None:
        """Take in a tick, and how long it took."""
        self.reads = True
        self.ticks.add(seconds)
        self.overruns += int(seconds > interval_seconds)
        self._bounds += np.bincount(plan.bound, minlength=len(Bound))

    def failed(self) -> None:
        """Take in a tick that could not read the guests."""
        self.reads = False
        self.failures += 1

    def heard(self, happening: Happening) -> None:
        """Take in what happened."""
        self.happenings[happening.kind.value] += 1
        if happening.kind is Kind.BROKEN:
            self.violations[happening.text.partition(":")[0]] += 1
        elif happening.kind is Kind.WENT:
            self._end(happening.uuid, Outcome.OVERTAKEN.value)
            self.turns.pop(happening.uuid, None)
            self._direction.pop(happening.uuid, None)
        elif not happening.written and happening.kind in ACTS and happening.to_bytes is not None:
            direction = _direction(happening.from_bytes or 0.0, happening.to_bytes)
            self.changes[direction, Kind.PLANNED.value, OBSERVED] += 1

    # --- changes ------------------------------------------------------------------------------------

    def begun(self, act: Act) -> None:
        """Take in a change that is about to be sent, or that somebody else made."""
        if act.cause == ADOPTED:
            self.foreign += 1
            return
        self._end(act.uuid, Outcome.OVERTAKEN.value, act.from_bytes)
        self._under_way[act.uuid] = act
        direction = _direction(act.from_bytes, act.to_bytes)
        before = self._direction.get(act.uuid, direction)
        self._direction[act.uuid] = direction
        self.turns[act.uuid] = self.turns.get(act.uuid, 0) + (direction != before)

    def settled(self, uuid: str, at: float, outcome: Outcome, actual_bytes: float | None) -> None:
        """Take in what became of a guest's last change, in epoch seconds."""
        act = self._under_way.get(uuid)
        if act is not None and outcome is Outcome.REACHED:
            self.convergence.add(max(0.0, at - act.at))
        self._end(uuid, outcome.value, actual_bytes)

    def _end(self, uuid: str, result: str, actual_bytes: float | None = None) -> None:
        """Count a guest's change that is under way, if there is one, and how far it got."""
        act = self._under_way.pop(uuid, None)
        if act is None:
            return
        direction = _direction(act.from_bytes, act.to_bytes)
        self.changes[direction, act.cause, result] += 1
        if actual_bytes is not None and result != Outcome.FOREIGN:
            way = 1.0 if direction == GROW else -1.0
            self.moved_bytes[direction] += max(0.0, way * (actual_bytes - act.from_bytes))


class CountedJournal:
    """A journal whose acts are counted; without one inside, nothing is written down."""

    def __init__(self, counts: Counts, journal: Journal | None) -> None:
        self._counts = counts
        self._journal = journal

    def before(self, acts: Sequence[Act]) -> None:
        """Write down changes that are about to be sent, and count those that are."""
        if self._journal is not None:
            self._journal.before(acts)
        for act in acts:
            self._counts.begun(act)

    def settle(
        self, uuid: str, at: float, outcome: Outcome, actual_bytes: float | None = None, text: str = ""
    ) -> None:
        """Note what became of a guest's last change."""
        self._counts.settled(uuid, at, outcome, actual_bytes)
        if self._journal is not None:
            self._journal.settle(uuid, at, outcome, actual_bytes, text)

    def keep(self, request: Hold | Lease) -> None:
        """Write down what somebody asked for."""
        if self._journal is not None:
            self._journal.keep(request)

    def drop(self, request_id: str) -> None:
        """Forget what somebody asked for."""
        if self._journal is not None:
            self._journal.drop(request_id)


def _direction(from_bytes: float, to_bytes: float) -> str:
    """Return which way a change goes; who is told to stay is no longer shrunk."""
    return GROW if to_bytes >= from_bytes else SHRINK


_CHANGES: Final = [
    *(
        (direction, cause.value, outcome.value)
        for direction in (GROW, SHRINK)
        for cause in CAUSES
        for outcome in Outcome
    ),
    *((direction, Kind.PLANNED.value, OBSERVED) for direction in (GROW, SHRINK)),
]
