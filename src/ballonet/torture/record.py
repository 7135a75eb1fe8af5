"""The event log of one run: its last lines, and a hash over all, which the same seed gives again."""

import hashlib
from collections import deque

from ballonet.torture.clock import TroubledClock

SHOWN_LINES = 40


class Record:
    """Lines with their virtual second."""

    def __init__(self, clock: TroubledClock) -> None:
        self._clock = clock
        self._hash = hashlib.sha256()
        self._last: deque[str] = deque(maxlen=SHOWN_LINES)
        self.lines = 0

    def note(self, line: str) -> None:
        """Write one line."""
        text = f"{self._clock.monotonic():10.3f} {line}"
        self._hash.update(text.encode() + b"\n")
        self._last.append(text)
        self.lines += 1

    def last(self) -> tuple[str, ...]:
        """Return the last lines."""
        return tuple(self._last)

    def digest(self) -> str:
        """Return the hash over all lines."""
        return self._hash.hexdigest()[:16]
