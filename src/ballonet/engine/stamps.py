"""When guests sent their statistics, although the wall clock that stamps them may be set meanwhile."""

import numpy as np

from ballonet.engine.table import Now
from ballonet.facts.snapshot import Floats
from ballonet.policy.verdicts import ROUNDING_SECONDS


class Stamps:
    """Remembers of each guest's last statistics when they were sent, at the latest."""

    def __init__(self) -> None:
        self._uuids: tuple[str, ...] = ()
        self._stamp: Floats = np.empty(0)  # epoch seconds
        self._sent_at: Floats = np.empty(0)  # monotonic seconds

    def sent_at(self, uuids: tuple[str, ...], stamp: Floats, now: Now) -> Floats:
        """Return the monotonic seconds at which what has these stamps (epoch seconds) was sent.

        While a stamp stays the same that is what it came to at any look, at the earliest, and no later
        than it was first seen: when the clock is set back, a guest that fell silent has not just spoken.
        What is from the future by the clock of now stays so.
        """
        self._lay_out(uuids)
        by_stamp = now.monotonic - (now.epoch - stamp)
        first_seen_at = np.where(stamp == self._stamp, self._sent_at, now.monotonic)
        self._stamp, self._sent_at = stamp, np.minimum(by_stamp, first_seen_at)
        return np.where(by_stamp - now.monotonic > ROUNDING_SECONDS, by_stamp, self._sent_at)

    def _lay_out(self, uuids: tuple[str, ...]) -> None:
        """Lay what is remembered in the order of these guests."""
        if uuids == self._uuids:
            return
        known = {uuid: row for row, uuid in enumerate(self._uuids)}
        rows = np.array([known.get(uuid, -1) for uuid in uuids], dtype=np.intp)  # -1: the NaN at the end
        self._stamp, self._sent_at = (
            np.append(column, np.nan)[rows] for column in (self._stamp, self._sent_at)
        )
        self._uuids = uuids
