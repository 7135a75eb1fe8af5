"""Guests that something holds while they are read."""

import asyncio
from dataclasses import replace

import pytest

from ballonet.errors import DeadlineError
from ballonet.facts.guest import Guest
from ballonet.hypervisor.libvirt import LibvirtHypervisor, adapter


async def test_a_guest_that_ends_before_its_job_is_asked_for_is_not_there(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hypervisor = await LibvirtHypervisor.open(host)
    bulk = hypervisor._bulk

    async def one_ends() -> list[Guest]:
        """Return all guests, and one that libvirt has forgotten by now, held by the job of its end."""
        found = await bulk()
        gone = replace(found[0], uuid="99999999-9999-4999-8999-999999999999", job="busy")
        return [*found, gone]

    there = await hypervisor.guests()
    monkeypatch.setattr(hypervisor, "_bulk", one_ends)
    assert [guest.uuid for guest in there] == [guest.uuid for guest in await hypervisor.guests()]
    await hypervisor.close()


async def test_many_that_hang_at_once_are_not_all_asked_what_holds_them(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H5: each of them takes half a second to say nothing."""
    hypervisor = await LibvirtHypervisor.open(host)
    found = await hypervisor.guests()
    hung = [
        replace(found[0], uuid=f"99999999-9999-4999-8999-{number:012}", job="busy") for number in range(100)
    ]
    asked: list[str] = []

    async def many_hang() -> list[Guest]:
        return hung

    async def never(_: object, what: str, __: float) -> object:
        asked.append(what)
        await asyncio.sleep(0.02)
        raise DeadlineError(what)

    monkeypatch.setattr(hypervisor, "_bulk", many_hang)
    monkeypatch.setattr(hypervisor._connection, "call", never)
    monkeypatch.setattr(adapter, "JOBS_SECONDS", 0.05)

    assert {"busy"} == {guest.job for guest in await hypervisor.guests()}
    assert len(asked) <= 4
    monkeypatch.undo()
    await hypervisor.close()
