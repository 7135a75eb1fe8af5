"""A lab's guests as their hypervisor shows them, with what only their own kernels know."""

from collections.abc import AsyncIterator
from dataclasses import replace

from ballonet.engine.ports import Event, Hypervisor, HypervisorFacts
from ballonet.facts.guest import Guest
from ballonet.lab.lab import Lab
from ballonet.lab.report import pressure_ratio


class Informed:
    """A hypervisor of a lab's guests that tells their pressure, as an agent in them would."""

    def __init__(self, hypervisor: Hypervisor, lab: Lab) -> None:
        self._hypervisor = hypervisor
        self._lab = lab

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return all guests, the lab's with their pressure."""
        return [self._told(guest) for guest in await self._hypervisor.guests(inactive=inactive)]

    async def guest(self, reference: str) -> Guest:
        """Return one guest, with its pressure if it is the lab's."""
        return self._told(await self._hypervisor.guest(reference))

    def _told(self, guest: Guest) -> Guest:
        if self._lab.uuids.get(guest.name) != guest.uuid:
            return guest
        return replace(guest, pressure_ratio=pressure_ratio(self._lab.reports(guest.name)))

    async def resize(self, uuid: str, size_bytes: int, *, live: bool = True, config: bool = False) -> None:
        """Pass it on, as all below."""
        await self._hypervisor.resize(uuid, size_bytes, live=live, config=config)

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Pass it on."""
        await self._hypervisor.set_maximum(uuid, size_bytes)

    async def refresh(self, uuid: str) -> None:
        """Pass it on."""
        await self._hypervisor.refresh(uuid)

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Pass it on."""
        await self._hypervisor.set_period(uuid, seconds, live=live, config=config)

    def events(self) -> AsyncIterator[Event]:
        """Pass it on."""
        return self._hypervisor.events()

    async def facts(self) -> HypervisorFacts:
        """Pass it on."""
        return await self._hypervisor.facts()

    async def close(self) -> None:
        """Pass it on."""
        await self._hypervisor.close()
