"""Several hypervisors of one host as one, so that all their guests share one budget."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from ballonet.engine.ports import Event, Hypervisor, HypervisorFacts
from ballonet.errors import HypervisorError, NoSuchGuestError, UsageError
from ballonet.facts.guest import Guest

UNANSWERED = "no answer"  # the job of guests whose hypervisor did not answer: they still hold what they did


class SeveralHypervisors:
    """Reads and resizes guests wherever they are; one hypervisor that fails costs its own guests only."""

    def __init__(self, hypervisors: Sequence[Hypervisor]) -> None:
        if not hypervisors:
            raise UsageError("no hypervisor is named", hint="name one: qemu:///system")
        self._hypervisors = tuple(hypervisors)
        self._seen: list[list[Guest]] = [[] for _ in hypervisors]  # as last read, of each
        self._owner: dict[str, Hypervisor] = {}  # by UUID

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return the guests of all by name, those of one that fails as they were, and busy.

        Raises the first failure if all fail.
        """
        found = await asyncio.gather(
            *(hypervisor.guests(inactive=inactive) for hypervisor in self._hypervisors),
            return_exceptions=True,
        )
        failures = [each for each in found if isinstance(each, BaseException)]
        for failure in failures:
            if not isinstance(failure, HypervisorError) or len(failures) == len(found):
                raise failure
        for number, each in enumerate(found):
            if isinstance(each, BaseException):
                self._seen[number] = [replace(guest, job=UNANSWERED) for guest in self._seen[number]]
            else:
                self._seen[number] = each
        self._owner = {
            guest.uuid: hypervisor
            for hypervisor, guests in zip(self._hypervisors, self._seen, strict=True)
            for guest in guests
        }
        return sorted((guest for guests in self._seen for guest in guests), key=lambda guest: guest.name)

    async def guest(self, reference: str) -> Guest:
        """Return one guest by name, UUID or id, of the hypervisor named last that has it."""
        missing = NoSuchGuestError(f"no guest {reference!r}")
        for hypervisor in reversed(self._hypervisors):
            try:
                found = await hypervisor.guest(reference)
            except NoSuchGuestError as error:
                missing = error
            else:
                self._owner[found.uuid] = hypervisor
                return found
        raise missing

    async def resize(
        self,
        uuid: str,
        size_bytes: int,
        *,
        live: bool = True,
        config: bool = False,
        from_bytes: int | None = None,
    ) -> None:
        """Ask the guest to get to this size, where it is."""
        hypervisor = await self._at(uuid)
        await hypervisor.resize(uuid, size_bytes, live=live, config=config, from_bytes=from_bytes)

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Store the boot-time maximum, where the guest is."""
        await (await self._at(uuid)).set_maximum(uuid, size_bytes)

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Set how often the guest is asked for its statistics, where it is."""
        await (await self._at(uuid)).set_period(uuid, seconds, live=live, config=config)

    async def refresh(self, uuid: str) -> None:
        """Ask the guest for its statistics now, where it is."""
        await (await self._at(uuid)).refresh(uuid)

    def events(self) -> AsyncIterator[Event]:
        """Yield what happens anywhere from now on, until all are closed."""
        return _merged([hypervisor.events() for hypervisor in self._hypervisors])

    async def facts(self) -> HypervisorFacts:
        """Return what all of them are together: local if all are, as their processes must be readable."""
        facts = [await hypervisor.facts() for hypervisor in self._hypervisors]
        return HypervisorFacts(
            " ".join(each.uri for each in facts),
            read_only=any(each.read_only for each in facts),
            local=all(each.local for each in facts),
        )

    async def close(self) -> None:
        """End all connections, whatever one of them says."""
        ended = await asyncio.gather(
            *(hypervisor.close() for hypervisor in self._hypervisors), return_exceptions=True
        )
        for each in ended:
            if isinstance(each, BaseException):
                raise each

    async def _at(self, uuid: str) -> Hypervisor:
        """Return where a guest was seen last, or is; raises `NoSuchGuestError`."""
        if uuid not in self._owner:
            await self.guest(uuid)
        return self._owner[uuid]


async def _merged(sources: Sequence[AsyncIterator[Event]]) -> AsyncIterator[Event]:
    """Yield the events of all sources as they come, until each of them has ended."""
    queue: asyncio.Queue[Event | None] = asyncio.Queue()

    async def forward(source: AsyncIterator[Event]) -> None:
        async for event in source:
            queue.put_nowait(event)
        queue.put_nowait(None)

    forwarding = [asyncio.create_task(forward(source)) for source in sources]
    try:
        for _ in forwarding:
            while (event := await queue.get()) is not None:
                yield event
    finally:
        for task in forwarding:
            task.cancel()
        await asyncio.gather(*forwarding, return_exceptions=True)
