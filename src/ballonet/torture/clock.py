"""Virtual time that jumps: the wall clock when somebody sets it, all clocks while the process is stopped."""

import asyncio

from ballonet.simulator.virtual import VirtualClock


class TroubledClock(VirtualClock):
    """The simulated world and the service live by it."""

    def __init__(self) -> None:
        self.stopped_seconds = 0.0  # for how long the process was stopped so far: the world went on
        self.set_by_seconds = 0.0  # how far the wall clock is from where it began

    def loop_seconds(self) -> float:
        """Return seconds that nothing moves but waiting."""
        return asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        """Return seconds that never jump back."""
        return asyncio.get_running_loop().time() + self.stopped_seconds

    def time(self) -> float:
        """Return epoch seconds, as the wall clock shows them."""
        return self.EPOCH + self.monotonic() + self.set_by_seconds
