"""Agents without libvirt: found through the monitor, asked through a socket, and left between questions."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from agent_socket import MARK, AgentSocket
from fuzzing import fuzzed, well_said
from guest_agent import Agent
from hypothesis import given
from hypothesis import strategies as st
from monitors import FakeMonitor

from ballonet.engine.ports import ListensToAgents
from ballonet.errors import BallonetError, DeadlineError, HypervisorError, NotPermittedError, RefusedError
from ballonet.facts.agent import Channel
from ballonet.facts.guest import Guest
from ballonet.hypervisor.agent import LONGEST
from ballonet.hypervisor.agents import hear
from ballonet.hypervisor.qmp import QmpHypervisor, adapter, agent_line, monitor, process
from ballonet.hypervisor.qmp.agent_line import SKIPPED_BYTES, talking

UUID = "11111111-1111-4111-8111-111111111111"
SECOND = "22222222-2222-4222-8222-222222222222"
# What somebody else asked for, and did not wait for.
LEFT = b'{"return": {"count": 3, "buf-b64": "AAAA"}}\n' + MARK + b'{"return": 7}\n{"return": 1'


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a directory for sockets; tmp_path is too long for their names."""
    with tempfile.TemporaryDirectory(prefix="ga-") as directory:
        yield Path(directory)


@pytest.fixture
async def agent(place: Path) -> AsyncIterator[AgentSocket]:
    found = await AgentSocket(place / "web.agent").start()
    yield found
    await found.stop()


@pytest.fixture
async def qemu(place: Path) -> AsyncIterator[FakeMonitor]:
    """Return the monitor of a guest whose port leads to `web.agent`."""
    found = FakeMonitor(place / "web.qmp", "web", UUID)
    found.give_port({"type": "unix", "path": str(place / "web.agent")})
    await found.start()
    yield found
    await found.stop()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "GREETING_SECONDS", 30.0)  # on a busy machine nobody is late
    monkeypatch.setattr(adapter, "PATIENCE_SECONDS", 30.0)
    monkeypatch.setattr(agent_line, "ANSWER_SECONDS", 30.0)
    monkeypatch.setattr("ballonet.hypervisor.agents.DEADLINE_SECONDS", 60.0)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have who says nothing be given up soon."""
    monkeypatch.setattr(agent_line, "ANSWER_SECONDS", 0.2)


@asynccontextmanager
async def opened(place: Path, **more: bool) -> AsyncIterator[QmpHypervisor]:
    hypervisor = await QmpHypervisor.open(f"qmp:{place}/*.qmp", deadline_seconds=10.0, **more)
    try:
        yield hypervisor
    finally:
        await hypervisor.close()


async def refused(hypervisor: QmpHypervisor, uuid: str = UUID) -> BallonetError:
    """Return why an agent told nothing."""
    await hypervisor.guests()
    with pytest.raises(BallonetError) as failure:
        await hypervisor.hear(uuid)
    well_said(failure.value)
    return failure.value


async def heard(hypervisor: QmpHypervisor) -> Guest:
    """Look until what the guest's agent told is seen."""
    async with asyncio.timeout(60):
        while (guest := (await hypervisor.guests())[0]).heard is None:  # noqa: ASYNC110 - told beside looks
            await asyncio.sleep(0.01)
    return guest


# --- where it is --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("agent")
async def test_the_monitor_says_which_socket_leads_to_the_agent(place: Path, qemu: FakeMonitor) -> None:
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
        told = await hypervisor.hear(guest.uuid)
    assert Channel.CONNECTED is guest.channel
    assert 2.5 == told.waited_seconds_total
    assert ("qom-get", {"path": "/machine/peripheral/agent0", "property": "name"}) in qemu.said


@pytest.mark.parametrize(
    ("is_open", "channel"),
    [(True, Channel.CONNECTED), (False, Channel.DISCONNECTED), (None, Channel.UNKNOWN), (1, Channel.UNKNOWN)],
)
async def test_who_is_at_the_guests_end_is_said_as_far_as_qemu_does(
    place: Path, qemu: FakeMonitor, is_open: object, channel: Channel
) -> None:
    qemu.answers["query-chardev"][0]["frontend-open"] = is_open
    async with opened(place) as hypervisor:
        [guest] = await hypervisor.guests()
    assert channel is guest.channel


async def test_an_agent_that_comes_or_goes_is_seen_at_the_next_look(place: Path, qemu: FakeMonitor) -> None:
    async with opened(place) as hypervisor:
        await hypervisor.guests()
        qemu.answers["query-chardev"][0]["frontend-open"] = False
        qemu.tell("VSERPORT_CHANGE", {"id": "agent0", "open": False})
        async with asyncio.timeout(60):
            while (await hypervisor.guests())[0].channel is not Channel.DISCONNECTED:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.mark.usefixtures("agent")
async def test_a_path_that_is_not_whole_begins_where_qemu_runs(
    place: Path, qemu: FakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "has_thread", lambda *_: True)
    monkeypatch.setattr(process, "directory", lambda own: str(place) if own == os.getpid() else "/")
    qemu.give_port({"type": "unix", "path": "web.agent"})
    async with opened(place) as hypervisor:
        await hypervisor.guests()
        assert 2.5 == (await hypervisor.hear(UUID)).waited_seconds_total


async def test_a_guest_without_a_port_for_an_agent_has_none(place: Path, qemu: FakeMonitor) -> None:
    qemu.properties["/machine/peripheral/agent0", "name"] = "com.redhat.spice.0"
    async with opened(place) as hypervisor:
        assert "no port for an agent" in (await refused(hypervisor)).message
        assert [None] == [guest.channel for guest in await hypervisor.guests()]
        assert "no port for an agent" in (await refused(hypervisor, SECOND)).message


@pytest.mark.parametrize(
    "address",
    [
        {"type": "inet", "host": "127.0.0.1", "port": "4444"},
        {"type": "unix", "path": "web.agent"},  # of a process that is not known to be its QEMU
        {"type": "unix", "path": "/run/a\nb"},
        {"type": "unix", "path": "/run/\ud800"},
        {"type": "unix", "path": "/run/vms", "abstract": True},
        {"type": "unix", "path": 7},
        [],
        None,
    ],
)
async def test_a_port_that_leads_to_no_socket_here_is_said_to(
    place: Path, qemu: FakeMonitor, address: object
) -> None:
    qemu.give_port(address)
    async with opened(place) as hypervisor:
        failure = await refused(hypervisor)
    assert "no unix socket with a whole path" in failure.message
    assert "virtserialport" in failure.hint


async def test_an_agent_that_is_not_there_is_not_waited_for(place: Path, qemu: FakeMonitor) -> None:
    qemu.answers["query-chardev"][0]["frontend-open"] = False
    async with opened(place) as hypervisor:
        failure = await refused(hypervisor)
    assert "no agent is connected" in failure.message
    assert "systemctl status qemu-guest-agent" in failure.hint


@pytest.mark.usefixtures("agent")
async def test_a_socket_of_another_process_is_not_written_to(
    place: Path, qemu: FakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guest that broke into its QEMU would have it say any path, as of a daemon that takes orders."""
    listeners = iter([os.getpid(), 1])
    monkeypatch.setattr(process, "listener", lambda _: next(listeners))
    async with opened(place) as hypervisor:
        assert "another process listens" in (await refused(hypervisor)).message
    assert qemu.said


@pytest.mark.parametrize("path", ["no.agent", "x" * 200])
async def test_a_socket_that_is_gone_is_said_to_be(place: Path, qemu: FakeMonitor, path: str) -> None:
    qemu.give_port({"type": "unix", "path": f"{place}/{path}"})
    async with opened(place) as hypervisor:
        assert f"{place}/{path}" in (await refused(hypervisor)).message


@pytest.mark.usefixtures("agent", "qemu")
async def test_over_a_read_only_connection_no_agent_is_asked(place: Path) -> None:
    async with opened(place, read_only=True) as hypervisor:
        failure = await refused(hypervisor)
    assert isinstance(failure, RefusedError)
    assert "--read-only" in failure.hint


# --- asking it -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("qemu")
async def test_looks_show_what_it_told_and_only_of_those_that_are_wanted(
    place: Path, agent: AgentSocket
) -> None:
    async with opened(place) as hypervisor:
        await hypervisor.guests()
        assert 0 == agent.clients
        assert isinstance(hypervisor, ListensToAgents)  # by which a service knows that it can
        hypervisor.listen(lambda guest: guest.name == "web")
        guest = await heard(hypervisor)
        assert guest.heard
        assert 2.5 == guest.heard.waited_seconds_total
        hypervisor.listen(lambda _: False)
        assert [None] == [guest.heard for guest in await hypervisor.guests()]


async def test_between_two_questions_others_may_have_the_agent(place: Path, agent: AgentSocket) -> None:
    for _ in range(2):
        told, _ = await hear(talking(str(agent.path), os.getpid()))
        assert 2.5 == told.waited_seconds_total
        reader, writer = await asyncio.open_unix_connection(agent.path)
        writer.write(b'{"execute": "guest-info"}\n')
        assert b"supported_commands" in await reader.readline()
        writer.close()
    assert 4 == agent.clients
    assert not agent.agent.open


@pytest.mark.parametrize("first", [LEFT, b"\xff\xff\n\xff{}\n", b"x" * LONGEST * 2, b"[" * 50_000 + b"\n"])
async def test_what_others_left_in_the_line_is_skipped(agent: AgentSocket, first: bytes) -> None:
    agent.first = first
    told, _ = await hear(talking(str(agent.path), os.getpid()))
    assert 2.5 == told.waited_seconds_total


@pytest.mark.usefixtures("soon")
async def test_one_that_somebody_else_talks_to_is_said_to_be_in_use(place: Path, agent: AgentSocket) -> None:
    _, writer = await asyncio.open_unix_connection(agent.path)
    waiting: list[asyncio.StreamWriter] = []
    for _ in range(3):  # the second fills the line of those who wait
        with pytest.raises(HypervisorError, match="in use: another client is connected") as failure:
            await hear(talking(str(agent.path), os.getpid()))
        assert f"ss -xp | grep {agent.path}" in failure.value.hint
        if not waiting:
            waiting.append((await asyncio.open_unix_connection(agent.path))[1])
    waiting[0].close()
    writer.close()
    async with asyncio.timeout(60):
        while not agent.agent.asked:
            try:
                await hear(talking(str(agent.path), os.getpid()))
            except HypervisorError:
                await asyncio.sleep(0.01)


@pytest.mark.usefixtures("soon")
async def test_one_that_hangs_is_given_up_and_what_it_says_later_is_no_answer(agent: AgentSocket) -> None:
    agent.agent.hangs = {"guest-file-read"}
    with pytest.raises(DeadlineError, match="did not answer"):
        await hear(talking(str(agent.path), os.getpid()))


@pytest.mark.usefixtures("soon")
async def test_an_answer_that_comes_late_is_not_taken_for_that_to_the_next_request(
    agent: AgentSocket,
) -> None:
    come = asyncio.Event()
    agent.agent.waits_for["guest-info"] = come
    async with talking(str(agent.path), os.getpid()) as ask:
        await ask(json.dumps({"execute": "guest-file-close", "arguments": {"handle": 7}}))
        with pytest.raises(DeadlineError):
            await ask(json.dumps({"execute": "guest-info"}))
        come.set()
        opened_file = {"execute": "guest-file-open", "arguments": {"path": "/proc/meminfo"}}
        assert {"return": 1001} == json.loads(await ask(json.dumps(opened_file)))


async def test_one_that_hangs_up_is_said_to(agent: AgentSocket) -> None:
    agent.ends = True
    with pytest.raises(HypervisorError, match="hung up") as failure:
        await hear(talking(str(agent.path), os.getpid()))
    well_said(failure.value)


@pytest.mark.parametrize("raw", [b"no JSON\n", b"\xff\xfe\n", b"[]\n", b"x" * 2 * LONGEST + b"\n"])
async def test_one_that_answers_nonsense_is_refused(agent: AgentSocket, raw: bytes) -> None:
    agent.raw = raw
    with pytest.raises(HypervisorError, match="nonsense") as failure:
        await hear(talking(str(agent.path), os.getpid()))
    well_said(failure.value)


async def test_one_that_sends_without_end_is_left(agent: AgentSocket) -> None:
    agent.first = b"x" * (SKIPPED_BYTES + 2 * LONGEST)
    with pytest.raises(HypervisorError, match="nonsense"):
        await hear(talking(str(agent.path), os.getpid()))


async def test_a_socket_that_may_not_be_used_is_no_permission(
    agent: AgentSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", deny)  # root may use every socket
    with pytest.raises(NotPermittedError):
        await hear(talking(str(agent.path), os.getpid()))


@pytest.mark.usefixtures("soon", "qemu")
async def test_an_agent_that_hangs_costs_no_look_anything(
    place: Path, agent: AgentSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_line, "ANSWER_SECONDS", 30.0)
    agent.agent.hangs = {"guest-info"}
    async with opened(place) as hypervisor:
        hypervisor.listen(lambda _: True)
        await hypervisor.guests()
        async with asyncio.timeout(60):
            while not agent.agent.asked:  # noqa: ASYNC110 - asked beside looks
                await asyncio.sleep(0.01)
            [guest] = await hypervisor.guests()
    assert (None, None) == (guest.heard, guest.job)
    assert not [task for task in asyncio.all_tasks() if "Agents" in repr(task)]  # nobody asks on


rubbish = st.binary(max_size=40) | st.sampled_from(
    [
        MARK,
        b"\n",
        b'{"return": 1}\n',
        b'{"error": {"desc": "no"}}\n',
        b'{"return": {"buf-b64": "AA=="}}\n',
        LEFT,
    ]
)


@fuzzed
@given(st.lists(rubbish, max_size=6), st.none() | st.lists(rubbish, max_size=4))
async def test_whatever_comes_through_the_socket_is_heard_or_an_error_with_a_remedy(
    first: list[bytes], raw: list[bytes] | None
) -> None:
    with tempfile.TemporaryDirectory(prefix="ga-") as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent_line, "ANSWER_SECONDS", 0.02)
        patch.setattr("ballonet.hypervisor.agent.EXEC_SECONDS", 0.0)
        found = AgentSocket(Path(place) / "a", Agent())
        found.first = b"".join(first)
        found.raw = None if raw is None else b"".join(raw)
        await found.start()
        try:
            told, _ = await hear(talking(str(found.path), os.getpid()))
            assert told.waited_seconds_total in {None, 2.5}
        except BallonetError as error:
            well_said(error)
        finally:
            await found.stop()
