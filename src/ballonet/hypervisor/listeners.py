"""Who listens to what a hypervisor reports by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from ballonet.engine.ports import Event


class Listeners:
    """Hands each event to all who listen at that moment."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event | None]] = set()

    def listen(self, first: Iterable[Event] = ()) -> AsyncIterator[Event]:
        """Yield these events, and what is told from this call on, until all is over."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        for event in first:
            queue.put_nowait(event)
        self._queues.add(queue)
        return self._follow(queue)

    def tell(self, event: Event) -> None:
        """Hand an event to all who listen."""
        for queue in self._queues:
            queue.put_nowait(event)

    def end(self) -> None:
        """Let all who listen come to an end."""
        for queue in self._queues:
            queue.put_nowait(None)

    async def _follow(self, queue: "asyncio.Queue[Event | None]") -> AsyncIterator[Event]:
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._queues.discard(queue)
