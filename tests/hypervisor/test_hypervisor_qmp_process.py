"""What the kernel tells of a guest's process: of this one, and of what only looks like one."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from monitors import FakeMonitor

from ballonet.facts.guest import Obstacle
from ballonet.hypervisor.qmp import QmpHypervisor, process
from ballonet.units import MIB

NOBODY = 2**22 + 1  # no process of Linux has such an id


def test_who_listens_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as connecting:
        listening.bind("a")
        listening.listen()
        connecting.connect("a")
        assert os.getpid() == process.listener(connecting)


def test_the_directory_of_a_process_is_known_or_is_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (str(tmp_path), "/") == (process.directory(os.getpid()), process.directory(NOBODY))


def test_threads_are_those_of_their_process() -> None:
    assert process.has_thread(os.getpid(), threading.get_native_id())
    assert not process.has_thread(os.getpid(), 1)
    assert not process.has_thread(NOBODY, NOBODY)


def test_time_that_threads_ran() -> None:
    own = threading.get_native_id()
    before = process.thread_seconds(os.getpid(), [own])
    until = time.thread_time() + 0.05
    while time.thread_time() < until:
        pass
    after = process.thread_seconds(os.getpid(), [own])
    assert before is not None
    assert after is not None
    assert after - before >= 0.04
    assert process.thread_seconds(os.getpid(), []) is None
    assert process.thread_seconds(os.getpid(), [own, 1]) is None


def test_resident_memory() -> None:
    resident = process.resident_bytes(os.getpid())
    assert resident is not None
    assert 10 * MIB < resident < 10_000 * MIB
    assert process.resident_bytes(NOBODY) is None


def test_what_is_stopped() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as sleeping:
        assert not process.is_stopped(sleeping.pid)
        sleeping.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, sleeping.pid, os.WSTOPPED)
        assert process.is_stopped(sleeping.pid)
        assert ["import time; time.sleep(60)"] == process.words(sleeping.pid)[2:]
        sleeping.kill()
    assert not process.is_stopped(NOBODY)
    assert [] == process.words(NOBODY)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (["qemu", "-name", "web", "-m", "1"], "web"),
        (["qemu", "--name", "web"], "web"),
        (["qemu", "-name"], ""),
        (["qemu", "-names", "web"], ""),
        ([], ""),
    ],
)
def test_options_of_a_command_line(line: list[str], found: str) -> None:
    assert found == process.option(line, "name")


def test_what_a_process_keeps_is_nothing_where_it_keeps_nothing() -> None:
    assert process.Kept() == process.kept(NOBODY)
    assert 0 == process.kept(os.getpid()).huge


# --- and what becomes of it in a row ------------------------------------------------------------------


@pytest.fixture
async def monitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeMonitor]:
    monkeypatch.chdir(tmp_path)  # the whole path is too long for a socket's name
    found = await FakeMonitor(Path("a.qmp")).start()
    found.answers["query-cpus-fast"] = [{"thread-id": os.getpid()}, {"thread-id": threading.get_native_id()}]
    yield found
    await found.stop()


@pytest.mark.usefixtures("monitor")
async def test_the_process_that_runs_the_guest_tells_its_resident_memory_and_time() -> None:
    hypervisor = await QmpHypervisor.open("qmp:./a.qmp")
    [guest] = await hypervisor.guests()
    assert {guest.uuid: os.getpid()} == hypervisor.processes
    assert os.getpid() == guest.id
    assert (guest.statistics.rss_bytes or 0) > 10 * MIB
    assert (guest.vcpu_seconds_total or 0.0) > 0.0
    assert 2 == guest.vcpus
    await hypervisor.close()


async def test_a_process_that_only_opened_the_socket_is_not_the_guests(monitor: FakeMonitor) -> None:
    monitor.answers["query-cpus-fast"] = [{"thread-id": 1}]
    hypervisor = await QmpHypervisor.open("qmp:./a.qmp")
    [guest] = await hypervisor.guests()
    assert {} == hypervisor.processes
    assert (None, None) == (guest.statistics.rss_bytes, guest.vcpu_seconds_total)
    await hypervisor.close()


@pytest.mark.usefixtures("monitor")
@pytest.mark.parametrize(
    ("kept", "obstacles"),
    [
        (process.Kept(locked=250 * MIB), {Obstacle.LOCKED}),
        (process.Kept(pinned=250 * MIB), {Obstacle.VHOST_VDPA}),
        (process.Kept(huge=2 * MIB), {Obstacle.HUGEPAGES}),
        (process.Kept(locked=8 * MIB, pinned=8 * MIB), set()),
    ],
)
async def test_memory_that_the_host_cannot_get_back_is_an_obstacle(
    kept: process.Kept, obstacles: set[Obstacle], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "kept", lambda _: kept)
    hypervisor = await QmpHypervisor.open("qmp:./a.qmp")
    [guest] = await hypervisor.guests()
    assert obstacles == guest.obstacles
    await hypervisor.close()
