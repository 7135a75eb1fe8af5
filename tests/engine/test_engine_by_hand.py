"""What people ask for while an engine runs: it happens, it is written down, and it ends by itself."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from kept import ANNA, Host, MemoryJournal, on_host
from pretend import PretendClock, PretendHypervisor

from ballonet.engine.by_hand import Asker, ByHand
from ballonet.engine.engine import Engine, World
from ballonet.engine.ports import Event, EventKind
from ballonet.errors import (
    BallonetError,
    JournalError,
    NoSuchGuestError,
    NotReachedError,
    NotReadyError,
    RefusedError,
    UsageError,
)
from ballonet.facts.act import Outcome
from ballonet.facts.happening import Kind
from ballonet.facts.request import ALL
from ballonet.policy.settings import Settings
from ballonet.units import GIB, MIB


def test_a_guest_that_was_set_stays_so_until_its_time_is_over() -> None:
    seen: list[float] = []

    async def does(host: Host) -> None:
        await host.by_hand.set("idle", 800 * MIB, 20.0, ANNA)
        await host.clock.sleep(15.0)
        seen.append(host.size("idle"))
        await host.clock.sleep(70.0)
        seen.append(host.size("idle"))

    host = on_host(does)
    assert 800 * MIB == seen[0]
    assert seen[1] < 500 * MIB
    assert ["its hold is over"] == [each.text for each in host.told if each.kind is Kind.HELD]
    assert [("idle", 800 * MIB)] == [(a.name, a.to_bytes) for a in host.journal.acts if a.cause == "asked"]
    assert {} == host.journal.requests


@pytest.mark.parametrize(
    ("size", "words"),
    [(16 * MIB, "G1: the target is below the hard floor"), (200 * MIB, "G1"), (2 * GIB, "G2")],
)
def test_what_breaks_a_promise_is_refused_and_nothing_is_held(size: int, words: str) -> None:
    async def does(host: Host) -> None:
        with pytest.raises(RefusedError, match=words):
            await host.by_hand.set("idle", size, None, ANNA)

    assert {} == on_host(does).journal.requests


def test_of_two_guests_with_one_name_neither_is_chosen() -> None:
    async def does(host: Host) -> None:
        assert host.engine.plan
        snapshot = host.engine.plan.snapshot
        object.__setattr__(snapshot, "names", ("web", *snapshot.names[1:]))
        one, other = snapshot.uuids[0], host.uuid("web")
        with pytest.raises(UsageError, match="2 guests are called 'web'") as refused:
            await host.by_hand.set("web", 800 * MIB, None, ANNA)
        assert f"name one by its UUID: {one}, {other}" == refused.value.hint
        for uuid in (one, other):
            host.by_hand.pause(uuid, None, ANNA)
        with pytest.raises(UsageError, match="2 guests are called 'web'"):
            host.by_hand.resume("web", ANNA)
        assert [one] == [hold.uuid for hold in host.by_hand.resume(one, ANNA)]

    on_host(does)


def test_a_guest_is_not_set_to_more_than_the_host_has() -> None:
    async def does(host: Host) -> None:
        with pytest.raises(RefusedError, match="the host can spare"):
            await host.by_hand.set("idle", 1000 * MIB, None, ANNA)

    on_host(does, budget_bytes=1.6 * GIB)


@pytest.mark.parametrize("paused", [False, True])
def test_a_guest_that_could_not_be_set_is_held_as_it_was_before(
    monkeypatch: pytest.MonkeyPatch, *, paused: bool
) -> None:
    async def refuses(sizes: Mapping[str, int]) -> Mapping[str, BallonetError]:
        return dict.fromkeys(sizes, RefusedError("no"))

    async def does(host: Host) -> None:
        before = [host.by_hand.pause("idle", None, Asker("bob"))] if paused else []
        with monkeypatch.context() as patch:
            patch.setattr(host.world, "resize_many", refuses)
            with pytest.raises(BallonetError, match="idle could not be resized"):
                await host.by_hand.set("idle", 800 * MIB, 20.0, ANNA)
        assert before == host.engine.requests.holds == list(host.journal.requests.values())

    on_host(does, seconds=40.0)


def test_a_hold_that_ended_meanwhile_is_not_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def does(host: Host) -> None:
        async def then_resumed(sizes: Mapping[str, int]) -> Mapping[str, BallonetError]:
            host.by_hand.resume("idle", ANNA)
            return dict.fromkeys(sizes, RefusedError("no"))

        with monkeypatch.context() as patch:
            patch.setattr(host.world, "resize_many", then_resumed)
            with pytest.raises(BallonetError, match="idle could not be resized"):
                await host.by_hand.set("idle", 800 * MIB, 20.0, ANNA)

    assert {} == on_host(does, seconds=40.0).journal.requests


def test_before_the_first_look_nobody_can_be_named() -> None:
    clock = PretendClock()
    world = World(PretendHypervisor(clock), clock)
    by_hand = ByHand(Engine(world, Settings(budget_bytes=GIB), lambda _: None))

    with pytest.raises(NotReadyError, match="no guest was looked at yet"):
        by_hand.pause("web", None, ANNA)


def test_nobody_is_changed_while_everything_is_paused() -> None:
    async def does(host: Host) -> None:
        host.by_hand.pause(ALL, 40.0, ANNA)
        acts = len(host.acts())
        with pytest.raises(RefusedError, match="only observed"):
            await host.by_hand.set("web", 900 * MIB, None, ANNA)
        await host.world.resize(host.uuid("busy"), 700 * MIB)
        await host.clock.sleep(35.0)
        assert acts == len(host.acts())
        assert not host.engine.writes
        await host.clock.sleep(10.0)
        assert host.engine.writes

    on_host(does)


def test_a_paused_guest_is_left_alone_and_the_others_are_not() -> None:
    async def does(host: Host) -> None:
        hold = host.by_hand.pause("idle", None, ANNA)
        assert (hold.who, hold.why, hold.until) == ("anna", "an experiment", None)
        await host.clock.sleep(3.0)
        assert "held" == host.engine.plan.row(host.by_hand.find("idle")).verdict.code  # type: ignore[union-attr]
        assert [hold] == host.by_hand.resume("idle", ANNA)
        assert [] == host.by_hand.resume("idle", ANNA)

    on_host(does)


def test_two_who_ask_between_two_ticks_get_no_more_than_is_free() -> None:
    """H1: what the first was granted is not there for the second."""

    async def does(host: Host) -> None:
        assert host.engine.plan is not None
        more = int(0.6 * host.engine.plan.free)
        assert more < 500 * MIB
        await host.by_hand.set("idle", int(host.size("idle")) + more, None, ANNA)
        with pytest.raises(RefusedError, match="can spare"):
            await host.by_hand.set("spare", int(host.size("spare")) + more, None, ANNA)
        before = host.size("web")
        await host.by_hand.release("web", ANNA)
        await host.clock.sleep(0.5)
        assert host.size("web") - before <= 0.7 * more

    on_host(does, budget_bytes=2.0 * GIB, seconds=31.0)


def test_a_released_guest_has_all_its_memory_back() -> None:
    async def does(host: Host) -> None:
        await host.by_hand.release("idle", ANNA)
        await host.clock.sleep(20.0)

    host = on_host(does, seconds=60.0)
    assert GIB == host.size("idle")
    assert host.size("spare") < 500 * MIB


def test_releasing_all_shares_what_is_free() -> None:
    async def does(host: Host) -> None:
        await host.by_hand.release(ALL, ANNA)
        await host.clock.sleep(20.0)

    host = on_host(does, seconds=60.0)
    assert 3 * GIB == pytest.approx(
        sum(host.size(name) for name in ("busy", "idle", "spare", "web")), rel=0.01
    )


@pytest.mark.parametrize("over_mib", [0, 16])
def test_who_shrinks_when_all_is_released_keeps_what_the_budget_has(over_mib: int) -> None:
    async def does(host: Host) -> None:
        await host.by_hand.set("idle", 800 * MIB, None, ANNA)
        await host.clock.sleep(5.0)
        host.by_hand.resume("idle", ANNA)
        row = host.by_hand.find("idle")
        while host.engine.plan is None or host.engine.told[row] >= host.engine.plan.snapshot.actual[row]:
            await host.clock.sleep(0.1)
        host.engine.plan = replace(host.engine.plan, free=-float(over_mib * MIB))
        await host.by_hand.give_back(ALL, ANNA)
        assert (800 - over_mib) * MIB == host.engine.told[row]

    on_host(does)


def test_guests_have_names_and_uuids() -> None:
    async def does(host: Host) -> None:
        assert host.by_hand.find("web") == host.by_hand.find(host.uuid("web"))
        with pytest.raises(NoSuchGuestError):
            host.by_hand.find("wbe")

    on_host(does)


# --- room for a guest to come --------------------------------------------------------------------------


def test_room_is_made_of_what_guests_do_not_need_and_the_host_shows_it() -> None:
    async def does(host: Host) -> None:
        size = host.by_hand.most_room_bytes() - 10 * MIB
        assert host.engine.plan
        assert size > host.engine.plan.free
        lease = await host.by_hand.make_room(
            size, timeout_seconds=60.0, hold_seconds=600.0, guest="new", asker=ANNA
        )
        left = 2.2 * GIB - sum(host.size(name) for name in ("busy", "idle", "spare", "web"))
        assert left >= size
        assert {lease.id: lease} == host.journal.requests
        host.engine.hear(Event(EventKind.STARTED, "u", "other"))
        assert host.engine.requests.leases
        host.engine.hear(Event(EventKind.STARTED, "u", "new"))
        assert not host.engine.requests.leases

    host = on_host(does, budget_bytes=2.2 * GIB, seconds=240.0)
    assert "lease-1 is used up by its start" in [each.text for each in host.told]


def test_room_that_cannot_be_made_takes_nothing() -> None:
    async def does(host: Host) -> None:
        before = [host.size(name) for name in ("busy", "idle", "spare", "web")]
        with pytest.raises(RefusedError, match=r"\d+ MiB could be had at most"):
            await host.by_hand.make_room(
                2 * GIB, timeout_seconds=5.0, hold_seconds=60.0, guest="", asker=ANNA
            )
        assert before == [host.size(name) for name in ("busy", "idle", "spare", "web")]

    assert {} == on_host(does, budget_bytes=1.75 * GIB).journal.requests


def test_room_that_does_not_come_in_time_is_kept_no_longer() -> None:
    async def does(host: Host) -> None:
        most = host.by_hand.most_room_bytes()
        with pytest.raises(NotReachedError, match="not free within"):
            await host.by_hand.make_room(most, timeout_seconds=0.1, hold_seconds=60.0, guest="", asker=ANNA)

    assert {} == on_host(does, budget_bytes=1.75 * GIB).journal.requests


def test_room_that_nobody_waits_for_any_more_is_kept_no_longer() -> None:
    async def does(host: Host) -> None:
        most = host.by_hand.most_room_bytes()
        waiting = asyncio.create_task(
            host.by_hand.make_room(most, timeout_seconds=60.0, hold_seconds=60.0, guest="", asker=ANNA)
        )
        await host.clock.sleep(0.1)
        assert ["lease-1"] == [lease.id for lease in host.engine.requests.leases]
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    host = on_host(does, budget_bytes=1.75 * GIB)
    assert {} == host.journal.requests
    assert "lease-1 was given up: anna waits no longer" in [each.text for each in host.told]


def test_room_whose_guest_starts_before_it_is_free_is_used_up_and_promised_to_nobody() -> None:
    async def does(host: Host) -> None:
        most = host.by_hand.most_room_bytes()
        waiting = asyncio.create_task(
            host.by_hand.make_room(most, timeout_seconds=60.0, hold_seconds=60.0, guest="new", asker=ANNA)
        )
        await asyncio.sleep(0.05)
        host.engine.hear(Event(EventKind.STARTED, "u", "new"))
        with pytest.raises(NotReachedError, match="lease-1 ended before"):
            await waiting

    host = on_host(does, budget_bytes=1.75 * GIB)
    assert {} == host.journal.requests
    assert not [each for each in host.told if "kept free" in each.text]


def test_who_only_observes_makes_no_room_that_is_not_there() -> None:
    async def does(host: Host) -> None:
        assert host.engine.plan
        free = int(host.engine.plan.free)
        with pytest.raises(RefusedError, match="only observed"):
            await host.by_hand.make_room(
                max(free, 0) + MIB, timeout_seconds=9.0, hold_seconds=9.0, guest="", asker=ANNA
            )

    assert {} == on_host(does, enforce=False, seconds=40.0).journal.requests


def test_a_lease_can_be_ended_by_hand_and_what_it_kept_is_free_at_once() -> None:
    async def does(host: Host) -> None:
        lease = await host.by_hand.make_room(
            10 * MIB, timeout_seconds=9.0, hold_seconds=600.0, guest="", asker=ANNA
        )
        assert lease == host.by_hand.drop(lease.id)
        assert host.engine.wake.is_set()

    host = on_host(does, seconds=40.0)
    assert {} == host.journal.requests
    assert "lease-1 was ended by hand" in [each.text for each in host.told]


def test_a_full_journal_ends_nothing_that_is_over_or_used_up_until_it_can_be_written() -> None:
    async def does(host: Host) -> None:
        for seconds in (1.0, 600.0):
            host.engine.requests.lease(MIB, seconds=seconds, who="anna")
        host.journal.full = True
        host.engine.hear(Event(EventKind.STARTED, "u", "new"))
        await host.clock.sleep(5.0)
        assert 2 == len(host.engine.requests.leases)
        host.journal.full = False
        await host.clock.sleep(5.0)
        assert 1 == len(host.engine.requests.leases)

    on_host(does, seconds=60.0)


def test_a_lease_ends_with_its_time() -> None:
    async def does(host: Host) -> None:
        await host.by_hand.make_room(10 * MIB, timeout_seconds=9.0, hold_seconds=10.0, guest="", asker=ANNA)
        await host.clock.sleep(15.0)

    host = on_host(does)
    assert "lease-1 is over: nobody used it" in [each.text for each in host.told]


# --- the journal ---------------------------------------------------------------------------------------


def test_everything_sent_was_written_down_before() -> None:
    async def does(host: Host) -> None: ...

    host = on_host(does)
    planned = [each for each in host.told if each.kind is Kind.PLANNED]
    assert [(each.name, each.to_bytes) for each in planned] == [
        (act.name, act.to_bytes) for act in host.journal.acts if act.cause == "planned"
    ]


def test_a_full_journal_stops_acting_and_not_observing() -> None:
    async def does(host: Host) -> None:
        host.journal.full = True
        acts = len(host.acts())
        with pytest.raises(JournalError):
            host.by_hand.pause("idle", None, ANNA)
        with pytest.raises((JournalError, BallonetError)):
            await host.by_hand.set("web", 900 * MIB, 30.0, ANNA)
        await host.world.resize(host.uuid("busy"), 900 * MIB)
        await host.clock.sleep(100.0)
        assert acts == len(host.acts())
        assert 900 * MIB == host.size("busy")
        host.journal.full = False
        await host.clock.sleep(60.0)
        assert host.size("busy") < 900 * MIB

    host = on_host(does, budget_bytes=2.2 * GIB, seconds=240.0)
    said = [each.text for each in host.told if each.kind in {Kind.FAILED, Kind.RECOVERED}]
    assert ["the journal is full; only observing until it can", "the journal can be written again"] == said


def test_what_was_asked_for_outlives_a_restart() -> None:
    journal = MemoryJournal()

    async def holds(host: Host) -> None:
        host.by_hand.pause("idle", None, ANNA)

    async def looks(host: Host) -> None:
        assert ["idle"] == [hold.name for hold in host.engine.requests.holds]
        assert host.by_hand.pause("web", None, ANNA).id != host.engine.requests.holds[0].id

    on_host(holds, journal=journal)
    on_host(looks, journal=journal)


def test_what_became_of_each_change_is_noted() -> None:
    async def does(host: Host) -> None:
        await host.world.resize(host.uuid("web"), 900 * MIB)
        await host.clock.sleep(5.0)

    host = on_host(does, seconds=60.0)
    assert {Outcome.REACHED} == {outcome for _, outcome in host.journal.outcomes}
    assert {act.uuid for act in host.journal.acts} >= {uuid for uuid, _ in host.journal.outcomes}
    assert [("web", 900 * MIB)] == [
        (act.name, act.to_bytes) for act in host.journal.acts if act.cause == "adopted"
    ]
