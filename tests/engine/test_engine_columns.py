"""What is kept by guest from tick to tick stays each guest's own, whoever comes, goes or changes places."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from pretend import PretendClock, PretendHypervisor, PretendResidents, guest

from ballonet.engine.act import Actor, Changes
from ballonet.engine.engine import Engine, World
from ballonet.engine.residents import Followed
from ballonet.engine.summary import Summary
from ballonet.engine.table import Beside, Now, side_by_side, tabulate
from ballonet.engine.watch import Watch
from ballonet.errors import BallonetError, DeadlineError, HypervisorError
from ballonet.facts.columns import Columns
from ballonet.facts.guest import Obstacle
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.host import HostMemory, HostState
from ballonet.facts.memory import HostPast, Memory
from ballonet.facts.plan import Plan
from ballonet.policy.plan import plan
from ballonet.policy.pressure import read_host
from ballonet.policy.room import host_free
from ballonet.policy.settings import Settings
from ballonet.units import GIB, MIB


class Bulk(PretendHypervisor):
    """Has its guests side by side, and takes many sizes at once."""

    calls = 0
    broken = False

    async def columns(self) -> Columns:
        return side_by_side(await super().guests())

    async def resize_many(self, sizes: Mapping[str, int]) -> Mapping[str, BallonetError]:
        self.calls += 1
        if self.broken:
            raise HypervisorError("the connection broke")
        for uuid, size in sizes.items():
            if uuid not in self.failing:
                await self.resize(uuid, size)
        return {uuid: error for uuid, error in self.failing.items() if uuid in sizes}


def host(hypervisor: PretendHypervisor) -> tuple[Engine, list[Happening]]:
    for name in "abcd":
        hypervisor.add(guest(name))
    told: list[Happening] = []
    world = World(hypervisor, hypervisor.clock, None, PretendResidents())
    return Engine(world, Settings(budget_bytes=2 * GIB), told.append, enforce=True), told


async def ticks(engine: Engine, clock: PretendClock, number: int) -> None:
    for _ in range(number):
        await engine.tick()
        clock.now += 2.0


async def test_a_guest_on_huge_pages_takes_nothing_from_what_is_free() -> None:
    """They were set aside before it began, and its process' resident memory leaves them out."""
    clock = PretendClock()
    on_huge_pages = replace(guest("huge", maximum=8 * GIB), obstacles=frozenset({Obstacle.HUGEPAGES}))
    statistics = replace(on_huge_pages.statistics, rss_bytes=100 * MIB)
    rows = [replace(on_huge_pages, statistics=statistics), guest("a")]
    left = HostMemory(32 * GIB, 5 * GIB, 0, 0, 0, None, None, 0)
    table = tabulate(rows, Now(clock.time(), clock.now), Beside(host=left))

    assert [8 * GIB + 100 * MIB, GIB] == table.rss.tolist()
    law = Settings(budget_bytes=30.0 * GIB)
    assert 5 * GIB - law.reserve_bytes == host_free(table, law)
    assert HostState.PLENTY is read_host(HostPast(), table, law).state


async def test_many_sizes_at_once_come_to_the_same_as_one_by_one() -> None:
    singly, at_once = PretendHypervisor(PretendClock()), Bulk(PretendClock())
    one, many = host(singly), host(at_once)
    await ticks(one[0], singly.clock, 10)
    await ticks(many[0], at_once.clock, 10)

    assert singly.sent == at_once.sent
    assert one[1] == many[1]
    assert 0 < at_once.calls < len(at_once.sent)


async def test_of_many_sizes_those_that_fail_are_told_and_taken_back() -> None:
    bulk = Bulk(PretendClock(), failing={"uuid-a": HypervisorError("no"), "uuid-b": DeadlineError("late")})
    engine, told = host(bulk)
    await ticks(engine, bulk.clock, 3)

    assert {"a", "b"} == {item.name for item in told if item.kind is Kind.FAILED}
    assert {"c", "d"} == {item.name for item in told if item.kind is Kind.PLANNED}


async def test_a_broken_call_fails_for_each_of_its_guests() -> None:
    bulk = Bulk(PretendClock())
    bulk.broken = True
    table = tabulate([guest("a"), guest("b")], Now(0.0, 0.0), Beside())
    failed = await Actor(bulk).send(Changes.of(table, np.arange(2), np.array([GIB, GIB])), np.full(2, np.nan))

    assert ["uuid-a", "uuid-b"] == list(failed)


def looked(*looks: tuple[float, str, Mapping[str, int]]) -> tuple[Watch, Followed]:
    """Return a watch that looked at these moments, at these guests, and saw this."""
    residents = PretendResidents()
    followed = Followed(residents)
    watch = Watch(followed)
    for at, names, resident in looks:
        followed.follow(tuple(f"uuid-{name}" for name in names))
        residents.resident = {f"uuid-{name}": size for name, size in resident.items()}
        watch.look(at)
    return watch, followed


def test_growth_is_each_guests_own_though_guests_change_places() -> None:
    before = {"a": 100, "b": 200}
    watch, _ = looked((0.0, "ab", before), (0.5, "cba", {"a": 150, "b": 200, "c": 900}))

    growth = watch.growth()

    assert growth is not None
    np.testing.assert_array_equal([np.nan, 0.0, 100.0], growth)


def test_growth_needs_a_look_that_is_old_enough() -> None:
    watch, _ = looked((0.0, "a", {"a": 100}), (0.1, "a", {"a": 200}))

    assert watch.growth() is None


def test_nothing_is_seen_of_guests_in_another_order_than_the_plans() -> None:
    watch, _ = looked((0.0, "ab", {"a": 1, "b": 1}), (0.5, "ab", {"a": 1, "b": 1}))
    settings = Settings(budget_bytes=2 * GIB)

    def made(names: str) -> tuple[Plan, Memory]:
        table = tabulate([guest(name) for name in names], Now(0.5, 0.5), Beside())
        memory = Memory.blank(len(names))
        return plan(table, memory, settings), memory

    assert watch.sight(*made("ab"), settings) is not None
    assert watch.sight(*made("ba"), settings) is None


def test_swap_of_guests_that_went_and_came_back_is_counted_once() -> None:
    summary, settings = Summary(), Settings(budget_bytes=2 * GIB)

    def add(**swapped: int) -> None:
        guests = [
            replace(row, statistics=replace(row.statistics, swap_in_bytes_total=swapped[row.name]))
            for row in map(guest, swapped)
        ]
        table = tabulate(guests, Now(0.0, 0.0), Beside())
        summary.add(plan(table, Memory.blank(len(table)), settings), GIB)

    add(a=100 * MIB, b=0)
    add(b=10 * MIB)
    add(b=10 * MIB, a=130 * MIB)
    assert 40 * MIB == summary.swap_in_bytes
    add(b=4 * MIB, a=130 * MIB)  # it was reset, and counts from 0
    assert 44 * MIB == summary.swap_in_bytes


def test_real_guests_are_not_foreseen() -> None:
    _, followed = looked((0.0, "a", {"a": 1}))

    assert 0.0 == followed.even_seconds()
    assert [math.inf] == followed.rise().tolist()


@pytest.mark.parametrize(
    ("options", "glances"),
    [
        ({"enforce": True, "reflex": True}, True),
        ({"enforce": True, "reflex": False}, False),
        ({"enforce": False, "reflex": True}, True),  # it may be told to enforce any time
    ],
)
def test_nobody_glances_where_no_burst_would_ever_be_answered(
    options: dict[str, bool], glances: object
) -> None:
    hypervisor = PretendHypervisor(PretendClock())
    world = World(hypervisor, hypervisor.clock, None, PretendResidents())
    settings = Settings(budget_bytes=GIB, reflex=options["reflex"])

    assert glances == Engine(world, settings, lambda _: None, enforce=options["enforce"]).glances
