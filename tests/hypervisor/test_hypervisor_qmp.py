"""QEMU's monitors as a hypervisor: what is asked, how it is read, and what each kind of trouble costs."""

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from uuid import UUID

import pytest
from monitors import BALLOON, FakeMonitor

from ballonet.engine.ports import Event, EventKind
from ballonet.errors import (
    DeadlineError,
    HypervisorError,
    MovedError,
    NoSuchGuestError,
    NotPermittedError,
    RefusedError,
    UsageError,
)
from ballonet.facts.guest import Guest, Obstacle, State
from ballonet.hypervisor.qmp import QmpHypervisor, adapter, monitor, process
from ballonet.units import MIB

FIRST = "11111111-1111-4111-8111-111111111111"
SECOND = "22222222-2222-4222-8222-222222222222"


class Listen(Protocol):
    """What starts a monitor at a socket."""

    async def __call__(self, path: Path, name: str = "web", uuid: str = "") -> FakeMonitor: ...


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a directory for sockets; tmp_path is too long for their names."""
    with tempfile.TemporaryDirectory(prefix="qmp-") as directory:
        yield Path(directory)


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Return what starts monitors, which end with the test."""
    fakes: list[FakeMonitor] = []

    async def start(path: Path, name: str = "web", uuid: str = "") -> FakeMonitor:
        fakes.append(FakeMonitor(path, name, uuid))
        return await fakes[-1].start()

    yield start
    for fake in fakes:
        await fake.stop()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "RETRY_SECONDS", (0.01,))
    monkeypatch.setattr(monitor, "GREETING_SECONDS", 30.0)  # on a busy machine nobody is late
    monkeypatch.setattr(adapter, "PATIENCE_SECONDS", 30.0)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have who says nothing be given up soon."""
    monkeypatch.setattr(monitor, "GREETING_SECONDS", 0.2)


@asynccontextmanager
async def opened(place: Path, pattern: str = "*.qmp", **more: bool) -> AsyncIterator[QmpHypervisor]:
    hypervisor = await QmpHypervisor.open(f"qmp:{place}/{pattern}", deadline_seconds=10.0, **more)
    try:
        yield hypervisor
    finally:
        await hypervisor.close()


async def until(hypervisor: QmpHypervisor, met: Callable[[list[Guest]], bool]) -> list[Guest]:
    """Look until something is seen, and return it."""
    async with asyncio.timeout(60):
        while not met(found := await hypervisor.guests()):  # noqa: ASYNC110 - sockets tell nobody
            await asyncio.sleep(0.01)
    return found


async def next_of(events: AsyncIterator[Event], kind: EventKind) -> Event:
    async with asyncio.timeout(60):
        while (event := await anext(events)).kind is not kind:
            pass
    return event


def names(guests: list[Guest]) -> list[str]:
    return [guest.name for guest in guests]


async def test_a_row_says_what_qemu_says_and_what_it_does_not_say_is_unknown(
    place: Path, listen: Listen
) -> None:
    fake = await listen(place / "a.qmp", uuid=FIRST)
    fake.told_at = 1_700_000_000
    async with opened(place) as hypervisor:
        [web] = await hypervisor.guests()
    assert ("web", FIRST, State.RUNNING, None) == (web.name, web.uuid, web.state, web.job)
    assert (256 * MIB, 256 * MIB) == (web.maximum_bytes, web.actual_bytes)
    assert web.device
    assert ("virtio", True, False, 2) == (
        web.device.model,
        web.device.autodeflate,
        web.device.free_page_reporting,
        web.device.period_seconds,
    )
    told = web.statistics
    assert (100 * MIB, 120 * MIB, 220 * MIB) == (told.unused_bytes, told.usable_bytes, told.available_bytes)
    assert told.hugetlb_allocations_total is None
    assert told.oom_kills_total is None
    assert 1_700_000_000 == told.last_update
    assert (7, 0.003) == (web.disk_reads_total, web.disk_read_seconds_total)
    assert web.stored is None


async def test_what_newer_guests_and_qemus_tell_of_pressure_is_read(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp")
    fake.stats |= {
        "stat-oom-kills": 1,
        "stat-alloc-stalls": 2,
        "stat-async-scans": 3 * MIB,
        "stat-direct-scans": 4 * MIB,
        "stat-async-reclaims": 5 * MIB,
        "stat-direct-reclaims": 6 * MIB,
    }
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
    told = guest.statistics
    assert (1, 2) == (told.oom_kills_total, told.alloc_stalls_total)
    assert (3 * MIB, 4 * MIB) == (told.async_scans_bytes_total, told.direct_scans_bytes_total)
    assert (5 * MIB, 6 * MIB) == (told.async_reclaims_bytes_total, told.direct_reclaims_bytes_total)


async def test_a_second_look_asks_each_guest_twice_and_no_more(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp")
    async with opened(place) as hypervisor:
        await hypervisor.guests()
        fake.said.clear()
        await hypervisor.guests()
    assert ["query-blockstats", "qom-get"] == fake.commands()


async def test_two_who_look_at_the_same_time_see_the_same(place: Path, listen: Listen) -> None:
    await listen(place / "a.qmp")
    async with opened(place) as hypervisor:
        both = await asyncio.gather(hypervisor.guests(), hypervisor.guests(inactive=True))
        assert [[None], [None]] == [[guest.job for guest in found] for found in both]
        assert [] == hypervisor.troubles


@pytest.mark.parametrize("known", [True, False])
async def test_whether_the_driver_is_there_is_said_where_qemu_knows(
    place: Path, listen: Listen, *, known: bool
) -> None:
    fake = await listen(place / "a.qmp")
    if known:
        fake.answers["x-query-virtio-status"] = {"started": False}
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
    assert guest.device
    assert (False if known else None) is guest.device.driver


async def test_a_guest_without_a_balloon_has_its_size_and_cannot_be_resized(
    place: Path, listen: Listen
) -> None:
    fake = await listen(place / "a.qmp")
    fake.children["/machine/peripheral"] = []
    del fake.answers["query-balloon"]
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
        assert (None, 256 * MIB) == (guest.device, guest.actual_bytes)
        with pytest.raises(RefusedError, match="no balloon") as refused:
            await hypervisor.set_period(guest.uuid, 1)
    assert "virtio-balloon-pci" in refused.value.hint


@pytest.mark.parametrize(
    ("kind", "obstacle"), [("vfio-pci", Obstacle.PASSTHROUGH), ("vhost-vdpa-device-pci", Obstacle.VHOST_VDPA)]
)
async def test_what_pins_memory_is_an_obstacle(
    place: Path, listen: Listen, kind: str, obstacle: Obstacle
) -> None:
    fake = await listen(place / "a.qmp")
    fake.children["/machine/peripheral-anon"] = [{"name": "device[0]", "type": f"child<{kind}>"}]
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
    assert {obstacle} == guest.obstacles


async def test_plugged_modules_are_part_of_the_maximum_and_what_no_balloon_takes_is_not(
    place: Path, listen: Listen
) -> None:
    fake = await listen(place / "a.qmp")
    fake.answers["query-memory-size-summary"]["plugged-memory"] = 192 * MIB
    fake.answers["query-memory-devices"] = [
        {"type": "dimm", "data": {"size": 128 * MIB}},
        {"type": "virtio-mem", "data": {"size": 64 * MIB}},
    ]
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
    assert 384 * MIB == guest.maximum_bytes


@pytest.mark.parametrize(
    ("status", "migration", "state", "job"),
    [
        ("running", "none", State.RUNNING, None),
        ("running", "active", State.RUNNING, "migration out"),
        ("running", "failed", State.RUNNING, None),
        ("paused", "none", State.PAUSED, None),
        ("prelaunch", "none", State.PAUSED, None),
        ("inmigrate", "none", State.PAUSED, "migration in"),
        ("suspended", "none", State.SUSPENDED, None),
        ("guest-panicked", "none", State.CRASHED, None),
    ],
)
async def test_states_and_jobs(
    place: Path, listen: Listen, status: str, migration: str, state: State, job: str | None
) -> None:
    fake = await listen(place / "a.qmp")
    fake.answers["query-status"]["status"] = status
    fake.answers["query-migrate"] = {"status": migration}
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
    assert (state, job) == (guest.state, guest.job)


async def test_a_guest_without_uuid_has_the_same_one_at_each_of_its_monitors(
    place: Path, listen: Listen
) -> None:
    await listen(place / "a.qmp")
    await listen(place / "a.hand")
    async with opened(place) as first, opened(place, "a.hand") as second:
        [[one], [other]] = [await first.guests(), await second.guests()]
    assert one.uuid == other.uuid
    assert UUID(one.uuid).int


async def test_guests_without_names_go_by_the_open_part_of_their_path(place: Path, listen: Listen) -> None:
    for name in ("web", "api"):
        (place / name).mkdir()
        await listen(place / name / "qmp.sock", name="")
    async with opened(place, "*/qmp.sock") as hypervisor:
        found = await hypervisor.guests()
        assert ["api", "web"] == names(found)
        assert 2 == len({guest.uuid for guest in found})


async def test_sockets_come_and_go_and_that_is_told(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp", "a", FIRST)
    async with opened(place) as hypervisor:
        events = hypervisor.events()
        assert ["a"] == names(await hypervisor.guests())
        await listen(place / "b.qmp", "b", SECOND)
        await until(hypervisor, lambda found: names(found) == ["a", "b"])
        assert ("b", SECOND) == ((event := await next_of(events, EventKind.STARTED)).name, event.uuid)
        await fake.stop()
        assert FIRST == (await next_of(events, EventKind.STOPPED)).uuid
        assert ["b"] == names(await until(hypervisor, lambda found: len(found) == 1))
        assert [] == hypervisor.troubles  # a socket that nobody listens on is left by a QEMU that ended
        (place / "a.qmp").unlink()
        await listen(place / "a.qmp", "c", FIRST)
        await until(hypervisor, lambda found: names(found) == ["b", "c"])
        (place / "b.qmp").unlink()
        assert ["c"] == names(await until(hypervisor, lambda found: len(found) == 1))


async def test_events_of_the_guest_are_passed_on(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp", uuid=FIRST)
    async with opened(place) as hypervisor:
        events = hypervisor.events()
        fake.tell("BALLOON_CHANGE", {"actual": 200 * MIB})
        balloon = await next_of(events, EventKind.BALLOON)
        assert (FIRST, "web", 200 * MIB) == (balloon.uuid, balloon.name, balloon.actual_bytes)
        assert 200 * MIB == (await hypervisor.guests())[0].actual_bytes
        fake.tell("RESET", {"guest": True})
        assert FIRST == (await next_of(events, EventKind.REBOOTED)).uuid
        fake.answers["query-status"]["status"] = "paused"
        fake.tell("STOP")
        await next_of(events, EventKind.PAUSED)
        assert State.PAUSED is (await hypervisor.guests())[0].state
        fake.answers["query-status"]["status"] = "running"
        fake.tell("RESUME")
        await next_of(events, EventKind.RESUMED)
        assert State.RUNNING is (await hypervisor.guests())[0].state
        fake.tell("MIGRATION", {"status": "setup"})
        await next_of(events, EventKind.CHANGED)


async def test_what_no_event_tells_is_read_again_after_a_while(
    place: Path, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "MACHINE_SECONDS", 0.0)
    fake = await listen(place / "a.qmp")
    async with opened(place) as hypervisor:
        await hypervisor.guests()
        fake.properties[BALLOON, "guest-stats-polling-interval"] = 9
        fake.answers["query-migrate"] = {"status": "active"}
        [guest] = await hypervisor.guests()
        assert guest.device
        assert (9, "migration out") == (guest.device.period_seconds, guest.job)


async def test_a_size_is_sent_in_bytes_and_seen_at_the_next_look(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp", uuid=FIRST)
    async with opened(place) as hypervisor:
        await hypervisor.resize(FIRST, 200 * MIB, from_bytes=256 * MIB)
        assert ("balloon", {"value": 200 * MIB}) == fake.said[-1]
        assert 200 * MIB == (await hypervisor.guests())[0].actual_bytes
        with pytest.raises(MovedError):
            await hypervisor.resize(FIRST, 220 * MIB, from_bytes=256 * MIB)
        for size in (0, -1, 256 * MIB + 1):
            with pytest.raises(RefusedError):
                await hypervisor.resize(FIRST, size)
    assert 1 == fake.commands().count("balloon")


async def test_a_guest_that_was_just_resized_is_asked_for_its_size(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp", uuid=FIRST)
    fake.tells = False  # QEMU's events come up to a second late
    async with opened(place) as hypervisor:
        await hypervisor.resize(FIRST, 200 * MIB)
        fake.answers["query-balloon"]["actual"] = 240 * MIB
        assert 240 * MIB == (await hypervisor.guests())[0].actual_bytes
        fake.answers["query-balloon"]["actual"] = 200 * MIB
        assert 200 * MIB == (await hypervisor.guests())[0].actual_bytes
        fake.said.clear()
        await hypervisor.guests()
        assert "query-balloon" not in fake.commands()


async def test_statistics_that_changed_since_the_last_look_are_younger_than_that(
    place: Path, listen: Listen
) -> None:
    fake = await listen(place / "a.qmp")
    fake.told_at = 1_700_000_000
    async with opened(place) as hypervisor:
        [first] = await hypervisor.guests()
        fake.stats["stat-free-memory"] -= MIB
        [second] = await hypervisor.guests()
    assert 1_700_000_000 == first.statistics.last_update
    assert first.read_at == second.statistics.last_update


async def test_statistics_are_asked_for_now_by_switching_the_period_on(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp", uuid=FIRST)
    async with opened(place) as hypervisor:
        await hypervisor.refresh(FIRST)
        values = [arguments["value"] for command, arguments in fake.said if command == "qom-set"]
        assert [0, 2] == values
        await hypervisor.set_period(FIRST, 5)
        assert 5 == fake.properties[BALLOON, "guest-stats-polling-interval"]


async def test_nothing_is_stored_for_the_next_start(place: Path, listen: Listen) -> None:
    await listen(place / "a.qmp", uuid=FIRST)
    async with opened(place) as hypervisor:
        for change in (
            hypervisor.resize(FIRST, 200 * MIB, live=False, config=True),
            hypervisor.resize(FIRST, 200 * MIB, config=True),
            hypervisor.set_period(FIRST, 1, config=True),
            hypervisor.set_maximum(FIRST, 200 * MIB),
        ):
            with pytest.raises(RefusedError) as refused:
                await change
            assert "-m" in refused.value.hint


async def test_a_read_only_connection_changes_nothing(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp", uuid=FIRST)
    async with opened(place, read_only=True) as hypervisor:
        assert (await hypervisor.facts()).read_only
        for change in (hypervisor.resize(FIRST, 200 * MIB), hypervisor.set_period(FIRST, 1)):
            with pytest.raises(NotPermittedError):
                await change
    assert not {"balloon", "qom-set"} & set(fake.commands())


# --- trouble --------------------------------------------------------------------------------------


async def raised(call: Awaitable[object]) -> HypervisorError:
    with pytest.raises(HypervisorError) as failure:
        await call
    assert failure.value.hint
    return failure.value


@pytest.mark.usefixtures("soon")
async def test_a_monitor_that_somebody_else_uses_costs_its_own_guest_only(
    place: Path, listen: Listen
) -> None:
    await listen(place / "a.qmp", "a", FIRST)
    await listen(place / "b.qmp", "b", SECOND)
    reader, writer = await asyncio.open_unix_connection(place / "b.qmp")
    await reader.readline()
    async with opened(place) as hypervisor:
        events = hypervisor.events()
        one, other = await until(hypervisor, lambda found: found[0].job is None)
        assert "a" == one.name
        assert ("b", "no answer", State.UNKNOWN) == (other.name, other.job, other.state)
        [trouble] = hypervisor.troubles
        assert "is in use" in trouble.message
        assert "-qmp" in trouble.hint
        assert "is in use" in (await next_of(events, EventKind.LOST)).text
        assert "is in use" in (await raised(hypervisor.guest("b"))).message
        assert "is in use" in (await raised(hypervisor.resize(other.uuid, 200 * MIB))).message
        writer.close()
        await until(hypervisor, lambda found: [guest.job for guest in found] == [None, None])
        assert [] == hypervisor.troubles


async def test_a_monitor_that_hangs_costs_one_look_some_time_and_comes_back(
    place: Path, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = await listen(place / "a.qmp", uuid=FIRST)
    async with opened(place) as hypervisor:
        events = hypervisor.events()
        await hypervisor.guests()
        fake.hangs = True
        monkeypatch.setattr(adapter, "PATIENCE_SECONDS", 0.2)
        [guest] = await hypervisor.guests()
        assert (FIRST, State.RUNNING, "no answer") == (guest.uuid, guest.state, guest.job)
        assert 100 * MIB == guest.statistics.unused_bytes
        assert "did not answer" in (await next_of(events, EventKind.LOST)).text
        monkeypatch.setattr(adapter, "PATIENCE_SECONDS", 3600.0)  # and nobody is patient with it twice
        async with asyncio.timeout(60):
            assert "no answer" == (await hypervisor.guests())[0].job
        assert 1 == hypervisor.timeouts["reading"]
        fake.hangs = False
        fake.drop()
        await until(hypervisor, lambda found: [guest.job for guest in found] == [None])


@pytest.mark.usefixtures("soon")
async def test_a_monitor_that_takes_us_and_says_nothing_is_not_said_to_be_in_use(
    place: Path, listen: Listen
) -> None:
    fake = await listen(place / "a.qmp")
    fake.greeting = b""
    async with opened(place) as hypervisor:
        [trouble] = hypervisor.troubles
        assert "does not answer" in trouble.message


@pytest.mark.usefixtures("soon")
async def test_a_monitor_that_greets_and_then_hangs_is_shown_with_that(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp", uuid=FIRST)
    fake.hangs = True
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
        assert ("a", "no answer") == (guest.name, guest.job)
        assert "did not answer" in hypervisor.troubles[0].message


async def test_a_change_that_is_not_answered_ends_at_its_deadline(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp", uuid=FIRST)
    async with opened(place) as hypervisor:
        await hypervisor.guests()
        hypervisor._deadline_seconds = 0.1
        fake.hangs = True
        with pytest.raises(DeadlineError, match="resizing web"):
            await hypervisor.resize(FIRST, 200 * MIB)
        assert 1 == hypervisor.timeouts["resizing"]


@pytest.mark.parametrize(
    "greeting",
    [
        b"QEMU 7.2.22 monitor - type 'help' for more information\r\n",
        b"{}\r\n",
        b'{"QMP": 7}\r\n',
        b"[" * 100_000 + b"\r\n",
        b"\xff\xfe\r\n",
    ],
)
async def test_what_speaks_no_qmp_is_shown_with_that(place: Path, listen: Listen, greeting: bytes) -> None:
    fake = await listen(place / "a.qmp")
    fake.greeting = greeting
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
        assert ("a", "no answer") == (guest.name, guest.job)
        [trouble] = hypervisor.troubles
        assert "does not speak QMP" in trouble.message
        assert "-qmp" in trouble.hint


@pytest.mark.parametrize(
    "raw",
    [
        b"no JSON\r\n",
        b'{"return": 1, "id": []}\r\n',
        b"[1]\r\n",
        b"[" * 100_000 + b"\r\n",
        b'{"return": 1, "id": 7}\r\n{"error": 1}\r\n',
    ],
)
async def test_a_monitor_that_begins_to_talk_rubbish_keeps_its_guest(
    place: Path, listen: Listen, raw: bytes
) -> None:
    fake = await listen(place / "a.qmp", uuid=FIRST)
    async with opened(place) as hypervisor:
        await hypervisor.guests()
        fake.raw = raw
        [guest] = await until(hypervisor, lambda found: bool(hypervisor.troubles))
        assert (FIRST, "no answer") == (guest.uuid, guest.job)
        fake.raw = None
        await until(hypervisor, lambda found: [guest.job for guest in found] == [None])


@pytest.mark.parametrize("rubbish", [None, 7, "word", [], [7], {}, {"stats": 3, "actual": "x"}, -1, 1e300])
async def test_answers_of_another_shape_are_unknown(place: Path, listen: Listen, rubbish: object) -> None:
    fake = await listen(place / "a.qmp")
    fake.answers |= dict.fromkeys(fake.answers, rubbish)
    fake.properties |= dict.fromkeys(fake.properties, rubbish)
    fake.properties[BALLOON, "guest-stats"] = rubbish
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
    assert "a" == guest.name
    assert (None, None) == (guest.maximum_bytes, guest.actual_bytes)
    assert State.UNKNOWN is guest.state


async def test_two_guests_of_one_uuid_are_not_mixed_up(
    place: Path, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = iter((101, 102))
    monkeypatch.setattr(process, "listener", lambda _: next(processes))
    first = await listen(place / "a.qmp", "a", FIRST)
    await listen(place / "b.qmp", "b", FIRST)
    async with opened(place) as hypervisor:
        assert ["a"] == names(await hypervisor.guests())
        [trouble] = hypervisor.troubles
        assert "same UUID" in trouble.message
        await hypervisor.resize(FIRST, 200 * MIB)
    assert "balloon" in first.commands()


async def test_two_monitors_of_one_guest_are_one_guest(place: Path, listen: Listen) -> None:
    await listen(place / "a.qmp", "a", FIRST)
    await listen(place / "b.qmp", "a", FIRST)
    async with opened(place) as hypervisor:
        assert ["a"] == names(await hypervisor.guests())
        assert [] == hypervisor.troubles


async def test_of_two_guests_of_one_name_none_is_guessed(place: Path, listen: Listen) -> None:
    await listen(place / "a.qmp", "a", FIRST)
    await listen(place / "b.qmp", "a", SECOND)
    async with opened(place) as hypervisor:
        with pytest.raises(UsageError) as refused:
            await hypervisor.guest("a")
        assert SECOND in refused.value.hint
        assert SECOND == (await hypervisor.guest(SECOND)).uuid


async def test_a_guest_that_was_started_again_is_found_by_its_name(place: Path, listen: Listen) -> None:
    fake = await listen(place / "a.qmp", "a", FIRST)
    async with opened(place) as hypervisor:
        assert FIRST == (await hypervisor.guest("a")).uuid
        await fake.stop()
        (place / "a.qmp").unlink()
        await listen(place / "a.qmp", "a", SECOND)
        await until(hypervisor, lambda found: [guest.uuid for guest in found] == [SECOND])
        assert SECOND == (await hypervisor.guest("a")).uuid
        with pytest.raises(NoSuchGuestError):
            await hypervisor.guest(FIRST)


async def test_a_socket_that_can_never_come_is_refused_at_once(place: Path) -> None:
    (place / "file").touch()
    for pattern, problem in (
        ("a.qmp", "there is no socket"),
        ("file", "is no socket"),
        ("no/*.qmp", "there is no directory"),
    ):
        with pytest.raises(HypervisorError, match=problem) as refused:
            await QmpHypervisor.open(f"qmp:{place}/{pattern}")
        assert refused.value.hint
    async with opened(place) as hypervisor:
        assert [] == await hypervisor.guests()


async def test_an_unknown_guest_is_named_with_what_is_near(place: Path, listen: Listen) -> None:
    await listen(place / "a.qmp")
    async with opened(place) as hypervisor:
        with pytest.raises(NoSuchGuestError) as near:
            await hypervisor.guest("wep")
    assert "web" in near.value.hint


async def test_sockets_that_may_not_be_used_are_no_permission(
    place: Path, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    await listen(place / "a.qmp")
    monkeypatch.setattr(socket.socket, "connect", deny)  # root may use every socket
    with pytest.raises(NotPermittedError) as refused:
        await QmpHypervisor.open(f"qmp:{place}/*.qmp")
    assert refused.value.hint
