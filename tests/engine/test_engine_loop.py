"""The loop: it ticks, glances and listens, outlives failures, and ends when it is told to."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pretend import PretendClock, PretendHypervisor, PretendResidents, guest
from test_engine_engine import burst, four_guests

from ballonet.engine.clock import SystemClock
from ballonet.engine.engine import Engine, World
from ballonet.engine.loop import run
from ballonet.engine.ports import Clock, Event, EventKind
from ballonet.errors import HypervisorError
from ballonet.facts.guest import Guest
from ballonet.facts.happening import Happening, Kind
from ballonet.policy.settings import Settings
from ballonet.simulator import virtual
from ballonet.units import GIB, MIB


class Eventful(PretendHypervisor):
    """Says that a guest was reset as soon as somebody listens; fails at its second reading."""

    readings = 0

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        self.readings += 1
        if self.readings == 2:
            raise HypervisorError("gone for a moment")
        return await super().guests(inactive=inactive)

    async def events(self) -> AsyncIterator[Event]:
        yield Event(EventKind.REBOOTED, "uuid-a", "a")
        yield Event(EventKind.LOST)
        yield Event(EventKind.RECONNECTED)
        await asyncio.Event().wait()


def parts(clock: Clock) -> tuple[Engine, World, Eventful, list[Happening]]:
    hypervisor = Eventful(PretendClock())
    hypervisor.add(guest("a"))
    told: list[Happening] = []
    world = World(hypervisor, clock, None, PretendResidents())
    settings = Settings(budget_bytes=GIB, interval_seconds=0.05)
    return Engine(world, settings, told.append, enforce=True), world, hypervisor, told


def test_it_runs_for_as_long_as_it_is_told_and_outlives_failures() -> None:
    engine, world, hypervisor, told = parts(virtual.VirtualClock())
    failures: list[HypervisorError] = []
    plans: list[object] = []

    virtual.run(run(engine, world, seconds=1.0, after_tick=plans.append, on_failure=failures.append))

    assert ["gone for a moment"] == [failure.message for failure in failures]
    assert len(plans) == hypervisor.readings - 1
    assert len(plans) >= 10
    assert {Kind.CAME, Kind.REBOOTED, Kind.FAILED, Kind.RECOVERED} <= {item.kind for item in told}


async def test_no_part_goes_on_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, world, _, _ = parts(SystemClock())
    before = asyncio.all_tasks()

    async def broken() -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "glance", broken)
    with pytest.raises(ZeroDivisionError):
        await run(engine, world)

    assert before == asyncio.all_tasks()


async def test_it_ends_when_it_is_cancelled_and_leaves_no_task_behind() -> None:
    engine, world, _, _ = parts(SystemClock())
    before = asyncio.all_tasks()
    task = asyncio.create_task(run(engine, world))
    await asyncio.sleep(0.1)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert before == asyncio.all_tasks()


async def test_a_burst_is_answered_while_a_tick_hangs() -> None:
    """H5: the reflex never waits for the tick."""
    bench = four_guests()
    await bench.ticks(10)
    released = asyncio.Event()

    class Hangs(PretendHypervisor):
        async def guests(self, *, inactive: bool = False) -> list[Guest]:
            await released.wait()
            return await super().guests(inactive=inactive)

    bench.hypervisor.__class__ = Hangs
    bench.hypervisor.sent.clear()
    tick = asyncio.create_task(bench.engine.tick())
    await burst(bench, 400 * MIB)

    assert not tick.done()
    assert {"uuid-a"} == {uuid for uuid, _ in bench.hypervisor.sent}
    released.set()
    await tick


def test_without_the_reflex_it_ticks_and_listens_only() -> None:
    engine, world, hypervisor, told = parts(virtual.VirtualClock())
    blind = World(hypervisor, world.clock)
    engine = Engine(blind, engine.settings, told.append)

    virtual.run(run(engine, blind, seconds=1.0))

    assert not engine.glances
    assert hypervisor.readings >= 10


class LoopClock(PretendClock):
    """Tells the time of a virtual loop."""

    def time(self) -> float:
        return 1_700_000_000.0 + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Grows(PretendResidents):
    """The first guest grows by 200 MiB/s in the second after 50 s."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def read(self) -> dict[str, int]:
        grown = min(max(self.clock.monotonic() - 50.0, 0.0), 1.0) * 200 * MIB
        return {f"uuid-{name}": 300 * MIB + (int(grown) if name == "a" else 0) for name in "ab"}


def test_a_burst_is_followed_by_an_early_tick_and_by_no_question_while_the_pool_lasts() -> None:
    clock, told = LoopClock(), list[Happening]()
    hypervisor = PretendHypervisor(clock)
    for name in "ab":
        hypervisor.add(guest(name))
    world = World(hypervisor, clock, None, Grows(clock))
    settings = Settings(budget_bytes=1.5 * GIB, interval_seconds=20.0, give_surplus=False)
    engine = Engine(world, settings, told.append, enforce=True)
    ticks: list[float] = []

    virtual.run(run(engine, world, seconds=70.0, after_tick=lambda _: ticks.append(clock.monotonic())))

    assert Kind.BURST in {each.kind for each in told}
    assert [0.0, 20.0, 40.0] == pytest.approx(ticks[:3])
    assert 50.0 < ticks[3] < 52.0
    assert [] == hypervisor.refreshed
