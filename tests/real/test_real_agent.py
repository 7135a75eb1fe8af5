"""Real agents in real guests: heard either way, beside all looks, and no worse than absent when they hang.

With libvirt and without, where QEMU's own monitor says which socket leads to the agent.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hosts import booted, booted_plain
from serving import Service, wait_until
from subjects import Machine, PlainMachine

from ballonet.errors import HypervisorError
from ballonet.facts.agent import Channel
from ballonet.facts.guest import Guest
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.hypervisor.qmp import QmpHypervisor
from ballonet.lab import reaper
from ballonet.lab.domain import GuestSpec
from ballonet.service.client import guest_path
from ballonet.service.models import Why
from ballonet.units import MIB

pytestmark = pytest.mark.real

BALLONET = str(Path(sys.executable).with_name("ballonet"))
SPECS = [
    GuestSpec("told", memory_bytes=256 * MIB, agent=True),
    GuestSpec("printed", memory_bytes=256 * MIB, agent=True, agent_blocks="guest-file-open"),
    GuestSpec("refuses", memory_bytes=256 * MIB, agent=True, agent_blocks="guest-file-open,guest-exec"),
    GuestSpec("plain", memory_bytes=160 * MIB),
]


@pytest.fixture(scope="module", params=["libvirt", "QEMU alone"])
def ward(request: pytest.FixtureRequest) -> Iterator[Machine | PlainMachine]:
    with (booted if request.param == "libvirt" else booted_plain)(SPECS) as machine:
        asyncio.run(_connected(machine))
        yield machine


def _opened(ward: Machine | PlainMachine) -> Awaitable[LibvirtHypervisor | QmpHypervisor]:
    return (LibvirtHypervisor if isinstance(ward, Machine) else QmpHypervisor).open(ward.uri)


async def _connected(ward: Machine | PlainMachine) -> None:
    """Wait for the agents, which guests start beside what reports first."""
    hypervisor = await _opened(ward)
    async with asyncio.timeout(60):
        for name in (spec.name for spec in SPECS if spec.agent):
            while (await hypervisor.guest(name)).channel is not Channel.CONNECTED:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    await hypervisor.close()


@pytest.fixture
async def hypervisor(ward: Machine | PlainMachine) -> AsyncIterator[LibvirtHypervisor | QmpHypervisor]:
    found = await _opened(ward)
    yield found
    await found.close()


def shown(ward: Machine | PlainMachine, name: str, *options: str) -> tuple[dict[str, Any], str]:
    """Return what `show` prints of a guest, and its warnings."""
    words = [BALLONET, "-c", ward.uri, "show", name, "-o", "json", *options]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=120)
    guest: dict[str, Any] = json.loads(done.stdout)["guest"]
    return guest, done.stderr


async def looked(
    hypervisor: LibvirtHypervisor | QmpHypervisor,
    done: Callable[[dict[str, Guest]], bool],
    seconds: float = 60.0,
) -> dict[str, Guest]:
    """Look at all guests twice a second until this is true of them."""
    async with asyncio.timeout(seconds):
        while True:
            found = {guest.name: guest for guest in await hypervisor.guests()}
            if done(found):
                return found
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("name", ["told", "printed"])
def test_an_agent_tells_what_the_kernel_of_its_guest_says(ward: Machine | PlainMachine, name: str) -> None:
    guest, warnings = shown(ward, name, "--agent")

    assert "" == warnings
    agent = guest["agent"]
    assert "connected" == agent["channel"]
    assert 0.0 <= agent["pressure_avg10_ratio"] <= 1.0
    report = ward.lab.latest(name)
    assert 1024 * report.swap_total_kib == agent["swap_total_bytes"]
    assert agent["committed_bytes"] > 0
    assert agent["waited_seconds_total"] >= 0.0


def test_nobody_is_asked_unless_somebody_wants_it(ward: Machine | PlainMachine) -> None:
    guest, _ = shown(ward, "told")

    assert ("connected", None) == (guest["agent"]["channel"], guest["agent"]["told_at"])
    assert shown(ward, "plain")[0]["agent"] is None


def test_an_agent_that_refuses_is_said_with_a_remedy_and_the_guest_is_shown(
    ward: Machine | PlainMachine,
) -> None:
    guest, warnings = shown(ward, "refuses", "--agent")

    assert guest["agent"]["told_at"] is None
    assert "its agent lets nobody read files" in warnings
    assert "hint: in the guest, allow guest-file-open" in warnings


def test_a_guest_without_a_channel_is_said_to_have_none(ward: Machine | PlainMachine) -> None:
    _, warnings = shown(ward, "plain", "--agent")

    nothing = "QEMU guest agent is not configured" if isinstance(ward, Machine) else "no port for an agent"
    assert nothing in warnings


async def test_looks_show_what_those_agents_told_that_are_wanted(
    hypervisor: LibvirtHypervisor | QmpHypervisor,
) -> None:
    hypervisor.listen(lambda guest: guest.name != "printed")

    found = await looked(hypervisor, lambda guests: guests["told"].pressure_ratio is not None)

    told = found["told"]
    assert told.channel is Channel.CONNECTED
    assert told.heard is not None
    assert told.heard.since is not None
    assert told.heard.since < told.heard.at
    assert [None, None, None] == [found[name].heard for name in ("printed", "refuses", "plain")]


async def test_a_guest_that_waits_for_memory_is_heard_to(
    ward: Machine | PlainMachine, hypervisor: LibvirtHypervisor | QmpHypervisor
) -> None:
    """It re-reads more of a file, and touches more of its memory, than it has room for."""
    hypervisor.listen(lambda guest: guest.name == "told")
    await asyncio.to_thread(
        ward.load, "told", "at 0 anon_mib=150 hot_mib=150 file_mib=120 rate=50 touches=32 reads=8"
    )
    found = await looked(
        hypervisor,
        lambda guests: (guests["told"].pressure_ratio or 0.0) > 0.01 and _swapped(guests["told"]) > MIB,
    )
    report = ward.lab.latest("told")
    await asyncio.to_thread(ward.load, "told", "at 0 anon_mib=20 hot_mib=20")

    swapped = 1024 * (report.swap_total_kib - report.swap_free_kib)
    assert _swapped(found["told"]) == pytest.approx(swapped, abs=64 * MIB)


def _swapped(guest: Guest) -> int:
    return (guest.heard and guest.heard.swapped_bytes) or 0


async def test_an_agent_that_hangs_costs_what_it_would_have_told(
    ward: Machine | PlainMachine, hypervisor: LibvirtHypervisor | QmpHypervisor
) -> None:
    hypervisor.listen(lambda guest: guest.name in {"told", "printed"})
    await looked(hypervisor, lambda guests: all(guests[name].heard for name in ("told", "printed")))
    [process] = reaper.processes({ward.lab.uuids["printed"]})
    os.kill(process, signal.SIGSTOP)
    try:
        heard = []
        for _ in range(8):
            found = {guest.name: guest for guest in await hypervisor.guests()}
            heard.append(found["told"].heard)
            await asyncio.sleep(1.0)
        assert len({each.at for each in heard if each}) >= 3
        with pytest.raises(HypervisorError):
            await hypervisor.hear(ward.lab.uuids["printed"])
    finally:
        os.kill(process, signal.SIGCONT)
    await looked(hypervisor, lambda guests: guests["printed"].job is None)


def test_a_service_is_told_by_those_that_its_settings_name(
    ward: Machine | PlainMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('[guest."told"]\nagent = true\n')
    monkeypatch.setenv("BALLONET_CONFIG", str(settings))
    service = Service(tmp_path, [ward.uri])

    def age(name: str) -> float | None:
        return service.client.get(Why, guest_path(name, "why")).inputs.agent_age_seconds

    with service.running():
        wait_until(lambda: service.verdict("told") == "managed", service.said)
        wait_until(lambda: age("told") is not None, service.said)
        assert [None, None, None] == [age(name) for name in ("printed", "refuses", "plain")]
        assert "its agent" in service.ask("why", "told").stdout
    assert "Traceback" not in service.said.read_text()
