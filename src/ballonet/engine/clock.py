"""The machine's own clocks behind the `Clock` port."""

import asyncio
import time


class SystemClock:
    """Real time."""

    def time(self) -> float:
        """Return host epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
