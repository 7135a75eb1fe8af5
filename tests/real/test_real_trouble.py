"""The commands by hand on guests that hang, end, wait in their firmware, or run under no daemon."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts import OFF
from running import Run, two_lines
from subjects import MAXIMUM_BYTES, Machine

from ballonet.lab import reaper
from ballonet.units import KIB, MIB

pytestmark = pytest.mark.real

COMMAND = [sys.executable, "-m", "ballonet"]


@pytest.fixture
def on(machine: Machine, ballonet: Run) -> Run:
    """Return a function that runs the command on the real guests."""
    return lambda *words: ballonet("-c", machine.daemon.uri, *words)


def sizes(machine: Machine, *words: str) -> tuple[int, int]:
    """Return the maximum and the size of "off": those of now, or with "--inactive" the stored ones."""
    domain = machine.definition("off", *words)
    return tuple(KIB * int(domain.findtext(tag) or 0) for tag in ("memory", "currentMemory"))  # type: ignore[return-value]


def found(output: str) -> set[tuple[str, str]]:
    return {(finding["subject"], finding["code"]) for finding in json.loads(output)["findings"]}


# --- a guest that runs nothing but its firmware, and is stored ----------------------------------------


@pytest.fixture
def started(machine: Machine) -> Iterator[None]:
    """Have the guest "off" run: there is nothing that it could boot."""
    machine.daemon.virsh("start", "off")
    yield
    machine.daemon.virsh("destroy", "off", check=False)
    machine.daemon.virsh("setmaxmem", "off", "256M", "--config")
    machine.daemon.virsh("setmem", "off", "256M", "--config")
    machine.daemon.virsh("dommemstat", "off", "--period", "1", "--config")


@pytest.mark.usefixtures("started")
def test_a_running_guest_and_its_next_start_are_changed_apart_or_together(machine: Machine, on: Run) -> None:
    told = on("set-max", "off", "300MiB", "--config")
    assert "off: 300 MiB at most from its next start; it runs on with 256 MiB at most\n" == told.stdout
    assert (300 * MIB, MAXIMUM_BYTES) == sizes(machine, "--inactive")
    assert MAXIMUM_BYTES == sizes(machine)[0]

    assert 0 == on("set", "off", "300MiB", "--config").returncode
    assert (300 * MIB, 300 * MIB) == sizes(machine, "--inactive")
    refused = on("set", "off", "290MiB", "--live", "--config")
    assert (5, "above the maximum of guest 'off', 256MiB") == (refused.returncode, two_lines(refused)[0][10:])
    assert (300 * MIB, 300 * MIB) == sizes(machine, "--inactive")

    both = on("set", "off", "220MiB", "--live", "--config")
    said = "off: asked to shrink from 256 MiB to 220 MiB, also from its next start\n"
    assert (0, said) == (both.returncode, both.stdout)
    assert (300 * MIB, 220 * MIB) == sizes(machine, "--inactive")

    assert 0 == on("period", "off", "3", "--live", "--config").returncode
    assert (3, 3) == (machine.period("off"), machine.period("off", "--inactive"))
    assert 0 == on("period", "off", "5", "--config").returncode
    assert (3, 5) == (machine.period("off"), machine.period("off", "--inactive"))


@pytest.mark.usefixtures("started")
def test_a_guest_in_its_firmware_is_silent_and_a_paused_one_is_paused(machine: Machine, on: Run) -> None:
    silent = on("set", "off", "200MiB", "--wait", "2s")
    wrong, _ = two_lines(silent)
    assert (6, "guest 'off' stays at 256 MiB: its balloon driver is silent, 2 s are over") == (
        silent.returncode,
        wrong,
    )
    machine.daemon.virsh("suspend", "off")
    paused = on("set", "off", "200MiB", "--wait", "2s")
    assert (6, ("guest 'off' is paused, it stays at 256 MiB, 2 s are over", "virsh resume off")) == (
        paused.returncode,
        two_lines(paused),
    )


# --- guests that end, and one that hangs ------------------------------------------------------------


def ended_while(machine: Machine, name: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command that would go on for long, end the guest after 2 s, and return what it came to."""
    with subprocess.Popen(
        [*COMMAND, "-c", machine.daemon.uri, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time.sleep(2)
        assert process.poll() is None
        machine.daemon.virsh("destroy", name)
        out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.mark.usefixtures("started")
def test_nobody_waits_for_a_guest_that_was_shut_off(machine: Machine) -> None:
    result = ended_while(machine, "off", "set", "off", "200MiB", "--wait", "5m")
    assert (6, ("guest 'off' is shut off: it ended on the way to 200 MiB", "start it: virsh start off")) == (
        result.returncode,
        two_lines(result),
    )


@pytest.mark.parametrize(
    "words", [["set", "brief", "112MiB", "--wait", "5m"], ["stats", "brief", "--watch", "1s"]]
)
def test_a_guest_that_is_gone_is_called_by_its_name(
    machine: Machine, tmp_path: Path, words: list[str]
) -> None:
    definition = tmp_path / "brief.xml"
    definition.write_text(OFF.format(type="qemu", more="").replace(">off<", ">brief<"))
    machine.daemon.virsh("create", str(definition))
    result = ended_while(machine, "brief", *words)
    wrong, hint = result.stderr.splitlines()
    assert 4 == result.returncode
    assert re.fullmatch("ballonet: (reading brief: the guest|guest 'brief') is gone", wrong)
    assert "hint: see who is there: ballonet guests --all" == hint


def test_a_hung_guest_is_named_and_the_others_are_told_of(machine: Machine, on: Run) -> None:
    (process,) = reaper.processes({machine.lab.uuids["api"]})
    os.kill(process, signal.SIGSTOP)
    try:
        one, everybody = on("doctor", "api", "-o", "json"), on("doctor", "-o", "json")
        rows = json.loads(on("guests", "-o", "json").stdout)["guests"]
    finally:
        os.kill(process, signal.SIGCONT)
    assert 1 == one.returncode == everybody.returncode
    assert {("api", "unanswered")} == {pair for pair in found(one.stdout) if pair[1].startswith("un")}
    assert {("api", "unanswered"), ("bare", "no-device"), ("mute", "silent")} <= found(everybody.stdout)
    assert ("host", "unreachable") not in found(everybody.stdout)
    for output in (one.stdout, everybody.stdout):
        finding = next(each for each in json.loads(output)["findings"] if each["code"] == "unanswered")
        assert "it cannot be asked: no answer to reading api within 5 s" == finding["what"]
    managed = {row["name"]: row["verdict"]["managed"] for row in rows}
    assert {"api": False, "bare": False, "full": True, "mute": False, "web": True} == managed
    # What waited for it is done by now, and it is as it was.
    assert 0 == on("show", "api").returncode
    assert MAXIMUM_BYTES // 2 == machine.actual("api")


# --- other ways in ----------------------------------------------------------------------------------


def test_who_waits_at_a_terminal_sees_a_bar(machine: Machine) -> None:
    terminal, end = pty.openpty()
    words = [*COMMAND, "-c", machine.daemon.uri, "set", "web", "160MiB", "--wait", "30s"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    try:
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=end, env=environment) as process:
            os.close(end)
            shown = everything(terminal)
            assert process.stdout
            assert process.stdout.read().startswith(b"web: 160 MiB reached after")
        assert 0 == process.returncode
    finally:
        os.close(terminal)
        machine.resize("web", 256 * MIB)
    assert "256 MiB → 160 MiB" in shown
    assert "160 MiB → 160 MiB" in shown
    assert shown.endswith("\x1b[2K")  # it leaves nothing behind


def everything(terminal: int) -> str:
    """Return what a terminal is shown until nobody writes to it any more."""
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other end was closed
            piece = b""
        if not piece:
            return shown.decode()
        shown += piece


def test_nothing_is_needed_for_an_embedded_driver_and_nothing_takes_long(ballonet: Run) -> None:
    # Not tmp_path, which is too long for the names of sockets.
    with tempfile.TemporaryDirectory(prefix="hv-") as root:
        uri = f"qemu:///embed?root={root}"
        nobody = ballonet("-c", uri, "guests")
        findings = found(ballonet("-c", uri, "doctor", "-o", "json").stdout)
        known = sorted(path.name for path in Path(root, "cache/qemu").iterdir())
    assert (0, "No guest is running") == (nobody.returncode, nobody.stderr[:19])
    assert ("host", "unreachable") not in findings
    assert [] == known  # were QEMUs started for their versions, for seconds, libvirt would keep what they say


def test_a_lab_without_a_daemon_is_used_by_the_uri_that_it_prints(ballonet: Run) -> None:
    with tempfile.TemporaryDirectory(prefix="lab-") as directory:
        place = ("--directory", f"{directory}/lab")
        up = ballonet("lab", "up", "--guests", "1", "--memory", "192MiB", "--for", "2m", *place)
        assert (0, "") == (up.returncode, up.stderr)
        try:
            printed = re.search(r"ballonet guests -c '(\S+)'", up.stdout)
            assert printed
            uri = printed[1]
            assert uri.startswith("qemu:///embed?root=")
            shrunk = ballonet("-c", uri, "set", "guest-1", "160MiB", "--wait", "30s")
            assert (0, "guest-1: 160 MiB reached after") == (shrunk.returncode, shrunk.stdout[:30])
            [row] = json.loads(ballonet("guests", "-o", "json", "-c", uri).stdout)["guests"]
            assert ("guest-1", 192 * MIB, True) == (
                row["name"],
                row["maximum_bytes"],
                row["verdict"]["managed"],
            )
            assert abs(row["actual_bytes"] - 160 * MIB) < MIB
            assert row["usable_bytes"] is not None  # it was busy with being found again
        finally:
            down = ballonet("lab", "down", *place)
        assert down.stdout.startswith("1 guests ended")
        assert [] == list(reaper.processes({row["uuid"]}))


def test_completion_of_real_guests(machine: Machine, ballonet: Run) -> None:
    script = ballonet("completion", "bash")
    assert (0, "") == (script.returncode, script.stderr)
    assert "_BALLONET_COMPLETE=complete_" in script.stdout
    words = f"ballonet -c {machine.daemon.uri} show "
    asked = {"COMP_WORDS": words, "COMP_CWORD": "4", "_BALLONET_COMPLETE": "complete_bash"}
    assert ["api", "bare", "full", "mute", "off", "web"] == sorted(ballonet(env=asked).stdout.split())
