"""What an administrator allows each guest reaches the decision, and what is sent."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pretend import PretendClock, PretendHypervisor, guest, unasked

from ballonet.engine.act import PROMISES, Changes, broken_promises
from ballonet.engine.engine import Engine, World
from ballonet.engine.limits import LimitsOf, one_floor, usual
from ballonet.engine.loop import run
from ballonet.engine.table import Beside, Now, judge, side_by_side, tabulate
from ballonet.facts.columns import Columns
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.limits import Limits
from ballonet.facts.verdict import CODES
from ballonet.policy.floors import floor_bytes, hard_floor_bytes
from ballonet.policy.settings import Settings
from ballonet.simulator import virtual
from ballonet.simulator.schedule import steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World as SimulatedWorld
from ballonet.units import GIB, MIB

LAW = Settings(budget_bytes=2 * GIB, reserve_bytes=0.0, boot_grace_seconds=0.0)


def limited(**columns: list[float]) -> LimitsOf:
    def limits(guests: Columns) -> Limits:
        return replace(usual(guests), **{name: np.array(values) for name, values in columns.items()})

    return limits


async def balanced(
    limits: LimitsOf, *names: str, ticks: int = 30
) -> tuple[PretendHypervisor, list[Happening]]:
    """Return guests of 1 GiB that use 300 MiB each, and what was told of them."""
    clock, told = PretendClock(), list[Happening]()
    hypervisor = PretendHypervisor(clock)
    for name in names:
        hypervisor.add(guest(name))
    engine = Engine(World(hypervisor, clock), LAW, told.append, enforce=True, limits=limits)
    for _ in range(ticks):
        await engine.tick()
        clock.now += 2.0
    return hypervisor, told


def test_without_settings_each_guest_has_its_usual_limits() -> None:
    columns = side_by_side([guest("a"), guest("b", maximum=4 * GIB)])

    found = usual(columns)

    assert [floor_bytes(GIB), GIB] == found.floor.tolist()
    assert [GIB, 4 * GIB] == found.ceiling.tolist()
    assert [128 * MIB] * 2 == one_floor(128 * MIB)(columns).floor.tolist()
    assert usual is one_floor(None)


def test_one_look_tells_verdicts_with_remedies_and_limits_as_far_as_they_are_known() -> None:
    bare = replace(guest("b"), device=None)
    unknown = replace(guest("c"), maximum_bytes=None)

    judged = judge([guest("a"), bare, unknown])

    assert ["managed", "no-device", "unknown-size"] == [each.verdict.code for each in judged]
    assert all("{name}" not in each.verdict.remedy for each in judged)
    assert [floor_bytes(GIB), floor_bytes(GIB), None] == [each.floor_bytes for each in judged]
    assert [GIB, GIB, None] == [each.ceiling_bytes for each in judged]
    assert [] == judge([])


@pytest.mark.parametrize(
    ("limits", "floor", "ceiling"),
    [
        ({"floor": [1.0]}, hard_floor_bytes(GIB), GIB),
        ({"floor": [9.0 * GIB]}, GIB, GIB),
        ({"ceiling": [9.0 * GIB]}, floor_bytes(GIB), GIB),
        ({"ceiling": [1.0]}, hard_floor_bytes(GIB), hard_floor_bytes(GIB)),
        ({"floor": [700.0 * MIB], "ceiling": [600.0 * MIB]}, 600 * MIB, 600 * MIB),
    ],
)
def test_no_limit_lies_below_the_hard_floor_or_above_the_maximum(
    limits: dict[str, Any], floor: int, ceiling: int
) -> None:
    table = tabulate([guest("a")], Now(0.0, 0.0), Beside(), limited(**limits))

    assert (floor, ceiling) == (table.floor[0], table.ceiling[0])


async def test_an_excluded_guest_is_never_written_and_it_is_said_why() -> None:
    """G7."""
    clock = PretendClock()
    hypervisor = PretendHypervisor(clock)
    hypervisor.add(unasked(guest("a")))
    told: list[Happening] = []
    engine = Engine(World(hypervisor, clock), LAW, told.append, enforce=True, limits=limited(excluded=[True]))

    plan = await engine.tick()

    assert CODES["excluded"] == plan.verdict[0]
    assert ([], []) == (hypervisor.sent, hypervisor.periods)
    [row] = [happening.row for happening in told if happening.kind is Kind.VERDICT]
    assert row is not None
    assert "excluded by the administrator" == row.verdict.reason


def test_a_change_of_an_excluded_guest_would_break_a_promise() -> None:
    table = tabulate([guest("a")], Now(0.0, 0.0), Beside(), limited(excluded=[True]))

    [code] = broken_promises(Changes.of(table, np.arange(1), np.array([512.0 * MIB])))

    assert PROMISES[code].startswith("G7")


@pytest.mark.parametrize(("target", "promise"), [(700, ""), (600, ""), (801, "G2"), (500, "")])
def test_a_guest_above_its_ceiling_may_go_down_in_steps_but_not_up(target: int, promise: str) -> None:
    table = tabulate([guest("a", actual=800 * MIB)], Now(0.0, 0.0), Beside(), limited(ceiling=[600.0 * MIB]))

    [code] = broken_promises(Changes.of(table, np.arange(1), np.array([target * float(MIB)])))

    assert promise == PROMISES[code][:2]


async def test_each_guest_keeps_its_own_floor_and_ceiling() -> None:
    limits = limited(floor=[900.0 * MIB, 256.0 * MIB], ceiling=[1.0 * GIB, 512.0 * MIB])

    hypervisor, _ = await balanced(limits, "a", "b")

    high, low = (row.actual_bytes or 0 for row in hypervisor.rows.values())
    assert high >= 900 * MIB
    assert low <= 512 * MIB + 4 * MIB


async def test_who_weighs_more_gets_more_of_what_is_short() -> None:
    hypervisor, _ = await balanced(limited(weight=[400.0, 100.0, 100.0]), "a", "b", "c")

    heavy, light, also = (row.actual_bytes or 0 for row in hypervisor.rows.values())
    assert heavy > max(light, also)


@pytest.mark.parametrize(
    ("load", "fits"),
    [
        ("anon_mib=300 hot_mib=300", lambda size: size <= 1.01 * GIB),
        # Cache that it reads again and again must go, too: the ceiling is the administrator's word.
        ("anon_mib=300 file_mib=1200 rate=50 reads=8", lambda size: size <= 1.05 * GIB),
        # Nobody is made to swap for a ceiling.
        ("anon_mib=1300 hot_mib=200 rate=50 touches=8", lambda size: size > 1.3 * GIB),
    ],
)
def test_a_guest_above_its_ceiling_gives_all_that_it_need_not_swap(
    load: str, fits: Callable[[float], bool]
) -> None:
    async def settled() -> tuple[float, float]:
        clock = virtual.VirtualClock()
        world = SimulatedWorld([Spec("a", 2 * GIB, steps(f"at 0 {load}"))], clock=clock, host_bytes=16 * GIB)
        ports = World(world, clock, world, world)
        law = replace(LAW, budget_bytes=8.0 * GIB)
        engine = Engine(ports, law, lambda _: None, enforce=True, limits=limited(ceiling=[1.0 * GIB]))
        await run(engine, ports, seconds=300.0)
        return float(world.state.actual[0]), float(world.state.swap_in.sum())

    size, swapped = virtual.run(settled())

    assert fits(size)
    assert swapped < 100
