"""Real guests under a real daemon: those that hang, a daemon that dies, guests without a balloon."""

import asyncio
import os
import signal
import time

import libvirt
import pytest
from subjects import MAXIMUM_BYTES, Machine

from ballonet.engine.ports import EventKind
from ballonet.errors import BrokenError, DeadlineError, HypervisorError, NotPermittedError, RefusedError
from ballonet.facts.guest import Guest, State
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab import reaper
from ballonet.units import KIB, MIB

pytestmark = pytest.mark.real


async def by_name(hypervisor: LibvirtHypervisor) -> dict[str, Guest]:
    return {guest.name: guest for guest in await hypervisor.guests()}


async def test_readings_are_what_virsh_prints(machine: Machine, real: LibvirtHypervisor) -> None:
    web = (await by_name(real))["web"]
    printed = machine.daemon.virsh("domstats", "--balloon", "web").stdout
    values = dict(line.strip().split("=") for line in printed.splitlines() if "=" in line)
    assert int(values["balloon.current"]) * KIB == web.actual_bytes
    assert int(values["balloon.maximum"]) * KIB == web.maximum_bytes
    assert int(values["balloon.available"]) * KIB == web.statistics.available_bytes
    assert int(values["balloon.usable"]) * KIB == pytest.approx(web.statistics.usable_bytes, abs=8 * MIB)
    assert int(values["balloon.last-update"]) == pytest.approx(web.statistics.last_update, abs=30)
    assert 1 == web.vcpus
    assert (web.disk_reads_total or 0) > 0


async def test_a_guest_without_a_balloon_says_so_and_is_refused(real: LibvirtHypervisor) -> None:
    bare = (await by_name(real))["bare"]
    assert bare.device is None
    assert bare.job is None
    assert bare.statistics.usable_bytes is None
    assert (bare.statistics.rss_bytes or 0) > 0
    for change in (real.resize(bare.uuid, 100 * MIB), real.set_period(bare.uuid, 1)):
        with pytest.raises(RefusedError, match="no balloon device"):
            await change
    with pytest.raises(RefusedError, match="stored nowhere"):
        await real.set_maximum(bare.uuid, 100 * MIB)


async def test_a_hung_guest_costs_its_own_row_only(machine: Machine, real: LibvirtHypervisor) -> None:
    before = (await by_name(real))["web"]
    (process,) = reaper.processes({before.uuid})
    os.kill(process, signal.SIGSTOP)
    try:
        first = await by_name(real)  # waits for the deadline once
        begun = time.monotonic()
        second = await by_name(real)
        assert time.monotonic() - begun < 2.5  # did it wait again, it would be the deadline's three
        for guests in (first, second):
            assert {"api", "bare", "full", "mute", "web"} == guests.keys()
            assert "busy" == guests["web"].job
            assert before.actual_bytes == guests["web"].actual_bytes
            assert guests["web"].statistics.last_update is not None
            assert guests["api"].job is None
        with pytest.raises(DeadlineError, match="resizing web"):
            await real.resize(before.uuid, MAXIMUM_BYTES - 32 * MIB)
        await real.resize(second["api"].uuid, MAXIMUM_BYTES // 2)
    finally:
        os.kill(process, signal.SIGCONT)
    async with asyncio.timeout(60):
        # What was asked in vain happens when the guest is back.
        while (web := (await by_name(real))["web"]).actual_bytes != MAXIMUM_BYTES - 32 * MIB or web.job:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert (web.statistics.last_update or 0) >= (second["web"].statistics.last_update or 0)
    await real.resize(before.uuid, MAXIMUM_BYTES)


async def test_a_size_that_was_seen_is_not_taken_back_while_a_job_holds_the_guest(
    machine: Machine, real: LibvirtHypervisor
) -> None:
    """libvirt's own copy is up to a second behind QEMU, and all that is told of who is busy."""
    uuid, target = (await by_name(real))["web"].uuid, MAXIMUM_BYTES - 32 * MIB
    (process,) = reaper.processes({uuid})
    await real.resize(uuid, target)
    async with asyncio.timeout(60):
        while target != (await by_name(real))["web"].actual_bytes:  # noqa: ASYNC110
            await asyncio.sleep(0)
    os.kill(process, signal.SIGSTOP)
    try:
        web = (await by_name(real))["web"]
        assert ("busy", target) == (web.job, web.actual_bytes)
    finally:
        os.kill(process, signal.SIGCONT)
        await real.resize(uuid, MAXIMUM_BYTES)


async def test_statistics_that_are_asked_for_come_at_once(real: LibvirtHypervisor) -> None:
    uuid = (await by_name(real))["api"].uuid
    await real.set_period(uuid, 60)
    try:
        await asyncio.sleep(2.5)  # the last of the old period came; stamps are whole seconds
        asked_at = time.time()
        await real.refresh(uuid)
        async with asyncio.timeout(30):  # of the period's 60
            while True:
                now = (await by_name(real))["api"].statistics.last_update
                if now is not None and now >= int(asked_at):
                    break
                await asyncio.sleep(0.02)
        device = (await by_name(real))["api"].device
        assert device
        assert 60 == device.period_seconds
    finally:
        await real.set_period(uuid, 1)


async def test_a_paused_guest_says_so_and_goes_on(machine: Machine, real: LibvirtHypervisor) -> None:
    events = real.events()
    machine.daemon.virsh("suspend", "api")
    assert "paused" == (await by_name(real))["api"].state
    machine.daemon.virsh("resume", "api")
    assert "running" == (await by_name(real))["api"].state
    async with asyncio.timeout(60):
        assert [EventKind.PAUSED, EventKind.RESUMED] == [(await anext(events)).kind for _ in range(2)]


async def test_a_guest_that_ends_between_two_calls_is_shut_off(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = await LibvirtHypervisor.open(machine.daemon.uri, deadline_seconds=60.0)
    asked = libvirt.virDomain.memoryStats

    def ended(domain: libvirt.virDomain) -> object:
        machine.daemon.virsh("destroy", domain.name())
        return asked(domain)

    machine.daemon.virsh("start", "off")
    monkeypatch.setattr(libvirt.virDomain, "memoryStats", ended)
    off = await patient.guest("off")
    assert (State.SHUT_OFF, None) == (off.state, off.id)
    await patient.close()


async def test_who_may_only_read_cannot_change(machine: Machine) -> None:
    hypervisor = await LibvirtHypervisor.open(
        machine.daemon.uri.replace("libvirt-sock", "libvirt-sock-ro"), read_only=True
    )
    try:
        web = (await by_name(hypervisor))["web"]
        assert web.statistics.usable_bytes
        with pytest.raises(NotPermittedError, match="read-only"):
            await hypervisor.resize(web.uuid, MAXIMUM_BYTES)
        assert (await hypervisor.facts()).read_only
    finally:
        await hypervisor.close()


async def test_the_connection_comes_back_after_its_daemon_died(
    machine: Machine, real: LibvirtHypervisor
) -> None:
    before, events = await by_name(real), real.events()
    machine.daemon.kill()
    with pytest.raises(BrokenError, match="broke"):
        await real.guests()
    with pytest.raises(HypervisorError, match="no libvirt daemon answers"):
        await real.guests()
    with pytest.raises(HypervisorError, match="not connected"):
        await real.guests()  # at once: the next try is in a second
    machine.daemon.start()
    async with asyncio.timeout(60):
        while (after := await reading(real)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    assert before.keys() == after.keys()
    assert before["web"].id == after["web"].id
    assert [EventKind.LOST, EventKind.RECONNECTED] == [(await anext(events)).kind for _ in range(2)]
    await real.resize(after["web"].uuid, MAXIMUM_BYTES - 16 * MIB)
    async with asyncio.timeout(60):
        while (event := await anext(events)).kind is not EventKind.BALLOON:
            pass
    assert "web" == event.name
    await real.resize(after["web"].uuid, MAXIMUM_BYTES)
    whole = f"balloon.current={MAXIMUM_BYTES // KIB}\n"
    async with asyncio.timeout(60):  # what others read of libvirt lags by up to a second
        while whole not in machine.daemon.virsh("domstats", "web").stdout:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def reading(hypervisor: LibvirtHypervisor) -> dict[str, Guest] | None:
    try:
        return await by_name(hypervisor)
    except HypervisorError:
        return None
