"""What went wrong once on real guests, each a scenario, under the product's own engine and loop."""

from dataclasses import replace
from functools import cache
from unittest.mock import patch

import numpy as np
import pytest

from ballonet.facts.memory import Memory
from ballonet.facts.plan import TIERS, Plan
from ballonet.facts.snapshot import Floats, Snapshot
from ballonet.policy.plan import plan
from ballonet.policy.settings import Settings
from ballonet.simulator.scenarios import Scenario, scenario
from ballonet.simulator.schedule import steps, written
from ballonet.simulator.trial import OURS, POLICIES, Trial, outcome
from ballonet.units import MIB

IN_MEMORY_MS = 0.5  # what a request takes that finds all that it needs


class Ran:
    """A trial of a scenario, and each plan that was made. Seconds count from where its loads begin."""

    def __init__(self, found: Scenario, *, give_surplus: bool = False) -> None:
        self.plans: list[Plan] = []
        self.memories: list[Memory] = []  # what each of them was made from
        self._trial = Trial(found)

        def decide(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
            self.memories.append(memory)
            self.plans.append(plan(snapshot, memory, replace(settings, give_surplus=give_surplus)))
            return self.plans[-1]

        with patch.dict(POLICIES, {OURS: decide}):
            self.outcome = outcome(self._trial)

    def ms(self, name: str, since: int, until: int) -> float:
        """Return a guest's mean latency between two seconds."""
        answers = self.outcome.answers[name]
        answered, took = answers.answered[since:until], np.nan_to_num(answers.seconds[since:until])
        return 1e3 * float((answered * took).sum() / answered.sum())

    def at(self, seconds: float) -> tuple[Plan, Memory]:
        """Return the first plan from a moment on, and what it was made from."""
        ticks = zip(self.plans, self.memories, strict=True)
        return next(ticked for ticked in ticks if self._seconds(ticked[0]) >= seconds)

    def size_mib(self, name: str, at: float) -> float:
        """Return what a guest had at a moment."""
        return float(self._of(name, self.at(at)[0].snapshot.actual)) / MIB

    def wanted_mib(self, name: str, tier: str, at: float) -> float:
        """Return what a guest wanted of a tier at a moment."""
        return float(self._of(name, self.at(at)[0].wanted[TIERS.index(tier)])) / MIB

    def swapped_in(self, name: str) -> float:
        """Return how many bytes a guest got back from its swap."""
        return float(self._of(name, self.plans[-1].snapshot.swap_in))

    def distressed(self, since: float = -np.inf, until: float = np.inf) -> bool:
        """Return whether anybody was in distress between two moments."""
        ticks = zip(self.plans, self.memories, strict=True)
        return any(memory.distress.any() for plan, memory in ticks if since <= self._seconds(plan) < until)

    def changes(self, since: float) -> int:
        """Return how many changes were planned from a moment on."""
        return sum(len(plan.changes()) for plan in self.plans if self._seconds(plan) >= since)

    def _seconds(self, plan: Plan) -> float:
        return plan.snapshot.taken_at - self._trial.settle_seconds

    def _of(self, name: str, column: Floats) -> float:
        return float(column[self.plans[-1].snapshot.names.index(name)])


@cache
def ran(name: str, budget_mib: float, seconds: float) -> Ran:
    """Run a scenario with another budget, for another time."""
    return Ran(replace(scenario(name), budget_bytes=budget_mib * MIB, seconds=seconds))


# --- three read, and two of them stop ----------------------------------------------------------------


@pytest.mark.parametrize("budget_mib", [850, 1000, 1150])
def test_what_two_do_not_read_any_more_serves_the_third(budget_mib: float) -> None:
    """k does not run away: in the cache tier the share follows present harm, not past wishes.

    400 reads a second at random take minutes to fill 50 MiB.
    """
    assert ran("cold-cache", budget_mib, 300.0).ms("web", 285, 300) < 1.3 * IN_MEMORY_MS


def test_cache_that_is_not_read_makes_room_for_cache_that_is() -> None:
    stopped = ran("cold-cache", 850, 300.0)

    assert stopped.ms("web", 10, 20) > 2 * IN_MEMORY_MS
    assert stopped.size_mib("web", 19) == pytest.approx(stopped.size_mib("files", 19), rel=0.02)
    assert stopped.size_mib("web", 110) > stopped.size_mib("web", 19) + 30
    assert stopped.size_mib("files", 110) < stopped.size_mib("files", 19) - 30


# --- beside a guest that reads, another one grows ----------------------------------------------------


def test_a_hold_and_a_wish_for_cache_never_stand_against_a_need() -> None:
    """The first squeeze took more of the reader's cache than it could miss: what it has now is on trial."""
    needs = Ran(scenario("hold-beside-need"))
    _, memory = needs.at(29)
    row = needs.plans[-1].snapshot.names.index("files")

    assert memory.trial[row] > 0.0
    assert memory.kept[row] > 150 * MIB
    assert needs.size_mib("files", 45) < needs.size_mib("files", 29) - 100
    assert 0.0 == needs.swapped_in("batch")
    assert needs.ms("batch", 30, 60) < 1.1 * IN_MEMORY_MS


def test_dropped_cache_comes_back_when_it_is_read() -> None:
    """It cannot be seen, only its reads: what is kept exceeds what is there."""
    burst = ran("burst-beside-cache", 650, 150.0)
    snapshot = burst.at(45)[0].snapshot
    row = snapshot.names.index("files")
    there_mib = (snapshot.usable[row] - snapshot.unused[row]) / MIB

    assert burst.size_mib("files", 45) < burst.size_mib("files", 15) - 100
    assert burst.wanted_mib("files", "cache", 45) > there_mib + 64
    assert burst.size_mib("files", 65) > burst.size_mib("files", 15) - 20
    assert burst.ms("files", 140, 150) < burst.ms("files", 45, 50) - 2 * IN_MEMORY_MS


def test_a_guest_that_burst_once_does_not_starve_the_cache_of_others() -> None:
    """Its cushion is what it grows by in a third of a second, not what it may grow by until the next tick."""
    burst = ran("burst-beside-cache", 700, 90.0)

    assert 20 < burst.wanted_mib("batch", "cushion", 85) < 0.1 * 512
    assert burst.size_mib("files", 65) >= burst.size_mib("files", 10)


def test_distress_ends() -> None:
    """What the burst needs and what the reader needs do not both fit; when it is over the reader heals."""
    burst = ran("burst-beside-cache", 600, 150.0)

    assert burst.distressed(until=50)
    assert not burst.distressed(since=80)
    assert 0 == burst.changes(since=140)


# --- beginnings, and ends ----------------------------------------------------------------------------


def test_the_first_squeeze_makes_no_distress() -> None:
    """Four guests of 512 MiB whose needs are all but 1,300 MiB: unused memory goes first, in a few bites."""
    met = Ran(scenario("first-squeeze"))

    assert 4 * 512 * MIB == met.plans[0].snapshot.actual.sum()
    assert met.plans[-1].snapshot.actual.sum() <= 1300 * MIB
    assert met.size_mib("files", 2) > met.size_mib("files", 10) + 64
    assert not met.distressed()
    assert 0 == met.outcome.swap_in_pages
    assert outcome(Trial(scenario("first-squeeze"), "equal")).swap_in_pages > 10_000


@pytest.mark.parametrize("give_surplus", [False, True])
@pytest.mark.parametrize(
    ("name", "budget_mib"),
    [
        ("steady", 1200),
        ("idle", 900),
        ("cold-cache", 850),
        ("cold-cache", 1000),
        ("swap-happy", 1150),
        ("burst-beside-cache", 900),
        ("first-squeeze", 1300),
    ],
)
def test_constant_load_reaches_an_empty_plan_and_stays_there(
    name: str, budget_mib: float, *, give_surplus: bool
) -> None:
    """Each scenario's beginning, for ever: what a trial gave in vain comes back after a minute's dwell."""
    found = scenario(name)
    beginnings = {guest: written(steps(load)[:1]) for guest, load in found.loads.items()}
    constant = Ran(
        replace(found, loads=beginnings, budget_bytes=budget_mib * MIB, seconds=150.0),
        give_surplus=give_surplus,
    )

    assert constant.changes(since=-20) > 0
    assert 0 == constant.changes(since=90)
