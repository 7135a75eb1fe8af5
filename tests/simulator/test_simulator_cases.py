"""What went wrong once on real guests, each on a simulated host under the product's own engine and loop."""

from functools import cache

import numpy as np
import pytest

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.loop import run
from ballonet.facts.memory import Memory
from ballonet.facts.plan import TIERS, Plan
from ballonet.policy.settings import Settings
from ballonet.simulator import virtual
from ballonet.simulator.schedule import steps
from ballonet.simulator.world import Spec, World
from ballonet.units import MIB

REST = "anon_mib=40 hot_mib=40 rate=50 touches=32"
BURST = "anon_mib=330 hot_mib=330 grow_mib_s=100"
# 200 requests a second that read 16 blocks of a file each: all of it is in use, and comes back in 20 s.
READS = "anon_mib=20 hot_mib=20 file_mib=200 rate=200 touches=16 reads=16"
IN_MEMORY_MS = 0.5  # what a request takes that finds all that it needs


class Ran:
    """Guests of 512 MiB with these loads on a budget, after so many seconds."""

    def __init__(self, budget_mib: float, seconds: float, **loads: str) -> None:
        self.plans: list[Plan] = []
        self.memories: list[Memory] = []  # what each of them was made from
        self._loads, self._seconds = loads, seconds
        self._settings = Settings(
            budget_bytes=budget_mib * MIB,
            reserve_bytes=256.0 * MIB,
            interval_seconds=1.0,
            boot_grace_seconds=0.0,
        )
        self.world = virtual.run(self._run())

    async def _run(self) -> World:
        clock = virtual.VirtualClock()
        specs = [Spec(name, 512 * MIB, steps(load), vcpus=2) for name, load in self._loads.items()]
        world = World(specs, clock=clock)
        ports = Ports(world, clock, world, world)
        engine = Engine(ports, self._settings, lambda _: None, enforce=True, floor_bytes=128 * MIB)

        def keep(plan: Plan) -> None:
            self.plans.append(plan)
            self.memories.append(engine._remembered.memory)

        await run(engine, ports, seconds=self._seconds, after_tick=keep)
        return world

    def ms(self, name: str, since: float, until: float) -> float:
        """Return a guest's mean latency between two moments."""
        row = sorted(self._loads).index(name)
        there = [answers for at, answers in self.world.answers if since <= at < until]
        answered = np.array([answers.answered[row] for answers in there])
        took = np.nan_to_num(np.array([answers.seconds[row] for answers in there]))
        return 1e3 * float((answered * took).sum() / answered.sum())

    def size_mib(self, name: str, at: float) -> float:
        """Return what a guest had at a moment."""
        row = sorted(self._loads).index(name)
        plan = next(plan for plan in self.plans if plan.snapshot.taken_at >= at)
        return float(plan.snapshot.actual[row]) / MIB

    def swapped_in(self, name: str) -> float:
        """Return how many pages a guest got back from its swap."""
        return float(self.world.state.swap_in[sorted(self._loads).index(name)])

    def distressed(self, since: float = 0.0, until: float = np.inf) -> bool:
        """Return whether anybody was in distress between two moments."""
        ticks = zip(self.plans, self.memories, strict=True)
        return any(memory.distress.any() for plan, memory in ticks if since <= plan.snapshot.taken_at < until)

    def changes(self, since: float) -> int:
        """Return how many changes were planned from a moment on."""
        return sum(len(plan.changes()) for plan in self.plans if plan.snapshot.taken_at >= since)


@cache
def two_of_three_stop(budget_mib: float) -> Ran:
    """Three read 200 MiB each, all the time; two stop after a minute."""
    stops = f"at 0 {READS}\nat 60 rate=0"
    return Ran(budget_mib, 150, first=stops, second=stops, third=f"at 0 {READS}")


@pytest.mark.parametrize("budget_mib", [850, 1000, 1150])
def test_what_two_do_not_read_any_more_serves_the_third(budget_mib: float) -> None:
    """k does not run away: in the cache tier the share follows present harm, not past wishes."""
    assert two_of_three_stop(budget_mib).ms("third", 140, 150) < 1.2 * IN_MEMORY_MS


def test_cache_that_is_not_read_makes_room_for_cache_that_is() -> None:
    ran = two_of_three_stop(850)

    assert ran.ms("third", 50, 60) > 2 * IN_MEMORY_MS
    assert ran.size_mib("third", 55) == pytest.approx(ran.size_mib("first", 55), rel=0.02)
    assert ran.size_mib("third", 120) > ran.size_mib("third", 55) + 30
    assert ran.size_mib("first", 120) < ran.size_mib("first", 55) - 30


# --- beside a guest that reads, another one grows ----------------------------------------------------

READS_LESS = "anon_mib=20 hot_mib=20 file_mib=200 rate=50 touches=16 reads=8"


@cache
def one_bursts_beside_a_reader(budget_mib: float) -> Ran:
    """It needs 330 MiB more from the 30th second to the 60th: more than the reader's cache leaves."""
    bursts = f"at 0 {REST}\nat 30 {BURST}\nat 60 anon_mib=40 hot_mib=40"
    return Ran(budget_mib, 150, reader=f"at 0 {READS_LESS}", other=bursts)


def test_a_hold_and_a_wish_for_cache_never_stand_against_a_need() -> None:
    """The reader is held since the first squeeze, which took more of its cache than it could miss."""
    ran = Ran(
        600,
        60,
        reader=f"at 0 {READS_LESS} rate=100",
        other=f"at 0 {REST}\nat 30 anon_mib=240 hot_mib=240 grow_mib_s=100",
    )
    before, memory = next(
        ticked for ticked in zip(ran.plans, ran.memories, strict=True) if ticked[0].snapshot.taken_at >= 29
    )

    assert memory.hold_until[1] > before.snapshot.taken_at + 10
    assert memory.kept[1] > 150 * MIB
    assert ran.size_mib("reader", 45) < ran.size_mib("reader", 29) - 100
    assert 0.0 == ran.swapped_in("other")
    assert ran.ms("other", 30, 60) < 1.1 * IN_MEMORY_MS


def test_dropped_cache_comes_back_when_it_is_read() -> None:
    """It cannot be seen, only its reads: what is kept exceeds what is there."""
    ran = one_bursts_beside_a_reader(650)
    starved = next(plan for plan in ran.plans if plan.snapshot.taken_at >= 55)
    there = starved.snapshot.usable[1] - starved.snapshot.unused[1]

    assert starved.wanted[TIERS.index("cache")][1] > there + 64 * MIB
    assert ran.size_mib("reader", 75) > ran.size_mib("reader", 30) - 10
    assert ran.ms("reader", 140, 150) < ran.ms("reader", 55, 60) - 0.5 * IN_MEMORY_MS


def test_a_guest_that_burst_once_does_not_starve_the_cache_of_others() -> None:
    """Its cushion is what it grows by in a third of a second, not what it may grow by until the next tick."""
    ran = Ran(
        850, 90, reader=f"at 0 {READS}", other=f"at 0 {REST}\nat 20 {BURST}\nat 30 anon_mib=40 hot_mib=40"
    )

    cushion = ran.plans[-1].wanted[TIERS.index("cushion")][0]
    assert 20 * MIB < cushion < 0.1 * 512 * MIB
    # Thirty of its 3,200 reads a second still go to the disk: fewer than count as harm.
    assert ran.ms("reader", 80, 90) < 1.4 * IN_MEMORY_MS


def test_distress_ends() -> None:
    """What the burst needs and what the reader needs do not both fit; when it is over the reader heals."""
    ran = one_bursts_beside_a_reader(600)

    assert ran.distressed(until=60)
    assert not ran.distressed(since=90)
    assert 0 == ran.changes(since=140)


def test_the_first_squeeze_makes_no_distress() -> None:
    """Four guests of 512 MiB whose needs are all but 1,300 MiB: unused memory goes first, in a few bites."""
    big = "at 0 anon_mib=300 hot_mib=300 rate=50 touches=32"
    ran = Ran(1300, 40, big=big, large=big, little=f"at 0 {REST}", small=f"at 0 {REST}")

    assert ran.plans[-1].snapshot.actual.sum() <= 1300 * MIB
    assert not ran.distressed()
    assert 0.0 == ran.world.state.swap_in.sum()


@pytest.mark.parametrize(
    ("budget_mib", "loads"),
    [
        (900, {"first": f"at 0 {REST}", "second": f"at 0 {REST}", "third": f"at 0 {REST}"}),
        (1000, {"first": f"at 0 {READS}", "second": f"at 0 {READS}", "third": f"at 0 {READS}"}),
        (850, {"first": f"at 0 {READS_LESS}", "second": f"at 0 {READS_LESS}", "third": f"at 0 {READS_LESS}"}),
        (1200, {"first": f"at 0 {READS}", "second": f"at 0 {REST}", "third": "at 0 anon_mib=400 hot_mib=50"}),
        (1400, {"first": f"at 0 {READS}", "second": f"at 0 {REST}", "third": f"at 0 {REST}"}),
    ],
)
def test_constant_load_reaches_an_empty_plan_and_stays_there(
    budget_mib: float, loads: dict[str, str]
) -> None:
    """What a trial gave beyond what was needed comes back after the dwell of a minute."""
    ran = Ran(budget_mib, 150, **loads)

    assert ran.changes(since=0) > 0
    assert 0 == ran.changes(since=90)
