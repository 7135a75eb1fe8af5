"""What a run came to: memory given back, what it cost in swap, and what was refused and why."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ballonet.engine.rising import Rising
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.plan import Bound, Plan
from ballonet.facts.snapshot import Codes, Floats, or_else
from ballonet.facts.verdict import CODES, VERDICTS


@dataclass(slots=True)
class Summary:
    """Sums over a run. Bytes and seconds."""

    seconds: float = 0.0
    ticks: int = 0
    given_back_byte_seconds: float = 0.0  # maximum less actual of the managed guests, over time
    given_back_bytes: float = 0.0  # at the last tick
    held_byte_seconds: float = 0.0  # sum of actual of all guests, over time
    resident_byte_seconds: float = 0.0  # resident memory of all guests, over time
    peak_held_bytes: float = 0.0  # the largest sum of actual
    over_budget_byte_seconds: float = 0.0
    swap_in_bytes: float = 0.0
    swap_out_bytes: float = 0.0
    changes: Counter[str] = field(default_factory=Counter)  # by kind of happening
    refusals: Counter[str] = field(default_factory=Counter)  # guest-ticks by reason
    _swap_in: Rising = field(default_factory=Rising)
    _swap_out: Rising = field(default_factory=Rising)
    _last_at: float | None = None

    def add(self, plan: Plan, budget_bytes: float) -> None:
        """Take in one tick: what guests held since the last one, what they swapped, who was refused."""
        snapshot = plan.snapshot
        seconds = 0.0 if self._last_at is None else snapshot.taken_at - self._last_at
        self._last_at = snapshot.taken_at
        held = float(or_else(snapshot.actual).sum())
        managed = plan.verdict >= CODES["stale"]
        self.given_back_bytes = float(or_else(snapshot.maximum - snapshot.actual)[managed].sum())
        self.given_back_byte_seconds += self.given_back_bytes * seconds
        self.held_byte_seconds += held * seconds
        self.resident_byte_seconds += float(or_else(snapshot.rss).sum()) * seconds
        self.over_budget_byte_seconds += max(0.0, held - budget_bytes) * seconds
        self.peak_held_bytes = max(self.peak_held_bytes, held)
        self.seconds += seconds
        self.ticks += 1
        self.swap_in_bytes += _sum(self._swap_in.since_last(snapshot.uuids, snapshot.swap_in))
        self.swap_out_bytes += _sum(self._swap_out.since_last(snapshot.uuids, snapshot.swap_out))
        for code, guests in _counted(plan.verdict):
            if code != CODES["managed"]:
                self.refusals[VERDICTS[code].reason] += guests
        for bound, guests in _counted(plan.bound):
            if bound in _REFUSALS:
                self.refusals[_REFUSALS[Bound(bound)]] += guests

    def count(self, happening: Happening) -> None:
        """Take in what happened."""
        if happening.kind in _CHANGES:
            self.changes[happening.kind.value] += 1


_CHANGES = frozenset({Kind.PLANNED, Kind.BURST, Kind.LENT, Kind.FAILED, Kind.BROKEN})
_REFUSALS = {
    Bound.HOST_SHORT: "growth beyond what is free",
    Bound.DISTRESS: "shrinking a guest that swaps",
    Bound.WAITS: "shrinking before statistics newer than the last change",
    Bound.DWELL: "shrinking soon after a growth",
}


def _sum(column: Floats) -> float:
    return float(or_else(column).sum())


def _counted(codes: Codes) -> list[tuple[int, int]]:
    """Return how many guests have each code that one has."""
    return [(code, guests) for code, guests in enumerate(np.bincount(codes).tolist()) if guests]
