"""The samples of one minute: the host's, and those of every guest seen in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ballonet.facts.snapshot import Floats
from ballonet.service.samples import GUEST, HOST, Cells, Fields, Series, merged

BLOCK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Tick:
    at: float  # epoch seconds
    uuids: tuple[str, ...]
    host: Cells
    guests: Cells  # fields x guests


@dataclass(slots=True)
class Block:
    """What is told of one minute, tick by tick."""

    number: int  # minutes since 1970
    good_seconds: float
    names: dict[str, str] = field(default_factory=dict)  # of its guests, by UUID
    _ticks: list[_Tick] = field(default_factory=list)

    @classmethod
    def at(cls, at: float, good_seconds: float) -> "Block":
        """Return an empty one for the minute of an epoch second."""
        return cls(int(at // BLOCK_SECONDS), good_seconds)

    def holds(self, at: float) -> bool:
        """Return whether a time belongs into its minute, after what it has already."""
        return self.number == at // BLOCK_SECONDS and (not self._ticks or at > self._ticks[-1].at)

    @property
    def begun_at(self) -> float:
        """Return the epoch second of its first tick."""
        return self._ticks[0].at

    def add(
        self, at: float, uuids: tuple[str, ...], names: Sequence[str], host: Cells, guests: Cells
    ) -> None:
        """Take in a tick. Of those within one second, which bursts call for, one sample is kept."""
        last = self._ticks[-1] if self._ticks else None
        if last is None or last.uuids != uuids:
            self.names.update(zip(uuids, names, strict=True))
        elif int(last.at) == int(at):
            self._ticks.pop()
            host, guests = _both(last.host, host, HOST), _both(last.guests, guests, GUEST)
        self._ticks.append(_Tick(at, uuids, host, guests))

    def host(self) -> Series:
        """Return the host's samples."""
        return Series(HOST, self._at(), np.stack([tick.host for tick in self._ticks]), self._good())

    def guest(self, uuid: str) -> Series:
        """Return a guest's samples; none where it was not seen."""
        there = [(tick, tick.uuids.index(uuid)) for tick in self._ticks if uuid in tick.uuids]
        at = np.array([tick.at for tick, _ in there])
        cells = [tick.guests[:, row] for tick, row in there]
        stacked = np.stack(cells) if cells else np.empty((0, len(GUEST)), dtype=np.float32)
        return Series(GUEST, at, stacked, np.full(len(at), self.good_seconds))

    def guests(self) -> Mapping[str, Series]:
        """Return every guest's samples, by UUID."""
        return {uuid: self.guest(uuid) for uuid in self.names}

    def _at(self) -> Floats:
        return np.array([tick.at for tick in self._ticks])

    def _good(self) -> Floats:
        return np.full(len(self._ticks), self.good_seconds)


def _both(first: Cells, second: Cells, fields: Fields) -> Cells:
    """Return one sample for two."""
    both: Cells = merged(np.stack([first, second]), np.array([0]), fields)[0]
    return both
