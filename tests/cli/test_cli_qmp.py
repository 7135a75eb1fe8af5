"""Commands on QEMU's monitors, as their users run them."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from monitors import FakeMonitor
from running import HOST, two_lines

from ballonet.extras import remedy
from ballonet.service.claim import Claim
from ballonet.units import MIB

FIRST = "11111111-1111-4111-8111-111111111111"
Answer = subprocess.CompletedProcess[str]


class Place:
    """A directory with the monitor of a guest, web."""

    def __init__(self, directory: Path, monitor: FakeMonitor) -> None:
        self.directory = directory
        self.uri = f"qmp:{directory}/*.qmp"
        self.monitor = monitor

    async def run(self, *words: str) -> Answer:
        """Run the command while the monitors of this process answer it."""
        command = [sys.executable, "-m", "ballonet", "-c", self.uri, *words]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        out, err = await process.communicate()
        return Answer(command, process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    with tempfile.TemporaryDirectory(prefix="qmp-") as directory:
        monitor = await FakeMonitor(Path(directory) / "web.qmp", uuid=FIRST).start()
        yield Place(Path(directory), monitor)
        await monitor.stop()


async def test_guests_are_shown_and_resized(place: Place) -> None:
    shown = await place.run("guests")
    assert (0, "") == (shown.returncode, shown.stderr)
    assert "managed" in shown.stdout
    done = await place.run("set", "web", "200M", "--wait", "10s")
    assert "200 MiB reached" in done.stdout
    assert 0 == (await place.run("period", "web", "7s")).returncode
    found = json.loads((await place.run("-o", "json", "show", "web")).stdout)["guest"]
    assert (FIRST, 200 * MIB, 7) == (found["uuid"], found["actual_bytes"], found["stats_period_seconds"])


async def test_a_monitor_in_use_is_a_line_a_hint_and_a_finding(place: Place) -> None:
    reader, writer = await asyncio.open_unix_connection(place.monitor.path)
    await reader.readline()
    shown = await place.run("guests")
    assert 0 == shown.returncode
    assert "busy" in shown.stdout
    wrong, hint = shown.stderr.splitlines()
    assert wrong.startswith("ballonet: ")
    assert "in use" in wrong
    assert "one more monitor" in hint
    assert (1, True) == ((one := await place.run("show", "web")).returncode, "in use" in two_lines(one)[0])
    found = await place.run("doctor")
    assert 1 == found.returncode
    assert "in use" in found.stdout
    writer.close()


async def test_they_share_a_table_and_a_budget_with_libvirts(place: Place, tmp_path: Path) -> None:
    (tmp_path / "host.xml").write_text(HOST)
    other = f"test://{tmp_path}/host.xml"
    rows = json.loads((await place.run("-c", other, "-o", "json", "guests")).stdout)["guests"]
    # The test driver has a guest of the same UUID, and one of the same name.
    assert {("web", place.uri), ("bare", other), ("locked", other)} == {
        (row["name"], row["hypervisor"]) for row in rows
    }
    ran = await place.run("-c", other, "run", "--for", "3s", "--budget", "2G", "--boot-grace", "0s")
    assert 0 == ran.returncode
    assert "same UUID" in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "words",
    [("set", "web", "200M", "--config"), ("set-max", "web", "1G", "--config"), ("set-max", "web", "1G")],
)
async def test_what_qemu_alone_cannot_do_is_refused(place: Place, words: tuple[str, ...]) -> None:
    refused = await place.run(*words)
    assert 5 == refused.returncode
    assert "ballonet set-max" not in two_lines(refused)[1]
    assert not {"balloon", "qom-set"} & set(place.monitor.commands())


async def test_where_no_socket_can_come_that_is_said(place: Place) -> None:
    place.uri = f"qmp:{place.directory}/no/*.qmp"
    assert "there is no directory" in two_lines(await place.run("guests"))[0]
    place.uri = "qmp:"
    refused = await place.run("guests")
    assert 2 == refused.returncode
    assert "qmp:/run/vms/" in two_lines(refused)[1]


async def test_the_library_is_named_where_it_is_missing(place: Place) -> None:
    blocked = "import sys; sys.modules['qemu.qmp'] = None; from ballonet.cli import main; main()"
    command = [sys.executable, "-c", blocked, "-c", place.uri, "guests"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    wrong, hint = two_lines(Answer(command, process.returncode or 0, out.decode(), err.decode()))
    assert 1 == process.returncode
    assert "not installed" in wrong
    assert remedy("qmp") in hint


async def test_one_service_at_a_time_resizes_the_guests_of_a_pattern(place: Place, tmp_path: Path) -> None:
    claim = Claim([f"qmp:{place.directory}/../{place.directory.name}/*.qmp"])
    claim.take()
    try:
        second = await place.run(
            "run", "--enforce", "--for", "2s", "--budget", "1G", "--state", str(tmp_path / "state"),
            "--socket", str(place.directory / "api"),
        )  # fmt: skip
    finally:
        claim.drop()
    assert "resizes the guests of" in second.stderr
    assert "balloon" not in place.monitor.commands()


async def test_a_service_resizes_the_guests(place: Place, tmp_path: Path) -> None:
    place.monitor.answers["query-memory-size-summary"]["base-memory"] = 1024 * MIB
    place.monitor.answers["query-balloon"]["actual"] = 1024 * MIB
    place.monitor.stats |= {
        "stat-free-memory": 700 * MIB,
        "stat-available-memory": 750 * MIB,
        "stat-total-memory": 980 * MIB,
    }
    ran = await place.run(
        "run", "--enforce", "--for", "6s", "--budget", "512M", "--boot-grace", "0s",
        "--state", str(tmp_path / "state"), "--socket", str(place.directory / "api"),
    )  # fmt: skip
    assert 0 == ran.returncode
    assert "Traceback" not in ran.stderr
    assert "Balancing the guests of" in ran.stderr
    assert "balloon" in place.monitor.commands()
