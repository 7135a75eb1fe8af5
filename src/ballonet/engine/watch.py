"""Resident memory of the guests between two ticks: a short history, and what it shows."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from ballonet.engine.residents import Followed
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.sight import Sight
from ballonet.facts.snapshot import Bools, Floats, anybody, or_else
from ballonet.facts.verdict import CODES
from ballonet.policy.need import cache, cushion, reserve
from ballonet.policy.settings import Settings
from ballonet.policy.verdicts import fresh_seconds

PASS_SECONDS = 0.1  # between two looks: a guest grew by 200 MiB/s and was seen within 100 to 200 ms
LOOK_BACK_SECONDS = 0.25  # a growth is measured over this long: two looks even when one is late
KEPT_SECONDS = 6.0  # as old as the statistics that a growth is reckoned from may be


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    at: float  # monotonic seconds
    resident: Floats  # in the order of the guests that are watched


class Watch:
    """Looks at the guests' resident memory, and lays it beside what the last tick knew."""

    def __init__(self, residents: Followed) -> None:
        self._residents = residents
        self._uuids = residents.uuids
        self._looks: deque[_Look] = deque()

    def look(self, now: float) -> None:
        """Read every followed guest once."""
        if self._residents.uuids != self._uuids:
            self._reorder(self._residents.uuids)
        self._looks.append(_Look(now, self._residents.read()))
        while now - self._looks[0].at > KEPT_SECONDS:
            self._looks.popleft()

    def seen(self) -> Bools:
        """Return whose resident memory the last look showed."""
        return ~np.isnan(self._looks[-1].resident)

    def risen(self, times: Floats) -> Floats:
        """Return the bytes by which each guest rose since its own moment (monotonic seconds)."""
        rise: Floats = self._looks[-1].resident - self._at(times)
        return rise

    def growth(self) -> Floats | None:
        """Return bytes/s by which each guest grew a moment ago; None before there is anything to compare."""
        before = self._before()
        if before is None:
            return None
        newest = self._looks[-1]
        rate: Floats = (newest.resident - before.resident) / (newest.at - before.at)
        return rate

    def sight(self, plan: Plan, memory: Memory, settings: Settings) -> Sight | None:
        """Return what can be seen of the plan's guests now; None before there is anything to compare."""
        before = self._before()
        if before is None or self._uuids != plan.snapshot.uuids:
            return None
        newest = self._looks[-1]
        snapshot = plan.snapshot
        held = np.maximum(snapshot.actual, np.where(memory.arrived, -np.inf, memory.target))
        held = np.where(memory.changed_at > snapshot.taken_at, np.fmax(memory.target, 0.0), held)
        free = np.maximum(snapshot.unused - reserve(snapshot), 0.0)
        # The size that the statistics belong to, where they tell it: what came or went since is room, too.
        told = snapshot.available + memory.overhead
        then = np.where(memory.counted | np.isnan(told), snapshot.actual, told)
        trusted = (plan.verdict == CODES["managed"]) & (snapshot.stats_at > memory.changed_at)
        # They were fresh at the tick; the next one may be a minute away, or may not reach the hypervisor.
        trusted &= newest.at - snapshot.stats_at <= fresh_seconds(snapshot, settings)
        return Sight(
            seconds=newest.at - before.at,
            rss=newest.resident,
            before=before.resident,
            at_sample=self._at(snapshot.stats_at),
            held=held,
            room=np.maximum(free + cache(snapshot) / 2 + held - then, 0.0),
            ceiling=snapshot.ceiling,
            weight=snapshot.weight,
            cut=(plan.verdict >= CODES["stale"]) & (held < snapshot.ceiling),
            spare=np.where(
                trusted & memory.arrived & ~memory.distress,
                np.clip(
                    free - cushion(snapshot, memory, settings), 0.0, np.maximum(held - snapshot.floor, 0.0)
                ),
                0.0,
            ),
        )

    def _before(self) -> _Look | None:
        """Return the last look that is old enough to see growth since."""
        looks = reversed(self._looks)
        newest = next(looks, None)
        return newest and next((look for look in looks if newest.at - look.at >= LOOK_BACK_SECONDS), None)

    def _at(self, times: Floats) -> Floats:
        """Return each guest's resident bytes at its own moment: the last look that was not after it."""
        times = or_else(times, -np.inf)
        looked_at = np.array([look.at for look in self._looks])
        place = np.maximum(looked_at.searchsorted(times, side="right") - 1, 0)
        # Statistics are a second or two old: the looks before those are not laid out.
        first = int(place.min(initial=len(self._looks) - 1))
        looks = list(self._looks)[first:]
        values: Floats = np.array([look.resident for look in looks])[place - first, np.arange(len(times))]
        if anybody(np.isnan(values)):  # it could not be read then: the first look after it that could
            for look in looks:
                values = np.where(np.isnan(values) & (look.at > times), look.resident, values)
        return values

    def _reorder(self, uuids: tuple[str, ...]) -> None:
        """Lay the looks in the order of these guests, as far as they show them."""
        known = {uuid: row for row, uuid in enumerate(self._uuids)}
        rows = np.array([known.get(uuid, -1) for uuid in uuids], dtype=np.intp)  # -1: the NaN at the end
        for number, look in enumerate(self._looks):
            self._looks[number] = _Look(look.at, np.append(look.resident, np.nan)[rows])
        self._uuids = uuids


def room_seconds(sight: Sight, rise: Floats, settings: Settings) -> float:
    """Return how long guests that go on growing by these bytes/s have more room than the reflex looks at."""
    fast = rise >= settings.reflex_rate_bytes
    room = sight.room - np.fmax(sight.rss - sight.at_sample, 0.0)
    seconds = room[fast] / rise[fast] - settings.reflex_room_seconds
    return float(seconds.min(initial=np.inf)) if not np.isnan(seconds).any() else 0.0
