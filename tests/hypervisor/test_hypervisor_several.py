"""Several hypervisors as one, beside the contract that all keep: failures cost the guests of one only."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import pytest
from fake import FakeHypervisor

from ballonet.engine.ports import Event, EventKind, Wanted, nobody
from ballonet.errors import HypervisorError, NoSuchGuestError, NotPermittedError, RefusedError, UsageError
from ballonet.facts.agent import Heard
from ballonet.facts.guest import Guest, State
from ballonet.hypervisor import several as module
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.hypervisor.several import UNANSWERED, SeveralHypervisors
from ballonet.units import MIB


class Failing(FakeHypervisor):
    """One that stops answering, or breaks, when it is told to."""

    failure: Exception | None = None
    late_seconds = 0.0

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        await asyncio.sleep(self.late_seconds)
        if self.failure:
            raise self.failure
        return await super().guests(inactive=inactive)

    async def guest(self, reference: str) -> Guest:
        if self.failure:
            raise self.failure
        return await super().guest(reference)

    def adopt(self, other: Guest, name: str) -> None:
        """Have a guest of the same UUID as another hypervisor's."""
        self._guests[other.uuid] = replace(other, name=name)
        self._targets[other.uuid] = other.actual_bytes or 0

    async def close(self) -> None:
        await super().close()
        if self.failure:
            raise self.failure


def pair() -> tuple[Failing, Failing, SeveralHypervisors]:
    first, second = Failing(), Failing()
    first.add("b", 256 * MIB)
    second.add("a", 128 * MIB)
    second.add("c", 128 * MIB)
    return first, second, SeveralHypervisors({"fake:///1": first, "fake:///2": second})


async def names(several: SeveralHypervisors) -> Sequence[tuple[str, str | None]]:
    return [(guest.name, guest.job) for guest in await several.guests()]


class Listening(FakeHypervisor):
    """One that reaches the agents in its guests."""

    wanted: Wanted = staticmethod(nobody)

    def listen(self, to: Wanted) -> None:
        self.wanted = to

    async def hear(self, uuid: str) -> Heard:
        return Heard(1.0, committed_bytes=len(uuid))


async def test_agents_are_asked_where_their_guests_are() -> None:
    first, second = Listening(), FakeHypervisor()
    there, elsewhere = first.add("a", 256 * MIB), second.add("b", 256 * MIB)
    several = SeveralHypervisors({"fake:///1": first, "fake:///2": second})

    several.listen(lambda _: True)

    assert first.wanted((await several.guests())[0])
    assert len(there) == (await several.hear(there)).committed_bytes
    with pytest.raises(RefusedError, match="no agent can be asked there"):
        await several.hear(elsewhere)


class Counting(FakeHypervisor):
    """One that had calls without an answer."""

    timeouts: ClassVar[dict[str, int]] = {"reading": 2}


async def test_calls_without_an_answer_are_counted_of_all() -> None:
    hypervisors = {"fake:///1": Counting(), "fake:///2": FakeHypervisor(), "fake:///3": Counting()}
    assert {"reading": 4} == SeveralHypervisors(hypervisors).timeouts


class Plain(FakeHypervisor):
    """One that knows its guests' processes, and cannot reach one of them."""

    def __init__(self, processes: dict[str, int]) -> None:
        super().__init__()
        self.processes = processes
        self.troubles = [HypervisorError("one is in use")]


async def test_processes_and_troubles_are_those_of_all_whose_guests_are_shown() -> None:
    first, second = Plain({}), Plain({"left-out": 3})
    first.processes[first.add("a", 128 * MIB)] = 1
    second.processes[second.add("b", 128 * MIB)] = 2
    several = SeveralHypervisors({"fake:///1": first, "fake:///2": second, "fake:///3": FakeHypervisor()})
    guests = await several.guests()
    assert {guests[0].uuid: 1, guests[1].uuid: 2} == several.processes
    assert 2 == len(several.troubles)


async def test_all_guests_come_by_name() -> None:
    _, _, several = pair()
    assert [("a", None), ("b", None), ("c", None)] == await names(several)


async def test_guests_of_one_that_fails_stay_as_they_were_and_are_not_touched() -> None:
    _, second, several = pair()
    await several.guests()
    second.failure = HypervisorError("it hangs")
    assert [("a", UNANSWERED), ("b", None), ("c", UNANSWERED)] == await names(several)
    assert ("fake:///2",) == several.unanswered
    second.failure = None
    assert [("a", None), ("b", None), ("c", None)] == await names(several)
    assert not several.unanswered


async def test_where_all_fail_that_is_said() -> None:
    first, second, several = pair()
    first.failure = second.failure = HypervisorError("they hang")
    with pytest.raises(HypervisorError, match="they hang"):
        await several.guests()


async def test_what_may_pass_by_itself_is_said_before_what_does_not() -> None:
    first, second, several = pair()
    first.failure, second.failure = NotPermittedError("no rights"), HypervisorError("it hangs")
    with pytest.raises(HypervisorError, match="it hangs"):
        await several.guests()
    second.failure = None
    assert [("a", None), ("c", None)] == await names(several)


async def test_one_that_hangs_is_not_waited_for_and_heard_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.01)
    _, second, several = pair()
    await several.guests()
    second.late_seconds = 0.1
    assert [("a", UNANSWERED), ("b", None), ("c", UNANSWERED)] == await names(several)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 1000.0)
    assert ["a", "b", "c"] == [name for name, _ in await names(several)]  # it was waited for once
    assert ("fake:///2",) == several.unanswered
    await asyncio.sleep(0.2)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.01)
    assert [("a", None), ("b", None), ("c", None)] == await names(several)
    second.late_seconds = 1000.0
    await names(several)
    await several.close()  # and nothing is left behind
    assert [asyncio.current_task()] == list(asyncio.all_tasks())


async def test_a_fault_of_our_own_is_not_hidden() -> None:
    first, _, several = pair()
    first.failure = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await several.guests()


async def test_a_change_goes_to_where_the_guest_is() -> None:
    first, second, several = pair()
    for hypervisor, name in ((first, "b"), (second, "c")):
        uuid = (await hypervisor.guest(name)).uuid
        await several.resize(uuid, 100 * MIB)
        await several.set_period(uuid, 7)
        await several.refresh(uuid)
        await several.set_maximum(uuid, 200 * MIB)
        await hypervisor.guests()
        await hypervisor.guests()
        found = await hypervisor.guest(name)
        assert 100 * MIB == found.actual_bytes
        assert found.device
        assert 7 == found.device.period_seconds
        assert found.stored
        assert 200 * MIB == found.stored.maximum_bytes


async def test_each_guest_says_where_it_is() -> None:
    _, _, several = pair()
    where = {guest.name: guest.hypervisor for guest in await several.guests()}
    assert {"a": "fake:///2", "b": "fake:///1", "c": "fake:///2"} == where
    found = await several.guest("b")
    assert ("fake:///1", "fake:///1") == (found.hypervisor, several.uri_of(found.uuid))
    assert "" == several.uri_of("nobody")


# --- guests that are alike --------------------------------------------------------------------------------


async def test_of_two_guests_with_one_name_neither_is_chosen() -> None:
    first, second, several = pair()
    uuid = first.add("a", 128 * MIB)
    with pytest.raises(UsageError, match="2 guests are meant by 'a': at fake:///1, fake:///2") as refused:
        await several.guest("a")
    assert uuid in refused.value.hint
    assert uuid == (await several.guest(uuid)).uuid
    assert ["a", "a", "b", "c"] == [guest.name for guest in await several.guests()]
    await several.resize(uuid, 100 * MIB)
    assert 128 * MIB == (await second.guest("a")).actual_bytes


async def test_a_name_is_not_taken_for_another_guests_while_one_does_not_answer() -> None:
    _, second, several = pair()
    second.failure = HypervisorError("it hangs")
    with pytest.raises(HypervisorError, match="it hangs"):
        await several.guest("b")
    first_guest = (await several.guests())[0]
    assert "b" == (await several.guest(first_guest.uuid)).name


async def test_of_two_guests_with_one_uuid_one_is_left_alone_and_that_is_told_once() -> None:
    first, second, several = pair()
    twin = await first.guest("b")
    second.adopt(twin, "copy")
    events = several.events()
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)

    assert ["a", "b", "c"] == [guest.name for guest in await several.guests()]
    told = await waiting
    assert (EventKind.TWIN, twin.uuid, "copy") == (told.kind, told.uuid, told.name)
    assert "left alone at fake:///2: fake:///1 has a guest of the same UUID" == told.text
    assert [f"copy is {told.text}"] == several.twins

    await several.resize(twin.uuid, 100 * MIB)
    assert ["a", "b", "c"] == [guest.name for guest in await several.guests()]
    assert 256 * MIB == (await second.guest("copy")).actual_bytes
    with pytest.raises(UsageError, match="meant by"):
        await SeveralHypervisors({"fake:///1": first, "fake:///2": second}).guest(twin.uuid)
    await several.close()
    assert EventKind.TWIN not in {event.kind async for event in events}


async def test_the_guest_that_was_meant_before_stays_so_and_the_other_follows_when_it_is_gone() -> None:
    first, second, several = pair()
    twin = await second.guest("a")
    await several.guests()
    first.adopt(twin, "copy")
    assert "fake:///2" == {guest.name: guest.hypervisor for guest in await several.guests()}["a"]
    second._guests[twin.uuid] = replace(twin, id=None, state=State.SHUT_OFF)
    assert "copy" in {guest.name for guest in await several.guests()}
    assert "copy" in {guest.name for guest in await several.guests(inactive=True)}
    assert "fake:///1" == several.uri_of(twin.uuid)


# --- one that comes later ---------------------------------------------------------------------------------


async def test_one_that_is_not_there_yet_is_looked_for_again_and_told(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ballonet.hypervisor.libvirt.connection.LOCAL_RETRY_SECONDS", (0.0,))
    there, later = LibvirtHypervisor.at("test:///default"), LibvirtHypervisor.at(host)
    later._connection.uri = "test:///nowhere"
    several = SeveralHypervisors({"test:///default": there, host: later})
    events = several.events()
    await there.connect()
    with pytest.raises(HypervisorError):
        await later.connect()

    assert ["test"] == [guest.name for guest in await several.guests()]
    absent = [await anext(events) for _ in range(2)]  # of both, as neither was connected to then
    assert {EventKind.LOST} == {event.kind for event in absent}

    later._connection.uri = host
    assert {"bare", "locked", "test", "web"} == {guest.name for guest in await several.guests()}
    connected = await anext(events)
    assert (EventKind.RECONNECTED, f"connected to {host}") == (connected.kind, connected.text)
    await several.close()


async def test_nobody_of_that_name_is_said_as_the_first_says_it() -> None:
    _, _, several = pair()
    with pytest.raises(NoSuchGuestError, match="'nobody'"):
        await several.guest("nobody")
    with pytest.raises(NoSuchGuestError):
        await several.resize("nobody", MIB)


async def test_events_of_all_are_told_until_all_are_closed() -> None:
    first, second, several = pair()
    events = several.events()
    for hypervisor, name in ((first, "b"), (second, "c")):
        await hypervisor.resize((await hypervisor.guest(name)).uuid, 100 * MIB)
        await hypervisor.guests()
    await several.close()
    async with asyncio.timeout(60):
        assert {"b", "c"} == {event.name async for event in events}


async def test_whoever_stops_listening_leaves_nothing_behind() -> None:
    first, _, several = pair()
    events = several.events()
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    first._tell(Event(EventKind.STARTED, "u", "new"))
    assert "new" == (await waiting).name
    await events.aclose()  # type: ignore[attr-defined]
    assert [asyncio.current_task()] == list(asyncio.all_tasks())


async def test_together_they_are_as_near_as_the_farthest() -> None:
    _, _, several = pair()
    facts = await several.facts()
    assert ("fake:///1 fake:///2", False, False) == (facts.uri, facts.read_only, facts.local)


async def test_all_are_closed_though_one_fails() -> None:
    first, second, several = pair()
    first.failure = HypervisorError("no")
    listening = second.events()
    with pytest.raises(HypervisorError, match="no"):
        await several.close()
    assert [] == [event async for event in listening]


def test_none_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="no hypervisor is named"):
        SeveralHypervisors({})
