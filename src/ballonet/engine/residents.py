"""Resident memory of the guests that are followed, as columns in their order."""

import numpy as np

from ballonet.engine.ports import ForeseenResidents, Residents
from ballonet.facts.snapshot import Floats


class Followed:
    """Lays what a port says by UUID side by side, unless it has that already."""

    def __init__(self, residents: Residents) -> None:
        self.uuids: tuple[str, ...] = ()
        self._residents = residents
        self._foreseen = residents if isinstance(residents, ForeseenResidents) else None

    def follow(self, uuids: tuple[str, ...]) -> None:
        """Follow exactly these guests from now on."""
        self._residents.follow(uuids)
        self.uuids = uuids

    def read(self) -> Floats:
        """Return resident bytes, NaN of those whose process cannot be read."""
        if self._foreseen:
            return self._foreseen.column()
        # None becomes NaN. Ten times a second, this is a fifth of what a glance costs.
        return np.array([*map(self._residents.read().get, self.uuids)], dtype=np.float64)

    def started_at(self) -> Floats:
        """Return the epoch seconds at which each process started, NaN for unknown."""
        if self._foreseen:
            return self._foreseen.started()
        started = [self._residents.started_at(uuid) for uuid in self.uuids]
        return np.array([np.nan if at is None else at for at in started], dtype=np.float64)

    def rise(self) -> Floats:
        """Return bytes/s by which each guest is known to grow for the next `even_seconds`."""
        return self._foreseen.rise() if self._foreseen else np.full(len(self.uuids), np.inf)

    def even_seconds(self) -> float:
        """Return for how long guests are known to go on as they do; 0 of real ones, which nobody foresees."""
        return self._foreseen.even_seconds() if self._foreseen else 0.0
