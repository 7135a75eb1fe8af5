"""Resident memory of the guests between two ticks: a short history, and what it shows."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from ballonet.engine.ports import Residents
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.sight import Sight
from ballonet.facts.snapshot import Floats
from ballonet.facts.verdict import CODES
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.need import cache, cushion
from ballonet.policy.settings import Settings

PASS_SECONDS = 0.1  # between two looks: a guest grew by 200 MiB/s and was seen within 100 to 200 ms
LOOK_BACK_SECONDS = 0.25  # a growth is measured over this long: two looks even when one is late
KEPT_SECONDS = 6.0  # as old as the statistics that a growth is reckoned from may be


@dataclass(frozen=True, slots=True)
class _Look:
    at: float  # monotonic seconds
    resident: dict[str, int]


class Watch:
    """Looks at the guests' resident memory, and lays it beside what the last tick knew."""

    def __init__(self, residents: Residents) -> None:
        self._residents = residents
        self._looks: deque[_Look] = deque()

    def look(self, now: float) -> None:
        """Read every followed guest once."""
        self._looks.append(_Look(now, dict(self._residents.read())))
        while now - self._looks[0].at > KEPT_SECONDS:
            self._looks.popleft()

    def sight(self, plan: Plan, memory: Memory, settings: Settings) -> Sight | None:
        """Return what can be seen of the plan's guests now; None before there is anything to compare."""
        newest = self._looks[-1]
        before = next(
            (look for look in reversed(self._looks) if newest.at - look.at >= LOOK_BACK_SECONDS), None
        )
        if before is None:
            return None
        snapshot = plan.snapshot
        held = np.maximum(snapshot.actual, np.where(memory.arrived, -np.inf, memory.target))
        held = np.where(memory.changed_at > snapshot.taken_at, np.fmax(memory.target, 0.0), held)
        reserve = reserve_bytes(snapshot.maximum)
        free = np.maximum(snapshot.unused - reserve, 0.0)
        # The size that the statistics belong to, where they tell it: what came since is room too.
        told = snapshot.available + memory.overhead
        then = np.where(memory.counted | np.isnan(told), snapshot.actual, told)
        shrinking = ~memory.arrived & (memory.target < snapshot.actual)
        trusted = (plan.verdict == CODES["managed"]) & (snapshot.stats_at > memory.changed_at)
        return Sight(
            seconds=newest.at - before.at,
            rss=self._column(newest, snapshot.uuids),
            before=self._column(before, snapshot.uuids),
            at_sample=self._at(snapshot.stats_at, snapshot.uuids),
            held=held,
            room=free + cache(snapshot) / 2 + np.maximum(held - then, 0.0),
            ceiling=snapshot.ceiling,
            weight=snapshot.weight,
            cut=(plan.verdict >= CODES["stale"]) & (held < snapshot.ceiling) & ~shrinking,
            spare=np.where(
                trusted & memory.arrived & ~memory.distress,
                np.clip(
                    free - cushion(snapshot, memory, settings), 0.0, np.maximum(held - snapshot.floor, 0.0)
                ),
                0.0,
            ),
        )

    def _at(self, times: Floats, uuids: tuple[str, ...]) -> Floats:
        """Return each guest's resident bytes at its own moment: the last look that was not after it."""
        values = np.full(len(uuids), np.nan)
        for look in self._looks:
            due = np.isnan(values) | (look.at <= times)
            values = np.where(due, self._column(look, uuids), values)
        return values

    @staticmethod
    def _column(look: _Look, uuids: tuple[str, ...]) -> Floats:
        return np.array([look.resident.get(uuid, np.nan) for uuid in uuids], dtype=np.float64)
