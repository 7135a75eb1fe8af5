"""Counters of guests that only grow: by how much they rose from one look to the next."""

import numpy as np

from ballonet.facts.snapshot import Floats, everybody


class Rising:
    """One counter of each guest as it was last seen, those of guests that went included."""

    def __init__(self) -> None:
        self._uuids: tuple[str, ...] = ()
        self._seen: Floats = np.empty(0)
        self._gone: dict[str, float] = {}

    def since_last(self, uuids: tuple[str, ...], counters: Floats) -> Floats:
        """Return by how much each rose since it was last seen, a reset counting from 0; NaN where unknown."""
        if uuids != self._uuids:
            self._gone.update(zip(self._uuids, self._seen.tolist(), strict=True))
            self._seen = np.array([self._gone.pop(uuid, np.nan) for uuid in uuids])
            self._uuids = uuids
        before = self._seen
        if everybody(counters == before):  # as in most ticks
            return np.zeros(len(uuids))
        self._seen = np.where(np.isnan(counters), before, counters)
        risen = np.where(counters >= before, counters - before, counters)
        return np.where(np.isnan(before), np.nan, risen)
