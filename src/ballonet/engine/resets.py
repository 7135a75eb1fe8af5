"""When guests were reset: their process goes on, but all that was known of them is over."""

from collections.abc import Iterable, Mapping

import numpy as np

from ballonet.engine.ports import Clock
from ballonet.facts.snapshot import Bools, Floats

TWICE_SECONDS = (
    1.0  # of a reset that was asked for libvirt tells twice, 20 ms apart: when asked, and when done
)


class Resets:
    """Remembers the last reset of each guest, in monotonic seconds: the wall clock may be set meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at: dict[str, float] = {}

    def heard(self, uuid: str) -> bool:
        """Take in that a guest was reset now; return whether that is news."""
        before, self._at[uuid] = self._at.get(uuid, -np.inf), self._clock.monotonic()
        return self._at[uuid] - before > TWICE_SECONDS

    def recall(self, at: Mapping[str, float]) -> None:
        """Know again when guests began anew, in monotonic seconds."""
        self._at.update(at)

    def forget(self, uuids: Iterable[str]) -> None:
        """Forget guests that are gone."""
        for uuid in uuids:
            self._at.pop(uuid, None)

    def after(self, look_at: float, uuids: tuple[str, ...]) -> Bools:
        """Return which guests were reset since these monotonic seconds."""
        if not self._at:  # as nearly always, and this is asked at each glance at a burst
            return np.zeros(len(uuids), dtype=np.bool_)
        return np.array([self._at.get(uuid, -np.inf) > look_at for uuid in uuids], dtype=np.bool_)

    def since(self, uuids: tuple[str, ...], born_at: Floats) -> Floats:
        """Return the epoch seconds at which each began anew: with its process, or when it was reset since."""
        if not self._at:
            return born_at
        reset_at = np.array([self._at.get(uuid, np.nan) for uuid in uuids], dtype=np.float64)
        return np.fmax(born_at, reset_at + (self._clock.time() - self._clock.monotonic()))
