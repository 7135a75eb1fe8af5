"""The tick and the reflex over a pretended hypervisor: what is sent, what is told, what is outlived."""

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pretend import PretendClock, PretendHypervisor, PretendResidents, guest, unasked

from ballonet.engine.act import Changes
from ballonet.engine.by_hand import Asker, ByHand
from ballonet.engine.engine import BURST_SECONDS, Engine, World
from ballonet.engine.limits import usual
from ballonet.engine.ports import Event, EventKind
from ballonet.engine.summary import Summary
from ballonet.errors import BrokenError, DeadlineError, HypervisorError, RefusedError, UnreachableError
from ballonet.facts.guest import Guest
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.request import ALL
from ballonet.facts.snapshot import Snapshot
from ballonet.facts.verdict import CODES
from ballonet.policy.settings import Settings
from ballonet.units import GIB, MIB


class Bench:
    """An engine over pretended guests, and what it told."""

    def __init__(self, budget: float, *, enforce: bool = True, **more: Any) -> None:
        self.clock = PretendClock()
        self.hypervisor = PretendHypervisor(self.clock)
        self.residents = PretendResidents()
        self.told: list[Happening] = []
        world = World(self.hypervisor, self.clock, None, self.residents)
        settings = Settings(budget_bytes=budget, **more)
        self.engine = Engine(world, settings, self.told.append, enforce=enforce)

    async def ticks(self, number: int, seconds: float = 2.0) -> None:
        for _ in range(number):
            await self.engine.tick()
            self.clock.now += seconds

    def actual(self) -> list[int]:
        return [row.actual_bytes or 0 for row in self.hypervisor.rows.values()]

    def kinds(self) -> list[Kind]:
        return [happening.kind for happening in self.told]


def four_guests(**settings: Any) -> Bench:
    """Return four guests of 1 GiB that use 300 MiB each, on a budget of 2 GiB."""
    bench = Bench(2 * GIB, **settings)
    for name in "abcd":
        bench.hypervisor.add(guest(name))
    return bench


@pytest.fixture
def four() -> Bench:
    return four_guests()


async def test_brings_guests_within_the_budget_and_then_rests(four: Bench) -> None:
    await four.ticks(10)
    settled = len(four.hypervisor.sent)
    await four.ticks(10)

    assert sum(four.actual()) <= 2 * GIB
    assert min(four.actual()) >= 300 * MIB
    assert settled == len(four.hypervisor.sent)
    assert Kind.PLANNED in four.kinds()


async def test_observing_writes_nothing_and_says_what_it_would_do_once() -> None:
    """S2."""
    bench = Bench(GIB, enforce=False)
    bench.hypervisor.add(unasked(guest("a")))
    bench.hypervisor.add(guest("b"))

    await bench.ticks(10)

    assert ([], []) == (bench.hypervisor.sent, bench.hypervisor.periods)
    assert 1 == sum(kind is Kind.PLANNED for kind in bench.kinds())
    assert not any(happening.written for happening in bench.told)


async def test_who_only_observes_glances_no_more_often_than_it_ticks(four: Bench) -> None:
    engine = four.engine
    await four.ticks(2)
    assert 0.0 == engine.calm_seconds()
    engine.change(engine.settings, usual, enforce=False)
    assert engine.settings.interval_seconds == engine.calm_seconds()


async def test_a_needy_guest_grows_after_others_gave(four: Bench) -> None:
    await four.ticks(10)
    four.hypervisor.used["uuid-a"] = 700 * MIB
    await four.ticks(10)

    assert four.actual()[0] >= 748 * MIB
    assert sum(four.actual()) <= 2 * GIB


async def test_statistics_are_switched_on_where_nobody_asks_for_them() -> None:
    bench = Bench(2 * GIB)
    bench.hypervisor.add(unasked(guest("a")))

    await bench.ticks(3)

    assert [("uuid-a", 1)] == bench.hypervisor.periods
    assert 1 == bench.kinds().count(Kind.PERIOD)


async def test_one_failing_guest_costs_itself_alone(four: Bench) -> None:
    """H4."""
    four.hypervisor.failing["uuid-a"] = HypervisorError("monitor is gone")

    await four.ticks(6)

    assert GIB == four.actual()[0]
    assert all(size < GIB for size in four.actual()[1:])
    assert Kind.FAILED in four.kinds()


async def test_a_change_by_another_hand_after_the_last_look_is_not_undone(
    four: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q2: what libvirt says in bulk may be a second old."""
    await four.ticks(10)
    hypervisor, read = four.hypervisor, four.hypervisor.guests

    async def then_changed() -> list[Guest]:
        rows = await read()
        hypervisor.rows["uuid-a"] = replace(hypervisor.rows["uuid-a"], actual_bytes=400 * MIB)
        return rows

    monkeypatch.setattr(hypervisor, "guests", then_changed)
    hypervisor.used["uuid-a"] = 700 * MIB
    await four.ticks(1)
    monkeypatch.setattr(hypervisor, "guests", read)
    assert any("something else made it" in happening.text for happening in four.told)
    await four.ticks(10)

    assert 400 * MIB == four.actual()[0]
    assert four.engine.plan
    assert "somebody else" in next(iter(four.engine.plan.rows(np.array([0])))).verdict.reason


async def test_a_guest_that_is_held_while_a_tick_decides_is_not_changed_by_it(
    four: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await four.ticks(10)
    four.hypervisor.used["uuid-a"] = 700 * MIB
    decide, before = four.engine._decide, four.actual()[0]

    def then_held(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
        four.engine.requests.hold("uuid-a", "a", seconds=None, who="anna")
        return decide(snapshot, memory, settings)

    monkeypatch.setattr(four.engine, "_decide", then_held)
    await four.ticks(1)
    assert four.engine.plan
    assert four.engine.plan.target[0] > before
    assert before == four.actual()[0]


@pytest.mark.parametrize("happened", [True, False])
async def test_a_change_whose_answer_was_lost_is_known_by_the_next_look(
    four: Bench, monkeypatch: pytest.MonkeyPatch, *, happened: bool
) -> None:
    await four.ticks(10)
    hypervisor, resize, before = four.hypervisor, four.hypervisor.resize, four.actual()[0]

    async def then_lost(uuid: str, size_bytes: int, **more: Any) -> None:
        if happened:
            await resize(uuid, size_bytes, **more)
        raise HypervisorError("the connection broke")

    hypervisor.used["uuid-a"] = 700 * MIB
    with monkeypatch.context() as broken:
        broken.setattr(hypervisor, "resize", then_lost)
        await four.ticks(1)
    assert happened == (four.actual()[0] > before)
    await four.ticks(6)

    assert four.actual()[0] >= 748 * MIB
    assert not any("something else made it" in happening.text for happening in four.told)
    assert four.engine.plan
    assert "managed" == next(iter(four.engine.plan.rows(np.array([0])))).verdict.code


async def test_what_somebody_asks_for_waits_for_the_answer_to_the_change_before(
    four: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, resize = asyncio.Event(), four.hypervisor.resize

    async def late(uuid: str, size_bytes: int, **more: Any) -> None:
        if uuid == "uuid-a":
            await released.wait()
        await resize(uuid, size_bytes, **more)

    monkeypatch.setattr(four.hypervisor, "resize", late)
    await four.ticks(1)
    assert four.engine.plan
    changes = Changes.of(four.engine.plan.snapshot, np.array([0]), np.array([600.0 * MIB]))
    assert 1 == len(await four.engine.resize(changes, "somebody"))  # it may still happen
    by_hand = ByHand(four.engine)
    waiting = asyncio.create_task(by_hand.set("a", 600 * MIB, None, Asker("somebody")))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    released.set()

    assert 600 * MIB == (await waiting).size_bytes


async def test_what_was_decided_before_the_last_look_is_not_sent(four: Bench) -> None:
    """H1: what was free then may be another's now."""
    await four.ticks(10)
    assert four.engine.plan
    changes = Changes.of(four.engine.plan.snapshot, np.array([0]), np.array([600.0 * MIB]))
    await four.ticks(1)
    four.hypervisor.sent.clear()

    assert 0 == len(await four.engine.resize(changes, "somebody"))
    assert [] == four.hypervisor.sent


async def test_what_somebody_asks_for_is_decided_by_the_look_that_came_while_it_waited(
    four: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H1."""
    await four.ticks(10)

    async def looks(_: object) -> None:
        four.hypervisor.used["uuid-b"] = 900 * MIB  # and so nothing is free any more
        await four.ticks(3)

    monkeypatch.setattr(four.engine, "hear_of", looks)
    with pytest.raises(RefusedError, match="the host can spare"):
        await ByHand(four.engine).set("a", GIB, None, Asker("somebody"))


async def test_a_change_is_planned_by_what_is_known_of_the_one_that_failed_before() -> None:
    """G3: that it did not happen is known only now, and what was said is older than that."""
    four = four_guests(interval_seconds=30.0)
    four.hypervisor.deaf.add("uuid-a")
    await four.ticks(2, seconds=30.0)
    four.hypervisor.failing["uuid-a"] = HypervisorError("the connection broke")
    await four.ticks(1, seconds=30.0)  # it did not follow, and is told to stay where it is
    assert Kind.FAILED in four.kinds()
    await four.ticks(1, seconds=30.0)

    assert Kind.BROKEN not in four.kinds()


async def test_an_answer_that_did_not_come_counts_as_sent(four: Bench) -> None:
    four.hypervisor.failing["uuid-a"] = DeadlineError("no answer")

    await four.ticks(2)

    assert Kind.FAILED in four.kinds()


async def test_a_guest_that_does_not_follow_is_left_alone_and_keeps_its_share(four: Bench) -> None:
    four.hypervisor.deaf.add("uuid-a")

    await four.ticks(12)

    assert Kind.RELEASED in four.kinds()
    assert GIB == four.actual()[0]
    assert sum(four.actual()) <= 2.3 * GIB


async def test_statistics_from_before_a_reset_are_not_believed(four: Bench) -> None:
    await four.ticks(3)
    four.hypervisor.silent = True
    for _ in range(2):  # one reset, as libvirt tells of it
        four.engine.hear(Event(EventKind.REBOOTED, "uuid-a", "a"))
    four.clock.now += 1.0

    made = await four.engine.tick()

    assert "booting" == made.row(0).verdict.code
    assert 1 == four.kinds().count(Kind.REBOOTED)


async def test_guests_come_and_go(four: Bench) -> None:
    await four.ticks(2)
    del four.hypervisor.rows["uuid-b"]
    four.hypervisor.add(guest("e"))
    await four.ticks(3)

    assert 5 == four.kinds().count(Kind.CAME)
    assert 1 == four.kinds().count(Kind.WENT)


async def test_after_a_gap_it_looks_before_it_acts(four: Bench) -> None:
    """S6."""
    await four.ticks(1)
    four.clock.now += 600
    four.hypervisor.sent.clear()
    await four.ticks(1)

    assert [] == four.hypervisor.sent


@pytest.mark.parametrize("seconds", [-3600.0, -8.0, 8.0, 3600.0])
async def test_with_a_clock_that_was_set_it_looks_before_it_acts(four: Bench, seconds: float) -> None:
    """S6: ages of statistics are reckoned from the wall clock."""
    await four.ticks(1)
    four.clock.set_by += seconds
    four.hypervisor.sent.clear()
    await four.ticks(1)

    assert [] == four.hypervisor.sent


async def test_a_guest_that_fell_silent_does_not_seem_to_speak_when_the_clock_is_set_back() -> None:
    """G3: what it said before our last change was not said after it."""
    four = four_guests(interval_seconds=1.0)
    await four.ticks(2, seconds=1.0)
    assert four.hypervisor.sent
    four.hypervisor.silent = True
    four.clock.set_by -= 8.0
    four.hypervisor.sent.clear()
    await four.ticks(9, seconds=1.0)

    assert [] == four.hypervisor.sent


async def test_after_a_gap_the_reflex_waits_for_a_look(four: Bench) -> None:
    """S6: what was free before it may be gone."""
    await four.ticks(10)
    four.clock.now += 600
    four.hypervisor.sent.clear()
    await burst(four, 200 * MIB)
    await four.engine.tick()
    await burst(four, 200 * MIB)
    assert [] == four.hypervisor.sent

    await four.engine.tick()
    await burst(four, 200 * MIB)
    assert four.hypervisor.sent


async def test_a_shrink_is_not_sent_once_its_guest_was_told_something_else(four: Bench) -> None:
    """G3, G6: while the reflex waits for an answer a tick may take from the same guest."""
    await four.ticks(10)
    plan, sender = four.engine.plan, four.engine._sender
    assert plan
    changes = Changes.of(plan.snapshot, np.array([0]), plan.snapshot.actual[[0]] - 8 * MIB)

    assert [1, 0] == [len(await sender.send(changes, Kind.LENT, writes=True)) for _ in range(2)]


async def test_a_reset_stays_where_it_was_when_the_wall_clock_is_set(four: Bench) -> None:
    """G7, S6: a guest that began anew a moment ago is left alone for its grace."""
    await four.ticks(10)
    four.engine.hear(Event(EventKind.REBOOTED, "uuid-a", "a"))
    four.clock.set_by += 3600.0
    await four.ticks(2)

    assert four.engine.plan
    assert CODES["booting"] == four.engine.plan.verdict[0]


async def test_other_settings_are_gone_by_soon(four: Bench) -> None:
    """Else they would wait for a tick at the interval of before, up to a minute."""
    four.engine.wake.clear()
    four.engine.change(four.engine.settings, usual, enforce=True)

    assert four.engine.wake.is_set()


async def test_somebody_elses_change_is_adopted(four: Bench) -> None:
    """Q2: a guest that was moved by another hand is not moved back at once."""
    await four.ticks(10)
    before = four.actual()
    row = four.hypervisor.rows["uuid-a"]
    four.hypervisor.rows["uuid-a"] = replace(row, actual_bytes=before[0] - 40 * MIB)
    four.hypervisor.sent.clear()
    await four.ticks(1)

    assert "uuid-a" not in [uuid for uuid, _ in four.hypervisor.sent]


async def burst(bench: Bench, rate: int, passes: int = 6) -> None:
    """Let the first guest's resident memory grow, and glance as the loop does."""
    resident = dict.fromkeys(bench.hypervisor.rows, 300 * MIB)
    for _ in range(passes):
        bench.residents.resident = dict(resident)
        await bench.engine.glance()
        bench.clock.now += 0.1
        resident["uuid-a"] += rate // 10


async def test_a_burst_is_answered_from_the_pool_at_once(four: Bench) -> None:
    await four.ticks(10)
    before = four.actual()
    await burst(four, 400 * MIB)

    assert four.actual()[0] >= before[0] + 64 * MIB
    assert sum(four.actual()) <= 2 * GIB
    assert Kind.BURST in four.kinds()


@pytest.mark.parametrize("kind", [BrokenError, HypervisorError])
async def test_what_failed_and_happened_after_all_is_nobody_elses_whatever_the_reflex_wants_next(
    four: Bench, monkeypatch: pytest.MonkeyPatch, kind: type[HypervisorError]
) -> None:
    await four.ticks(10)
    resize, asked = four.hypervisor.resize, list[str]()

    async def breaks(uuid: str, size_bytes: int, **how: Any) -> None:
        asked.append(uuid)
        if len(asked) == 1:
            await resize(uuid, size_bytes, **how)
            raise kind("the connection broke")
        raise UnreachableError("not connected")

    with monkeypatch.context() as patch:
        patch.setattr(four.hypervisor, "resize", breaks)
        await burst(four, 200 * MIB, passes=12)
    assert 1 == asked.count("uuid-a")
    await four.ticks(2)
    assert four.engine.plan
    assert "managed" == four.engine.plan.row(0).verdict.code


@pytest.mark.parametrize("looks", [0, 1])
async def test_what_was_told_goes_on_where_more_could_not_be_sent(four: Bench, looks: int) -> None:
    four.hypervisor.deaf.add("uuid-a")  # as one whose balloon takes a moment
    while "uuid-a" not in dict(four.hypervisor.sent):
        await four.ticks(1)
    told = dict(four.hypervisor.sent)["uuid-a"]
    await four.ticks(looks)
    four.hypervisor.failing["uuid-a"] = UnreachableError("not connected")
    assert four.engine.plan
    changes = Changes(four.engine.plan.snapshot, np.array([0]), np.array([1000.0 * MIB]))
    await four.engine.resize(changes, "somebody")
    assert Kind.FAILED in four.kinds()
    assert (told, False) == (four.engine.memory.target[0], four.engine.memory.arrived[0])


async def test_a_guest_that_was_reset_a_moment_ago_gets_and_lends_nothing() -> None:
    """G3, G7: what the last look said of it is over, before the next look says so."""
    four = four_guests(store_share=0.0)
    await four.ticks(10)
    for uuid in four.hypervisor.used:
        four.hypervisor.used[uuid] = 150 * MIB
    await four.ticks(3)
    four.hypervisor.sent.clear()
    four.engine.hear(Event(EventKind.REBOOTED, "uuid-a", "a"))
    await burst(four, 900 * MIB, passes=10)
    assert [] == four.hypervisor.sent

    await four.ticks(3)
    four.engine.hear(Event(EventKind.REBOOTED, "uuid-b", "b"))
    four.hypervisor.sent.clear()
    await four.engine.glance()
    await burst(four, 900 * MIB, passes=10)
    assert "uuid-b" not in dict(four.hypervisor.sent)


async def test_what_the_pool_lacks_is_called_in_from_unused_memory_once_a_sample() -> None:
    """H6."""
    four = four_guests(store_share=0.0)
    await four.ticks(10)
    for uuid in four.hypervisor.used:
        four.hypervisor.used[uuid] = 150 * MIB
    await four.ticks(3)
    four.told.clear()
    await burst(four, 900 * MIB, passes=10)

    lent = [happening.name for happening in four.told if happening.kind is Kind.LENT]
    assert lent
    assert len(set(lent)) == len(lent)
    assert "a" not in lent


async def test_nothing_is_called_in_once_the_last_look_is_too_long_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """S6: the answer to what a burst is granted may take a second."""
    four = four_guests(store_share=0.0)
    await four.ticks(10)
    for uuid in four.hypervisor.used:
        four.hypervisor.used[uuid] = 150 * MIB
    await four.ticks(3)
    resize = four.hypervisor.resize

    async def slow(uuid: str, size_bytes: int, **more: Any) -> None:
        four.clock.now += 12.0
        await resize(uuid, size_bytes, **more)

    monkeypatch.setattr(four.hypervisor, "resize", slow)
    await burst(four, 900 * MIB, passes=10)

    assert Kind.BURST in four.kinds()
    assert Kind.LENT not in four.kinds()


async def test_who_may_give_is_asked_when_the_pool_cannot_feed_a_burst() -> None:
    four = four_guests(store_share=0.0)
    await four.ticks(10)
    await burst(four, 100 * MIB, passes=4)
    assert [] == four.hypervisor.refreshed
    await burst(four, 2000 * MIB)
    await asyncio.sleep(0)

    assert {"uuid-b", "uuid-c", "uuid-d"} == set(four.hypervisor.refreshed)


async def test_how_short_the_host_is_is_told_when_it_changes(four: Bench) -> None:
    await four.ticks(30)

    told = [happening.text for happening in four.told if happening.kind is Kind.STATE]
    assert "the host is hard up: cache is tried for in larger bites" == told[0]
    assert "the host has plenty of memory" == told[-1]
    assert all(first != then for first, then in itertools.pairwise(told))


async def test_slow_growth_is_the_ticks_business(four: Bench) -> None:
    await four.ticks(10)
    await burst(four, 20 * MIB)

    assert Kind.BURST not in four.kinds()


async def test_without_the_reflex_nothing_happens_between_ticks() -> None:
    bench = Bench(GIB, reflex=False)
    bench.hypervisor.add(guest("a"))
    await bench.ticks(10)
    await burst(bench, 400 * MIB)

    assert Kind.BURST not in bench.kinds()


async def test_the_summary_adds_up(four: Bench) -> None:
    await four.ticks(11)

    summary = four.engine.summary
    assert 20.0 == summary.seconds
    assert 11 == summary.ticks
    assert 4 * GIB - sum(four.actual()) == pytest.approx(summary.given_back_bytes)
    assert 0 < summary.given_back_byte_seconds < 20 * 2.5 * GIB

    four.engine.summary = Summary()  # as where a run is measured from a moment on
    await four.ticks(1)
    assert 1 == four.engine.summary.ticks


# --- what it does beside ticks ----------------------------------------------------------------------


async def test_before_the_first_tick_a_burst_is_nobodys(four: Bench) -> None:
    await burst(four, 400 * MIB)

    assert [] == four.told


async def test_after_a_tick_that_could_not_decide_no_burst_is_answered_by_an_older_plan(
    four: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await four.ticks(10)
    four.hypervisor.add(guest("aa"))
    with monkeypatch.context() as broken:
        broken.setattr(four.engine, "_decide", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await four.engine.tick()
    four.told.clear()
    four.hypervisor.sent.clear()
    await burst(four, 400 * MIB)

    assert ([], []) == (four.told, four.hypervisor.sent)


@pytest.mark.parametrize("asks", [True, False])
async def test_until_a_burst_has_what_it_was_promised_ticks_come_fast_and_who_may_give_is_asked(
    *, asks: bool
) -> None:
    four = four_guests(store_share=0.0, asks=asks)
    four.hypervisor.used |= dict.fromkeys(("uuid-b", "uuid-c", "uuid-d"), 450 * MIB)
    await four.ticks(10)
    assert four.engine.settings.interval_seconds == four.engine.interval_seconds()
    await burst(four, 2000 * MIB)
    await asyncio.sleep(0)  # who was asked meanwhile
    assert BURST_SECONDS == four.engine.interval_seconds()
    four.clock.now += 0.3
    four.hypervisor.refreshed.clear()
    await four.engine.tick()
    await asyncio.sleep(0)

    donors = {"uuid-b", "uuid-c", "uuid-d"} if asks else set()
    assert donors == set(four.hypervisor.refreshed)


async def test_what_was_learned_is_known_again_by_the_next_engine(four: Bench) -> None:
    await four.ticks(10)
    learned = four.engine.learned()
    assert set(four.hypervisor.rows) == set(learned)
    again = four_guests()
    again.clock.now = four.clock.now
    again.engine.recall({**learned, "uuid-b": {"growth": 7e6}}, {})
    await again.ticks(1)

    assert 7e6 == pytest.approx(again.engine.memory.growth[1], rel=0.01)
    assert four.engine.memory.growth[0] == pytest.approx(again.engine.memory.growth[0], rel=0.01)


async def test_a_pause_ends_writing_and_not_what_it_is_set_to(four: Bench) -> None:
    four.engine.requests.hold(ALL, "", seconds=None, who="anna")
    assert (True, False) == (four.engine.enforces, four.engine.writes)
    await four.ticks(3)
    assert [] == four.hypervisor.sent
    four.engine.requests.resume(ALL)
    await four.ticks(1)
    assert four.hypervisor.sent


async def test_a_twin_is_told_of(four: Bench) -> None:
    assert not four.engine.hear(Event(EventKind.TWIN, "uuid-a", "a", text="another has it, too"))

    assert [(Kind.FAILED, "a", "another has it, too")] == [
        (each.kind, each.name, each.text) for each in four.told
    ]


async def test_statistics_that_cannot_be_switched_on_are_told_of_once() -> None:
    bench = Bench(2 * GIB)
    bench.hypervisor.add(unasked(guest("a")))

    async def refuses(uuid: str, seconds: int, **_: Any) -> None:
        raise HypervisorError("not here")

    bench.hypervisor.set_period = refuses  # type: ignore[method-assign]
    await bench.ticks(3)

    assert ["not here"] == [each.text for each in bench.told if each.kind is Kind.FAILED]


# --- the way out of every change --------------------------------------------------------------------


async def test_what_would_break_a_promise_is_not_sent_and_told_with_it(four: Bench) -> None:
    await four.ticks(1)
    assert four.engine.plan
    four.hypervisor.sent.clear()
    changes = Changes.of(four.engine.plan.snapshot, np.array([0, 1]), np.array([MIB, GIB], dtype=np.float64))

    sent = await four.engine.resize(changes, "anna")

    assert {"uuid-b": GIB} == sent.sizes() == dict(four.hypervisor.sent)
    assert [("a", f"G1: the target is below the hard floor ({MIB} bytes)")] == [
        (each.name, each.text) for each in four.told if each.kind is Kind.BROKEN
    ]


async def test_what_was_decided_of_other_guests_than_are_known_now_is_not_sent(four: Bench) -> None:
    await four.ticks(1)
    assert four.engine.plan
    changes = Changes.of(four.engine.plan.snapshot, np.array([0]), np.array([float(GIB)]))
    four.hypervisor.add(guest("aa"))
    await four.ticks(1)
    four.hypervisor.sent.clear()

    assert 0 == len(await four.engine.resize(changes, "anna"))
    assert [] == four.hypervisor.sent
