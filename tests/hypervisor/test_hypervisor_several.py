"""Several hypervisors as one, beside the contract that all keep: failures cost the guests of one only."""

import asyncio
from collections.abc import Sequence

import pytest
from fake import FakeHypervisor

from ballonet.engine.ports import Event, EventKind
from ballonet.errors import HypervisorError, NoSuchGuestError, UsageError
from ballonet.facts.guest import Guest
from ballonet.hypervisor.several import UNANSWERED, SeveralHypervisors
from ballonet.units import MIB


class Failing(FakeHypervisor):
    """One that stops answering, or breaks, when it is told to."""

    failure: Exception | None = None

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        if self.failure:
            raise self.failure
        return await super().guests(inactive=inactive)

    async def close(self) -> None:
        await super().close()
        if self.failure:
            raise self.failure


def pair() -> tuple[Failing, Failing, SeveralHypervisors]:
    first, second = Failing(), Failing()
    first.add("b", 256 * MIB)
    second.add("a", 128 * MIB)
    second.add("c", 128 * MIB)
    return first, second, SeveralHypervisors([first, second])


async def names(several: SeveralHypervisors) -> Sequence[tuple[str, str | None]]:
    return [(guest.name, guest.job) for guest in await several.guests()]


async def test_all_guests_come_by_name() -> None:
    _, _, several = pair()
    assert [("a", None), ("b", None), ("c", None)] == await names(several)


async def test_guests_of_one_that_fails_stay_as_they_were_and_are_not_touched() -> None:
    _, second, several = pair()
    await several.guests()
    second.failure = HypervisorError("it hangs")
    assert [("a", UNANSWERED), ("b", None), ("c", UNANSWERED)] == await names(several)
    second.failure = None
    assert [("a", None), ("b", None), ("c", None)] == await names(several)


async def test_where_all_fail_that_is_said() -> None:
    first, second, several = pair()
    first.failure = second.failure = HypervisorError("they hang")
    with pytest.raises(HypervisorError, match="they hang"):
        await several.guests()


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
    async with asyncio.timeout(5):
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
    assert ("fake:/// fake:///", False, False) == (facts.uri, facts.read_only, facts.local)


async def test_all_are_closed_though_one_fails() -> None:
    first, second, several = pair()
    first.failure = HypervisorError("no")
    listening = second.events()
    with pytest.raises(HypervisorError, match="no"):
        await several.close()
    assert [] == [event async for event in listening]


def test_none_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="no hypervisor is named"):
        SeveralHypervisors([])
