"""What every hypervisor promises the engine: one suite for all of them."""

import asyncio
import time

import pytest
from subjects import MAXIMUM_BYTES, Subject

from ballonet.engine.ports import EventKind, Hypervisor
from ballonet.errors import MovedError, NoSuchGuestError, RefusedError
from ballonet.facts.guest import Guest, State
from ballonet.units import MIB

NOBODY = "00000000-0000-4000-8000-000000000000"
HALF_BYTES = MAXIMUM_BYTES // 2 + 16 * MIB


async def reach(hypervisor: Hypervisor, name: str, size_bytes: int) -> Guest:
    """Resize a guest and return it once it is there."""
    guest = await hypervisor.guest(name)
    await hypervisor.resize(guest.uuid, size_bytes)
    async with asyncio.timeout(60):
        while guest.actual_bytes != size_bytes:
            await asyncio.sleep(0.02)
            guest = await hypervisor.guest(name)
    return guest


async def of_all(hypervisor: Hypervisor, name: str) -> Guest:
    return next(guest for guest in await hypervisor.guests(inactive=True) if guest.name == name)


async def test_running_guests_come_by_name_and_those_shut_off_when_asked_for(subject: Subject) -> None:
    running = await subject.hypervisor.guests()
    names = [guest.name for guest in running]
    assert sorted(names) == names
    assert "web" in names
    assert "off" not in names
    everybody = await subject.hypervisor.guests(inactive=True)
    if not subject.stores:
        assert names == [guest.name for guest in everybody]
        return
    assert sorted([*names, "off"]) == [guest.name for guest in everybody]
    off = next(guest for guest in everybody if guest.name == "off")
    assert (State.SHUT_OFF, None) == (off.state, off.id)
    assert MAXIMUM_BYTES == off.maximum_bytes


async def test_a_row_has_what_ballooning_needs(subject: Subject) -> None:
    async with asyncio.timeout(60):
        while (web := await of_all(subject.hypervisor, "web")).job:  # noqa: ASYNC110 - a busy guest answers late
            await asyncio.sleep(0.02)
    assert (State.RUNNING, None) == (web.state, web.job)
    assert MAXIMUM_BYTES == web.maximum_bytes
    assert web.device
    assert "virtio" == web.device.model
    assert frozenset() == web.obstacles
    assert abs(time.time() - web.read_at) < 60
    for value in (web.statistics.unused_bytes, web.statistics.usable_bytes, web.statistics.available_bytes):
        assert value is not None
        assert 10 * MIB < value <= MAXIMUM_BYTES
    if subject.reports:
        assert -2 <= (web.stats_age_seconds or 0.0) < 60


async def test_a_guest_is_found_by_name_uuid_and_id(subject: Subject) -> None:
    web = await subject.hypervisor.guest("web")
    assert web.id is not None
    for reference in (web.uuid, str(web.id)):
        assert "web" == (await subject.hypervisor.guest(reference)).name


async def test_an_unknown_guest_is_named_with_what_is_near(subject: Subject) -> None:
    with pytest.raises(NoSuchGuestError, match="no guest 'wep'") as near:
        await subject.hypervisor.guest("wep")
    assert "web" in near.value.hint
    with pytest.raises(NoSuchGuestError) as far:
        await subject.hypervisor.guest("12345")
    assert "ballonet guests" in far.value.hint
    for change in (subject.hypervisor.resize, subject.hypervisor.set_period):
        with pytest.raises(NoSuchGuestError):
            await change(NOBODY, 1)


async def test_a_guest_gets_to_the_size_it_is_told_and_all_readings_agree(subject: Subject) -> None:
    for size_bytes in (HALF_BYTES, MAXIMUM_BYTES):
        web = await reach(subject.hypervisor, "web", size_bytes)
        assert size_bytes == (await of_all(subject.hypervisor, "web")).actual_bytes
        assert MAXIMUM_BYTES == web.maximum_bytes


async def test_what_cannot_be_is_refused_and_changes_nothing(subject: Subject) -> None:
    web = await reach(subject.hypervisor, "web", MAXIMUM_BYTES)
    for size_bytes in (MAXIMUM_BYTES + MIB, 0):
        with pytest.raises(RefusedError) as refused:
            await subject.hypervisor.resize(web.uuid, size_bytes)
        assert refused.value.hint
    assert MAXIMUM_BYTES == (await subject.hypervisor.guest("web")).actual_bytes
    if subject.stores:
        off = await subject.hypervisor.guest("off")
        with pytest.raises(RefusedError) as refused:
            await subject.hypervisor.resize(off.uuid, HALF_BYTES)
        assert "virsh start" in refused.value.hint
        assert off.stored == (await subject.hypervisor.guest("off")).stored


async def test_a_guest_that_has_another_size_than_was_thought_is_left_as_it_is(subject: Subject) -> None:
    web = await reach(subject.hypervisor, "web", HALF_BYTES)
    with pytest.raises(MovedError, match="web"):
        await subject.hypervisor.resize(web.uuid, HALF_BYTES + 32 * MIB, from_bytes=MAXIMUM_BYTES)
    assert HALF_BYTES == (await subject.hypervisor.guest("web")).actual_bytes
    await subject.hypervisor.resize(web.uuid, MAXIMUM_BYTES, from_bytes=HALF_BYTES)
    await reach(subject.hypervisor, "web", MAXIMUM_BYTES)


async def test_who_stores_nothing_refuses_to(subject: Subject) -> None:
    if subject.stores:
        return
    web = await subject.hypervisor.guest("web")
    assert web.stored is None
    for change in (
        subject.hypervisor.set_maximum(web.uuid, HALF_BYTES),
        subject.hypervisor.resize(web.uuid, HALF_BYTES, live=False, config=True),
        subject.hypervisor.set_period(web.uuid, 7, live=False, config=True),
    ):
        with pytest.raises(RefusedError) as refused:
            await change
        assert refused.value.hint


async def test_what_is_stored_for_the_next_start(subject: Subject) -> None:
    if not subject.stores:
        return
    uuid = (await subject.hypervisor.guest("off")).uuid
    await subject.hypervisor.set_maximum(uuid, MAXIMUM_BYTES)
    await subject.hypervisor.resize(uuid, HALF_BYTES, live=False, config=True)
    await subject.hypervisor.set_period(uuid, 7, live=False, config=True)
    stored = (await subject.hypervisor.guest("off")).stored
    assert stored
    assert (MAXIMUM_BYTES, HALF_BYTES, 7) == (
        stored.maximum_bytes,
        stored.current_bytes,
        stored.period_seconds,
    )
    await subject.hypervisor.set_maximum(uuid, HALF_BYTES - MIB)
    lower = (await subject.hypervisor.guest("off")).stored
    assert lower
    assert (HALF_BYTES - MIB, HALF_BYTES - MIB) == (lower.maximum_bytes, lower.current_bytes)
    await subject.hypervisor.set_maximum(uuid, MAXIMUM_BYTES)
    await subject.hypervisor.resize(uuid, MAXIMUM_BYTES, live=False, config=True)
    await subject.hypervisor.set_period(uuid, 1, live=False, config=True)


async def test_a_new_period_shows_at_once(subject: Subject) -> None:
    uuid = (await subject.hypervisor.guest("web")).uuid
    for seconds in (3, 0, 1):
        await subject.hypervisor.set_period(uuid, seconds)
        for web in (await of_all(subject.hypervisor, "web"), await subject.hypervisor.guest("web")):
            assert web.device
            assert seconds == web.device.period_seconds


async def test_events_count_from_the_call_and_end_with_the_connection(subject: Subject) -> None:
    events = subject.hypervisor.events()
    if subject.tells:
        web = await reach(subject.hypervisor, "web", HALF_BYTES)
        async with asyncio.timeout(60):
            while (event := await anext(events)).actual_bytes != HALF_BYTES:
                pass
        assert (EventKind.BALLOON, web.uuid, "web") == (event.kind, event.uuid, event.name)
        await reach(subject.hypervisor, "web", MAXIMUM_BYTES)
    await subject.hypervisor.close()
    async with asyncio.timeout(60):
        assert all([event.kind is EventKind.BALLOON async for event in events])


async def test_a_connection_says_what_it_is(subject: Subject) -> None:
    facts = await subject.hypervisor.facts()
    assert ":" in facts.uri
    assert not facts.read_only
