"""One life of the service: it can be killed wherever it waits or writes, and reaches nobody afterwards."""

import asyncio
from collections.abc import Callable

POINTS = (
    "as it reads guests",
    "after it read guests",
    "before an act is written",
    "after an act is written",
    "before a resize is sent",
    "after a resize is sent",
)


class Process:
    """What its ports ask whether it still lives."""

    def __init__(self, on_death: Callable[[], None]) -> None:
        self.dead = False
        self.over = asyncio.Event()
        self._armed = ""
        self._never = asyncio.Event()
        self._on_death = on_death

    def arm(self, point: str) -> None:
        """Kill it when it comes to this point next."""
        self._armed = point

    def kill(self) -> None:
        """End it here and now; what it wrote stays."""
        if not self.dead:
            self.dead = True
            self._on_death()
            self.over.set()

    async def waits(self, point: str) -> None:
        """Pass a point at which it waits; a dead one never comes back."""
        if point and self._armed == point:
            self.kill()
        if self.dead:
            await self._never.wait()

    def writes(self, point: str) -> None:
        """Pass a point at which it does not wait."""
        if point and self._armed == point:
            self.kill()
        if self.dead:
            raise asyncio.CancelledError
