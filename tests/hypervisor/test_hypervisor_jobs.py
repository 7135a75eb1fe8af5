"""Guests that something holds while they are read."""

from dataclasses import replace

import pytest

from ballonet.facts.guest import Guest
from ballonet.hypervisor.libvirt import LibvirtHypervisor


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
