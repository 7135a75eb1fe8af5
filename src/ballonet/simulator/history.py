"""A run over time: what each tick saw, what was granted when, and how requests were answered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from ballonet.facts.happening import Happening, Kind
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Bools, Floats, Snapshot
from ballonet.facts.verdict import CODES
from ballonet.policy.rivals import Policy
from ballonet.policy.settings import Settings
from ballonet.units import MIB

_SLACK_BYTES = 2.0 * MIB  # how near to its target a balloon stops


def blind(plan: Plan) -> Bools:
    """Return whose statistics allow no shrinking, whatever the reason."""
    return plan.verdict < CODES["managed"]


@dataclass(slots=True)
class History:
    """Grows with each tick; nothing is in it before `begin`. Bytes and seconds since then."""

    names: tuple[str, ...] = ()
    at: list[float] = field(default_factory=list)
    actual: list[Floats] = field(default_factory=list)
    need: list[Floats] = field(default_factory=list)
    unused: list[Floats] = field(default_factory=list)
    resident: list[Floats] = field(default_factory=list)
    swap_in: list[Floats] = field(default_factory=list)  # since each guest's boot
    below_floor: int = 0  # guests and ticks with less than the floor, the last MiB or so aside
    shrunk_blind: int = 0  # guests and ticks told to shrink on statistics that allow no such thing
    grants: list[tuple[float, str]] = field(default_factory=list)  # when, and to whom
    decide_seconds: list[float] = field(default_factory=list)
    began_at: float | None = None

    def begin(self, now: float) -> None:
        """Record from this monotonic second on."""
        self.began_at = now

    def take(self, plan: Plan) -> None:
        """Take in a tick."""
        if self.began_at is None:
            return
        snapshot = plan.snapshot
        self.names = snapshot.names
        self.at.append(snapshot.taken_at - self.began_at)
        self.actual.append(snapshot.actual)
        self.need.append(np.nan_to_num(snapshot.actual - snapshot.usable))
        self.unused.append(np.nan_to_num(snapshot.unused))
        self.resident.append(np.nan_to_num(snapshot.rss))
        self.swap_in.append(np.nan_to_num(snapshot.swap_in))
        below = snapshot.actual < snapshot.floor - _SLACK_BYTES
        self.below_floor += int(below.sum())
        self.shrunk_blind += int((blind(plan) & (plan.target < snapshot.actual)).sum())

    def hear(self, happening: Happening, now: float) -> None:
        """Take in what was done."""
        grown = (happening.to_bytes or 0.0) > (happening.from_bytes or 0.0)
        if self.began_at is not None and happening.kind in {Kind.BURST, Kind.PLANNED} and grown:
            self.grants.append((now - self.began_at, happening.name))

    def timed(self, decide: Policy) -> Callable[[Snapshot, Memory, Settings], Plan]:
        """Return the policy with its time taken."""

        def timed(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
            began = perf_counter()
            plan = decide(snapshot, memory, settings)
            self.decide_seconds.append(perf_counter() - began)
            return plan

        return timed
