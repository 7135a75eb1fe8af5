"""Virtual time: an event loop whose clock jumps to what is due next instead of waiting for it."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")


class _Selector(selectors.SelectSelector):
    """Waits for nothing: there is nobody outside."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(0)
        self.now += max(timeout, 0.0)
        return []


class _Loop(asyncio.SelectorEventLoop):
    """Tells the time of its selector."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(main: Coroutine[object, object, Result]) -> Result:
    """Run a coroutine on virtual time; it must wait for nothing but time, and ends at once."""
    found: list[Result] = []

    async def keep() -> None:
        # Not returned: to let go of Ctrl+C Python writes out a finished task, and all that came of it.
        found.append(await main)

    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(keep())
    return found[0]


class Paced:
    """Virtual time that passes only while something is waited for, and stands still in between."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=_Loop)

    def run(self, main: Coroutine[object, object, Result]) -> Result:
        """Let time pass until a coroutine has ended, for all tasks that were begun."""
        return self._runner.run(main)

    def close(self) -> None:
        """End all tasks."""
        self._runner.close()


class VirtualClock:
    """The loop's time behind the engine's `Clock`."""

    EPOCH = 1_700_000_000.0  # a day like any other

    def time(self) -> float:
        """Return epoch seconds."""
        return self.EPOCH + self.monotonic()

    def monotonic(self) -> float:
        """Return seconds since the loop began."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        await asyncio.sleep(seconds)
