"""Time, as the viewer has it: which frame is shown, whether it goes on by itself, and how fast."""

import asyncio
from contextlib import suppress

from ballonet.show.terminal.source import Frame, Source

SLOWEST, FASTEST = 0.25, 64.0


class Playback:
    """Goes through a source's frames."""

    def __init__(self, source: Source) -> None:
        self.playing, self.speed = True, 1.0
        self.number: int | None = None  # of the frame that is shown
        self._source = source
        self._ahead: int | None = None  # the number of a frame that is there before its turn
        self._changed = asyncio.Event()  # how time passes was changed

    @property
    def numbers(self) -> range:
        """Return the frames whose turn has come."""
        numbers = self._source.numbers
        return numbers[:-1] if self._ahead is not None and len(numbers) > 1 else numbers

    @property
    def frame(self) -> Frame | None:
        """Return the frame that is shown; None before the first."""
        numbers = self.numbers
        if not numbers or self.number is None:
            return None
        self.number = max(numbers.start, min(self.number, numbers.stop - 1))
        return self._source.frame(self.number)

    @property
    def newest(self) -> bool:
        """Return whether the newest frame is shown."""
        numbers = self.numbers
        return bool(numbers) and self.number == numbers.stop - 1

    # --- going on by itself -------------------------------------------------------------------------

    async def advance(self) -> bool:
        """Go to the next frame when it is its turn; return False where there was none to wait for.

        Raises what the source does.
        """
        self._changed.clear()
        if self._source.paced and not self.playing:
            await self._changed.wait()
            return False
        found = await self._next()
        if found is None:
            self.playing = False
        elif await self._due(found) and self.playing:
            self.number, self._ahead = found, None
        return True

    async def _next(self) -> int | None:
        """Return the number of the frame that comes next; None: there is none."""
        numbers = self._source.numbers
        if self._source.paced and numbers and (self.number is None or self.number + 1 in numbers):
            return numbers.start if self.number is None else self.number + 1
        frame = await self._source.next()
        if frame is None:
            return None
        self._ahead = frame.number if self._source.paced else None
        return frame.number

    async def _due(self, number: int) -> bool:
        """Wait until it is this frame's turn; return False where that was changed meanwhile."""
        if not self._source.paced or self.number is None or self.number not in self._source.numbers:
            return True
        seconds = max(0.0, self._source.at(number) - self._source.at(self.number)) / self.speed
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
                return False
        return True

    # --- where somebody wants it --------------------------------------------------------------------

    def play(self, *, playing: bool) -> None:
        """Go on, or stop; where time passes as it does, going on is from the newest frame."""
        self.playing = playing
        if playing and not self._source.paced and self.numbers:
            self.number = self.numbers.stop - 1
        self._changed.set()

    async def step(self, frames: int) -> None:
        """Go to an earlier or later frame, and stay there."""
        if self.number is None:
            return
        wanted = self.number + frames
        if wanted not in self.numbers and frames > 0:
            if self._ahead is None and self._source.paced:
                await self._source.next()
            self._ahead = None
        self.go(wanted)

    def go(self, number: int) -> None:
        """Go to a frame, or the nearest that there is, and stay there unless it is the present."""
        numbers = self.numbers
        self.number = max(numbers.start, min(number, numbers.stop - 1)) if numbers else None
        self.play(playing=self.newest and not self._source.paced)

    def faster(self, factor: float) -> None:
        """Have time pass so many times as fast, where that can be."""
        if self._source.paced:
            self.speed = max(SLOWEST, min(FASTEST, self.speed * factor))
            self._changed.set()
