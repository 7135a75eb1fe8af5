"""Real QEMUs without libvirt: by hand, and by a service, whatever becomes of their monitors."""

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosts import booted_plain
from serving import COMMAND, IDLE, Service, wait_until, wait_until_small
from subjects import PlainMachine

from ballonet.hypervisor.qmp import QmpHypervisor
from ballonet.lab import reaper
from ballonet.lab.domain import GuestSpec
from ballonet.units import MIB

pytestmark = pytest.mark.real

BUSY = "at 0 anon_mib=150 hot_mib=150 rate=20 touches=8 grow_mib_s=50"


@pytest.fixture(scope="module")
def machine() -> Iterator[PlainMachine]:
    with booted_plain([GuestSpec(name, memory_bytes=256 * MIB) for name in ("left", "right")]) as found:
        for name in ("left", "right"):
            found.load(name, IDLE)
        yield found


def run(machine: PlainMachine, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "-c", machine.uri, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def rows(machine: PlainMachine) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(run(machine, "-o", "json", "guests").stdout)["guests"]}


def has(service: Service, name: str, size_bytes: int) -> bool:
    """Return whether a guest has at least this, as the last plan saw it."""
    return (service.guests()[name].actual_bytes or 0) >= size_bytes


def test_by_hand(machine: PlainMachine) -> None:
    left = rows(machine)["left"]
    assert "managed" == left["verdict"]["reason"]
    assert left["rss_bytes"] > 100 * MIB
    assert 0 <= left["stats_age_seconds"] < 60
    done = run(machine, "set", "left", "200MiB", "--wait", "60s")
    assert (0, "") == (done.returncode, done.stderr)
    assert 200 * MIB == rows(machine)["left"]["actual_bytes"]
    shown = run(machine, "show", "left").stdout
    assert "has the device" in shown
    assert 0 == run(machine, "period", "left", "2s").returncode
    assert 2 == rows(machine)["left"]["stats_period_seconds"]
    assert 0 == run(machine, "set", "left", "256MiB", "--wait", "60s").returncode
    found = json.loads(run(machine, "-o", "json", "doctor").stdout)["findings"]
    assert not [finding for finding in found if finding["severity"] == "problem"]
    assert "unseen" not in {finding["code"] for finding in found}


def test_what_keeps_a_guest_from_ballooning_is_found(plain: PlainMachine) -> None:
    found = json.loads(run(plain, "-o", "json", "doctor").stdout)["findings"]
    problems = {
        (finding["subject"], finding["code"]) for finding in found if finding["severity"] == "problem"
    }
    assert {("bare", "no-device"), ("mute", "no-driver")} == problems
    assert 5 == run(plain, "set", "bare", "120MiB").returncode


def test_a_service_balances_them_and_sees_bursts(machine: PlainMachine, tmp_path: Path) -> None:
    service = Service(tmp_path, [machine.uri])
    with service.running():
        wait_until_small(service, "left", "right")
        machine.load("left", BUSY)
        wait_until(lambda: has(service, "left", 200 * MIB), service.said)
        machine.load("left", IDLE)
        assert not [event for event in service.answer("events")["events"] if event["kind"] == "broken"]
    assert "Traceback" not in service.said.read_text()
    assert "is in sight" in service.said.read_text()  # the reflex found its process


def test_guests_come_and_go(machine: PlainMachine, tmp_path: Path) -> None:
    service = Service(tmp_path, [machine.uri])
    with service.running():
        wait_until(lambda: service.guests().keys() == {"left", "right"}, service.said)
        asyncio.run(machine.lab.boot([GuestSpec("late", memory_bytes=128 * MIB)]))
        wait_until(lambda: service.guests().keys() == {"late", "left", "right"}, service.said)
        uuid = machine.lab.uuids["late"]
        assert uuid == service.guests()["late"].uuid
        [process] = reaper.processes({uuid})
        os.kill(process, signal.SIGKILL)
        wait_until(lambda: service.guests().keys() == {"left", "right"}, service.said)
        assert (machine.monitors / "late.qmp").exists()  # nobody tidied up
    assert "Traceback" not in service.said.read_text()


def test_a_monitor_that_somebody_else_holds(machine: PlainMachine, tmp_path: Path) -> None:
    service = Service(tmp_path, [machine.uri])
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(str(machine.monitors / "left.qmp"))
        assert b"QMP" in other.recv(1000)
        with service.running():
            wait_until(lambda: service.verdict("right") == "managed", service.said)
            assert "does not answer" in service.verdict("left")
            assert {"left", "right"} == service.guests().keys()
            assert "in use: another client is connected" in service.said.read_text()
            other.close()
            wait_until(lambda: service.verdict("left") == "managed", service.said)
    assert "Traceback" not in service.said.read_text()


def test_a_stopped_qemu_costs_nobody_else_anything(machine: PlainMachine, tmp_path: Path) -> None:
    service = Service(tmp_path, [machine.uri])
    [process] = reaper.processes({machine.lab.uuids["left"]})
    with service.running():
        wait_until_small(service, "left", "right")
        os.kill(process, signal.SIGSTOP)
        try:
            wait_until(lambda: "does not answer" in service.verdict("left"), service.said)
            machine.load("right", BUSY)
            wait_until(lambda: has(service, "right", 200 * MIB), service.said)
        finally:
            os.kill(process, signal.SIGCONT)
        wait_until(lambda: service.verdict("left") == "managed", service.said)
        machine.load("right", IDLE)


async def test_a_reset_is_told(machine: PlainMachine) -> None:
    hypervisor = await QmpHypervisor.open(machine.uri)
    events = hypervisor.events()
    [monitor] = [each for each in hypervisor._monitors.values() if each.name == "right"]
    await monitor.ask("resetting right", "system_reset", None, 5.0)
    async with asyncio.timeout(60):
        while (event := await anext(events)).kind != "rebooted":
            pass
    assert ("right", machine.lab.uuids["right"]) == (event.name, event.uuid)
    await hypervisor.close()
