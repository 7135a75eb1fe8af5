"""Simulated hosts run the product's own engine and loop, on virtual time."""

import asyncio
from dataclasses import fields

import numpy as np
import pytest

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.limits import one_floor
from ballonet.engine.loop import run
from ballonet.engine.table import side_by_side
from ballonet.facts.columns import Columns
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.plan import Plan
from ballonet.policy.settings import Settings
from ballonet.show.reasons import line
from ballonet.simulator import virtual
from ballonet.simulator.schedule import steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import MIB

REST = "anon_mib=40 hot_mib=40 rate=50 touches=32"
BURST = "anon_mib=330 hot_mib=330 grow_mib_s=300"
LOADS = {
    "web": f"at 0 {REST}\nat 30 {BURST}\nat 40 anon_mib=40 hot_mib=40",
    "shop": f"at 0 {REST}\nat 50 {BURST}\nat 60 anon_mib=40 hot_mib=40",
    "batch": f"at 0 {REST}",
    "files": "at 0 anon_mib=20 hot_mib=20 file_mib=100 rate=50 touches=16 reads=8",
}
REST_ONLY = f"at 0 {REST}"
BUDGET_BYTES = 1200.0 * MIB


class Ran:
    """A world after so many seconds, with all that was planned and told."""

    def __init__(self, seconds: float, *, enforce: bool = True, reflex: bool = True) -> None:
        self.plans: list[Plan] = []
        self.told: list[str] = []
        self.happened: list[Happening] = []
        self._settings = Settings(
            budget_bytes=BUDGET_BYTES,
            reserve_bytes=256 * MIB,
            interval_seconds=1.0,
            boot_grace_seconds=0.0,
            reflex=reflex,
        )
        self.world, self.engine = virtual.run(self._run(seconds, enforce=enforce))

    async def _run(self, seconds: float, *, enforce: bool) -> tuple[World, Engine]:
        clock = virtual.VirtualClock()
        specs = [Spec(name, 512 * MIB, steps(load), vcpus=2) for name, load in LOADS.items()]
        world = World(specs, clock=clock)
        ports = Ports(world, clock, world, world)
        engine = Engine(ports, self._settings, self._tell, enforce=enforce, limits=one_floor(128 * MIB))
        await run(engine, ports, seconds=seconds, after_tick=self.plans.append)
        return world, engine

    def _tell(self, happening: Happening) -> None:
        self.happened.append(happening)
        self.told.append(line(happening))

    def swapped_in(self) -> float:
        return float(self.world.state.swap_in.sum())


def test_bursts_are_answered_and_nobody_swaps() -> None:
    ran = Ran(80)
    assert any("a burst of" in text for text in ran.told)
    assert ran.swapped_in() < 100  # of probing the one that lives on its cache
    assert 0 == ran.world.state.oom_kills.sum()
    assert [] == [plan for plan in ran.plans[15:] if plan.snapshot.actual.sum() > BUDGET_BYTES + MIB]


def test_without_the_reflex_they_do() -> None:
    assert Ran(80, reflex=False).swapped_in() > 1000


def test_an_observer_changes_nothing() -> None:
    ran = Ran(20, enforce=False)
    assert [512 * MIB] * 4 == ran.world.state.actual.tolist()
    assert any("would: " in text for text in ran.told)


def test_a_settled_host_gives_an_empty_plan() -> None:
    ran = Ran(29)
    assert [] == [row for plan in ran.plans[-5:] for row in plan.changes()]


def test_the_same_world_runs_the_same_way() -> None:
    once, again = Ran(60), Ran(60)
    assert once.told == again.told
    assert once.world.state.actual.tolist() == again.world.state.actual.tolist()


def test_guests_and_columns_say_the_same() -> None:
    async def both(world: World, seconds: float) -> tuple[Columns, Columns]:
        await asyncio.sleep(seconds)
        return side_by_side(await world.guests()), await world.columns()

    async def looks() -> list[tuple[Columns, Columns]]:
        specs = [Spec(name, 512 * MIB, steps(load)) for name, load in LOADS.items()]
        specs += [Spec("odd", 256 * MIB, steps(LOADS["batch"]), autodeflate=True, period_seconds=0)]
        world = World(specs, clock=virtual.VirtualClock())
        await world.resize(World.uuid(specs[0]), 300 * MIB + 1)
        return [await both(world, seconds) for seconds in (0.0, 0.7, 33.3)]

    for one_by_one, at_once in virtual.run(looks()):
        for field in fields(Columns):
            seen, read = getattr(one_by_one, field.name), getattr(at_once, field.name)
            np.testing.assert_array_equal(seen, read, err_msg=field.name)


def test_statistics_are_as_old_as_their_period_lets_them() -> None:
    async def looks() -> list[list[float]]:
        specs = [
            Spec(f"g{period}", 512 * MIB, steps(REST_ONLY), period_seconds=period) for period in (0, 1, 5)
        ]
        world = World(specs, clock=virtual.VirtualClock())
        stamps = []
        for _ in range(3):
            await asyncio.sleep(4.3)
            stamps.append(((await world.columns()).last_update - virtual.VirtualClock.EPOCH).tolist())
        return stamps

    expected = [[np.nan, 4.0, np.nan], [np.nan, 8.0, 5.0], [np.nan, 12.0, 10.0]]
    np.testing.assert_array_equal(expected, virtual.run(looks()))


def test_a_burst_after_a_calm_is_answered_as_soon_as_it_shows() -> None:
    """The loop rests while nothing moves, and is awake in time: growth is measured over a quarter second."""
    ran = Ran(60)
    began = virtual.VirtualClock.EPOCH + 50
    answered = [item.at for item in ran.happened if item.kind is Kind.BURST and item.name == "shop"]
    assert 0 < min(at for at in answered if at > began - 5) - began < 0.5


@pytest.mark.parametrize("seconds", [0.3, 7.7])
def test_time_is_the_loops(seconds: float) -> None:
    async def sleep() -> float:
        clock = virtual.VirtualClock()
        await clock.sleep(seconds)
        return clock.monotonic()

    assert seconds == pytest.approx(virtual.run(sleep()))
