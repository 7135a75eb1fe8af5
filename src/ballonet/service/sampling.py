"""One tick as a sample: read off a plan and what is remembered beside it."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from ballonet.engine.engine import Engine
from ballonet.engine.rising import Rising
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Bools, Floats
from ballonet.facts.verdict import CODES
from ballonet.service.samples import GUEST, HOST, Cells

# A tick that comes later than this after the last one does not tell how things were between.
LATE_TICKS, LATE_SECONDS = 3.0, 15.0
_CHANGES = frozenset({Kind.PLANNED, Kind.BURST, Kind.LENT, Kind.RELEASED, Kind.ASKED})


class Sampler:
    """Turns ticks into samples; of counters it keeps what they were."""

    def __init__(self) -> None:
        self._rises = {name: Rising() for name in ("swap_in", "swap_out", "major_faults")}
        self._taken_at: float | None = None
        self._changes: Counter[str] = Counter()  # by UUID, since the last tick
        self._bursts: Counter[str] = Counter()
        self.good_seconds = LATE_SECONDS  # for how long a sample says what is

    def hear(self, happening: Happening) -> None:
        """Count a change that was sent."""
        if happening.written and happening.kind in _CHANGES:
            self._changes[happening.uuid] += 1
            self._bursts[happening.uuid] += happening.kind is Kind.BURST

    def take(self, plan: Plan, engine: Engine) -> tuple[Cells, Cells]:
        """Return the host's sample, and the guests' (fields x guests)."""
        self.good_seconds = max(LATE_SECONDS, LATE_TICKS * engine.settings.interval_seconds)
        since = 0.0 if self._taken_at is None else plan.snapshot.taken_at - self._taken_at
        self._taken_at = plan.snapshot.taken_at
        seconds = since if since <= self.good_seconds else 0.0
        managed = plan.verdict >= CODES["stale"]
        return self._host(plan, engine, managed, seconds), self._guests(plan, engine, managed, seconds)

    def _guests(self, plan: Plan, engine: Engine, managed: Bools, seconds: float) -> Cells:
        table, distress = plan.snapshot, managed & engine.memory.distress
        at_floor = table.actual <= table.floor + engine.settings.deadband_bytes
        need = np.where(managed & ~np.isnan(engine.memory.used), plan.wanted[0], np.nan)
        rises = {
            name: rising.since_last(table.uuids, getattr(table, name)) for name, rising in self._rises.items()
        }
        columns: dict[str, NDArray[np.floating]] = {
            "maximum_bytes": table.maximum,
            "floor_bytes": table.floor,
            "actual_bytes": table.actual,
            "told_bytes": engine.memory.target,
            "need_bytes": need,
            "usable_bytes": table.usable,
            "rss_bytes": table.rss,
            "least_usable_bytes": table.usable,
            "most_need_bytes": need,
            "most_wanted_bytes": need + plan.wanted[1],
            "swap_in_bytes": rises["swap_in"],
            "swap_out_bytes": rises["swap_out"],
            "major_faults": rises["major_faults"],
            "managed_seconds": seconds * managed,
            "distress_seconds": seconds * distress,
            "pinched_seconds": seconds * (distress & at_floor),
            "changes": self._counted(self._changes, table.uuids),
            "bursts": self._counted(self._bursts, table.uuids),
        }
        return np.array([columns[name] for name in GUEST.names], dtype=np.float32)

    @staticmethod
    def _counted(counter: Counter[str], uuids: tuple[str, ...]) -> Floats:
        """Return how often each guest was counted, and count anew."""
        column = np.array([counter.get(uuid, 0) for uuid in uuids], dtype=np.float64)
        counter.clear()
        return column

    @staticmethod
    def _host(plan: Plan, engine: Engine, managed: Bools, seconds: float) -> Cells:
        table, host = plan.snapshot, plan.snapshot.host
        pressure = None if host is None else host.pressure_some_ratio
        values: dict[str, float] = {
            "total_bytes": np.nan if host is None else host.total_bytes,
            "available_bytes": np.nan if host is None else host.available_bytes,
            "pressure_some_ratio": np.nan if pressure is None else pressure,
            "budget_bytes": engine.settings.budget_bytes,
            "maximum_bytes": _known_sum(table.maximum[managed]),
            "held_bytes": _known_sum(table.actual[managed]),
            "rss_bytes": _known_sum(table.rss[managed]),
            "seconds": seconds,
        }
        return np.array([values[name] for name in HOST.names], dtype=np.float32)


def _known_sum(column: Floats) -> float:
    """Return the sum; it is unknown where nobody's part is known."""
    known = column[~np.isnan(column)]
    return float(known.sum()) if len(known) or not len(column) else np.nan
