"""A hypervisor with somebody who listens in: what its guests show goes through a function."""

from collections.abc import AsyncIterator, Callable, Sequence

from ballonet.engine.ports import Event, Hypervisor, HypervisorFacts
from ballonet.facts.guest import Guest


class Overheard:
    """Passes all on, the guests of each look by way of `hear`, which returns them as they are to be seen."""

    def __init__(self, hypervisor: Hypervisor, hear: Callable[[Sequence[Guest]], Sequence[Guest]]) -> None:
        self._hypervisor = hypervisor
        self._hear = hear

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return all guests."""
        return list(self._hear(await self._hypervisor.guests(inactive=inactive)))

    async def guest(self, reference: str) -> Guest:
        """Pass it on, as all below."""
        return await self._hypervisor.guest(reference)

    async def resize(
        self,
        uuid: str,
        size_bytes: int,
        *,
        live: bool = True,
        config: bool = False,
        from_bytes: int | None = None,
    ) -> None:
        """Pass it on."""
        await self._hypervisor.resize(uuid, size_bytes, live=live, config=config, from_bytes=from_bytes)

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Pass it on."""
        await self._hypervisor.set_maximum(uuid, size_bytes)

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Pass it on."""
        await self._hypervisor.set_period(uuid, seconds, live=live, config=config)

    async def refresh(self, uuid: str) -> None:
        """Pass it on."""
        await self._hypervisor.refresh(uuid)

    def events(self) -> AsyncIterator[Event]:
        """Pass it on."""
        return self._hypervisor.events()

    async def facts(self) -> HypervisorFacts:
        """Pass it on."""
        return await self._hypervisor.facts()

    async def close(self) -> None:
        """Pass it on."""
        await self._hypervisor.close()
