"""The samples of one minute: the host's, and those of every guest seen in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ballonet.facts.snapshot import Floats
from ballonet.service.samples import GUEST, HOST, Cells, Fields, Series, Table, merged

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
        at, cells = (np.array([tick.at for tick in self._ticks]), [tick.host for tick in self._ticks])
        return Series(HOST, at, np.stack(cells), np.full(len(at), self.good_seconds))

    def guests(self) -> tuple[list[str], Floats, Cells]:
        """Return who was seen, when samples end, and guests x samples x fields: NaN while one was away."""
        uuids = list(self.names)
        rows = {uuid: row for row, uuid in enumerate(uuids)}
        cells = np.full((len(uuids), len(self._ticks), len(GUEST)), np.nan, dtype=np.float32)
        for number, tick in enumerate(self._ticks):
            cells[[rows[uuid] for uuid in tick.uuids], number] = tick.guests.T
        return uuids, np.array([tick.at for tick in self._ticks]), cells

    def table(self) -> Table:
        """Return the samples of all guests that were seen."""
        uuids, at, cells = self.guests()
        guest, tick = np.nonzero(np.isfinite(cells).any(axis=2))
        return Table(uuids, guest, at[tick], cells[guest, tick])

    def guest(self, uuid: str) -> Series:
        """Return a guest's samples; none where it was not seen."""
        there = [tick for tick in self._ticks if uuid in tick.uuids] if uuid in self.names else []
        cells = [tick.guests[:, tick.uuids.index(uuid)] for tick in there]
        return Series(
            GUEST,
            np.array([tick.at for tick in there]),
            np.stack(cells) if cells else np.empty((0, len(GUEST)), np.float32),
            np.full(len(there), self.good_seconds),
        )


def _both(first: Cells, second: Cells, fields: Fields) -> Cells:
    """Return one sample for two."""
    both: Cells = merged(np.stack([first, second]), np.array([0]), fields)[0]
    return both
