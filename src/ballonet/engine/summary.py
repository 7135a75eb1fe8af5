"""What a run came to: memory given back, what it cost in swap, and what was refused and why."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ballonet.facts.happening import Happening, Kind
from ballonet.facts.plan import Bound, Plan
from ballonet.facts.snapshot import Floats
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
    _swap_in: dict[str, float] = field(default_factory=dict)
    _swap_out: dict[str, float] = field(default_factory=dict)
    _last_at: float | None = None

    def add(self, plan: Plan, budget_bytes: float) -> None:
        """Take in one tick: what guests held since the last one, what they swapped, who was refused."""
        snapshot = plan.snapshot
        seconds = 0.0 if self._last_at is None else snapshot.taken_at - self._last_at
        self._last_at = snapshot.taken_at
        held = float(np.nansum(snapshot.actual))
        managed = plan.verdict >= CODES["stale"]
        self.given_back_bytes = float(np.nansum((snapshot.maximum - snapshot.actual)[managed]))
        self.given_back_byte_seconds += self.given_back_bytes * seconds
        self.held_byte_seconds += held * seconds
        self.resident_byte_seconds += float(np.nansum(snapshot.rss)) * seconds
        self.over_budget_byte_seconds += max(0.0, held - budget_bytes) * seconds
        self.peak_held_bytes = max(self.peak_held_bytes, held)
        self.seconds += seconds
        self.ticks += 1
        self.swap_in_bytes += _risen(self._swap_in, snapshot.uuids, snapshot.swap_in)
        self.swap_out_bytes += _risen(self._swap_out, snapshot.uuids, snapshot.swap_out)
        self.refusals.update(
            VERDICTS[code].reason for code in plan.verdict[plan.verdict != CODES["managed"]].tolist()
        )
        self.refusals.update(
            _REFUSALS[Bound(bound)] for bound in plan.bound.tolist() if Bound(bound) in _REFUSALS
        )

    def count(self, happening: Happening) -> None:
        """Take in what happened."""
        if happening.kind in {Kind.PLANNED, Kind.BURST, Kind.LENT, Kind.FAILED, Kind.BROKEN}:
            self.changes[happening.kind.value] += 1


_REFUSALS = {
    Bound.HOST_SHORT: "growth beyond what is free",
    Bound.DISTRESS: "shrinking a guest that swaps",
    Bound.WAITS: "shrinking before statistics newer than the last change",
    Bound.DWELL: "shrinking soon after a growth",
}


def _risen(seen: dict[str, float], uuids: tuple[str, ...], counters: Floats) -> float:
    """Return by how much the counters rose since they were last seen (a reset counts from 0)."""
    risen = 0.0
    for uuid, value in zip(uuids, counters.tolist(), strict=True):
        if np.isnan(value):
            continue
        before = seen.get(uuid)
        if before is not None:
            risen += value - before if value >= before else value
        seen[uuid] = value
    return risen
