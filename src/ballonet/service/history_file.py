"""The history on disk: each tick for an hour or so, each minute for a week, within bounds."""

import contextlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ballonet.errors import JournalError
from ballonet.facts.snapshot import Floats
from ballonet.service.block import BLOCK_SECONDS, Block
from ballonet.service.database import Value, open_or_replace
from ballonet.service.samples import GUEST, HOST, Cells, Fields, Series, Table, merged
from ballonet.service.schema import HISTORY_MIGRATIONS

FILE = "history.sqlite"
TICKS: Final = 0  # the step of rows that hold each tick of a minute
MINUTES: Final = int(BLOCK_SECONDS)
MOST_FIELDS: Final = 1000  # of a sample: a row that says more was damaged
CACHE_BYTES = 512 * 1024  # rows are written once, and seldom read: the system caches the file, too
# So much is forgotten in one call: ten times what comes, and with 100 guests a thousand rows, some 2 ms.
PRUNED_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """For how long ticks and minutes are kept, and in how many bytes at most."""

    ticks_seconds: float = 3600.0
    minutes_seconds: float = 7 * 86400.0
    most_bytes: int = 300 << 20


class HistoryFile:
    """The samples of one host. All calls raise JournalError; the directory is locked by the journal."""

    def __init__(self, directory: Path, bounds: Bounds) -> None:
        """Open the file, or make it; one that is damaged is moved aside: `damaged` says where it is then."""
        self._bounds = bounds
        self._database, self.damaged = open_or_replace(directory / FILE, HISTORY_MIGRATIONS)
        self._database.limit_cache(CACHE_BYTES)
        self._guests: dict[str, tuple[int, str]] = {}  # id and name by UUID
        self._read_guests()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # --- writing ------------------------------------------------------------------------------------

    def write(self, blocks: Iterable[Block]) -> None:
        """Keep these minutes, all of them or none."""
        try:
            with self._database.writing():
                for block in blocks:
                    self._see(block)
                    self._database.write_many(_INSERT_HOST, _host_rows(block))
                    self._database.write_many(_INSERT_GUEST, self._guest_rows(block))
        except JournalError:
            with contextlib.suppress(JournalError):
                self._read_guests()  # what was not committed is not known
            raise

    def _see(self, block: Block) -> None:
        """Have an id for each guest of a block, and note when it was there."""
        begun = int(block.begun_at)
        self._database.write_many(_SEE, [(uuid, name, begun) for uuid, name in block.names.items()])
        if any(self._guests.get(uuid, (0, None))[1] != name for uuid, name in block.names.items()):
            self._read_guests()

    def _guest_rows(self, block: Block) -> Iterator[tuple[Value, ...]]:
        uuids, at, cells = block.guests()
        begun = int(block.begun_at)
        offsets = np.broadcast_to((at - begun).astype(np.float32)[:, np.newaxis], (*cells.shape[:2], 1))
        ticks = np.concatenate([offsets, cells], axis=2)
        there = np.logical_or.reduce(np.isfinite(cells), axis=2)
        minutes = merged(cells.transpose(1, 2, 0), np.array([0]), GUEST)[0].T
        for row, uuid in enumerate(uuids):
            guest = self._guests[uuid][0]
            seen = ticks[row][there[row]]
            minute = seen[-1, :1].tobytes() + minutes[row].tobytes()
            yield TICKS, begun, guest, len(GUEST), zlib.compress(seen.tobytes(), level=1)
            yield MINUTES, begun, guest, len(GUEST), minute

    def prune(self, now: float) -> None:
        """Forget some of what is too old, or too much; while it is too much, each call forgets some more.

        What lies as far in the future is from a clock that was wrong.
        """
        kept = {TICKS: self._bounds.ticks_seconds, MINUTES: self._bounds.minutes_seconds}
        firsts = {step: self.first(step) for step in kept}
        ends = {step: now - seconds for step, seconds in kept.items()}
        if self._database.size_bytes > self._bounds.most_bytes:
            # Minutes first: ticks are the last hour's, and give way only where that alone is too much.
            older = (firsts[MINUTES] or now) < (firsts[TICKS] or now)
            ends[MINUTES if older else TICKS] = now
        with self._database.writing():
            for step, first in firsts.items():
                if first is not None:
                    end = min(ends[step], first + PRUNED_SECONDS)
                    for sql in _FORGET:
                        self._database.write(sql.format("<"), (step, end))
                        self._database.write(sql.format(">"), (step, now + kept[step]))
            if self._database.write(_FORGET_GUESTS, (MINUTES,)):
                self._read_guests()
        self._database.tidy()

    # --- reading ------------------------------------------------------------------------------------

    def names(self) -> dict[str, str]:
        """Return the names of all guests that there are samples of, by UUID, the oldest first."""
        return {uuid: name for uuid, (_, name) in self._guests.items()}

    def first(self, step: int) -> float | None:
        """Return when the first row of a step begins; None: there is none."""
        first: float | None = self._database.read(_FIRST, (step,))[0][0]
        return first

    def guest(self, step: int, uuid: str, since: float, until: float, good_seconds: float) -> Series:
        """Return a guest's samples that end after `since`, and at `until` at the latest."""
        guest = self._guests.get(uuid, (None, ""))[0]
        # A row may have begun up to a minute before what it holds.
        rows = self._database.read_blobs(_GUEST, (guest, step, since - BLOCK_SECONDS, until))
        at, cells, _ = _read(GUEST, step, rows)
        return Series(GUEST, at, cells, np.full(len(at), good_seconds + step)).between(since, until)

    def guests(self, step: int, since: float, until: float) -> Table:
        """Return the samples of all guests likewise."""
        rows = self._database.read_blobs(_GUESTS, (step, since - BLOCK_SECONDS, until))
        at, cells, counts = _read(GUEST, step, rows)
        numbers, guest = np.unique(np.repeat([row[3] for row in rows], counts), return_inverse=True)
        uuids = {number: uuid for uuid, (number, _) in self._guests.items()}
        known = [uuids.get(int(number), "") for number in numbers]
        return Table(known, guest, at, cells).between(since, until)

    def host(self, step: int, since: float, until: float, good_seconds: float) -> Series:
        """Return the host's likewise."""
        rows = self._database.read_blobs(_HOST, (step, since - BLOCK_SECONDS, until))
        at, cells, _ = _read(HOST, step, rows)
        return Series(HOST, at, cells, np.full(len(at), good_seconds + step)).between(since, until)

    def _read_guests(self) -> None:
        rows = self._database.read("SELECT uuid, id, name FROM guests ORDER BY id")
        self._guests = {uuid: (number, name) for uuid, number, name in rows}


def _host_rows(block: Block) -> Iterator[tuple[Value, ...]]:
    series, begun = block.host(), int(block.begun_at)
    ticks = np.column_stack([(series.at - begun).astype(np.float32), series.cells])
    minute = ticks[-1, :1].tobytes() + merged(series.cells, np.array([0]), HOST).tobytes()
    yield TICKS, begun, len(HOST), zlib.compress(ticks.tobytes(), level=1)
    yield MINUTES, begun, len(HOST), minute


def _read(
    fields: Fields, step: int, rows: Sequence[tuple[Any, ...]]
) -> tuple[Floats, Cells, NDArray[np.intp]]:
    """Return when samples end, their values, and how many are of each row: of `at`, `fields`, `cells`, ..."""
    at, found = [np.empty(0)], [np.empty((0, len(fields)), dtype=np.float32)]
    counts: list[int] = []
    for number, group in groupby(rows, key=itemgetter(1)):  # earlier versions have fewer fields
        same = list(group)
        if not isinstance(number, int) or not 0 < number <= MOST_FIELDS:
            counts += [0] * len(same)
            continue
        blobs = [_unpacked(row, step, 4 * (1 + number)) for row in same]
        own = [len(blob) // (4 * (1 + number)) for blob in blobs]
        table = np.frombuffer(b"".join(blobs), dtype=np.float32).reshape(-1, 1 + number)
        cells = np.full((len(table), len(fields)), np.nan, dtype=np.float32)
        cells[:, :number] = table[:, 1 : 1 + len(fields)]
        begun = [float(row[0]) if count else 0.0 for row, count in zip(same, own, strict=True)]
        at.append(np.repeat(begun, own) + table[:, 0].astype(np.float64))
        found.append(cells)
        counts += own
    return np.concatenate(at), np.concatenate(found), np.array(counts, dtype=np.intp)


def _unpacked(row: tuple[Any, ...], step: int, width: int) -> bytes:
    """Return the values of a row, so many bytes a sample; none of one that was damaged."""
    at, _, cells = row[:3]
    if not isinstance(at, int) or not isinstance(cells, bytes):
        return b""
    try:
        values = zlib.decompress(cells) if step == TICKS else cells
    except zlib.error:
        return b""
    return b"" if len(values) % width else values


_INSERT_HOST = "INSERT OR REPLACE INTO host_samples (step, at, fields, cells) VALUES (?, ?, ?, ?)"
_INSERT_GUEST = "INSERT OR REPLACE INTO guest_samples (step, at, guest, fields, cells) VALUES (?, ?, ?, ?, ?)"
_SEE = """
    INSERT INTO guests (uuid, name, seen_at) VALUES (?, ?, ?)
    ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, seen_at = max(seen_at, excluded.seen_at)
"""
_FIRST = "SELECT min(at) FROM host_samples WHERE step = ?"
_HOST = "SELECT at, fields, cells FROM host_samples WHERE step = ? AND at > ? AND at <= ? ORDER BY at"
# From row to row of the host: each of the guest's is found by its key.
_GUEST = """
    SELECT host.at, own.fields, own.cells FROM host_samples AS host
    CROSS JOIN guest_samples AS own ON own.step = host.step AND own.at = host.at AND own.guest = ?
    WHERE host.step = ? AND host.at > ? AND host.at <= ? ORDER BY host.at
"""
_GUESTS = "SELECT at, fields, cells, guest FROM guest_samples WHERE step = ? AND at > ? AND at <= ?"
_FORGET = (
    "DELETE FROM guest_samples WHERE step = ? AND at {} ?",
    "DELETE FROM host_samples WHERE step = ? AND at {} ?",
)
_FORGET_GUESTS = """
    DELETE FROM guests WHERE NOT EXISTS (SELECT * FROM host_samples WHERE step = ? AND at <= seen_at)
"""
