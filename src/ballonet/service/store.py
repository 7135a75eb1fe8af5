"""What outlives the process: acts, requests, events and what was learned, in one SQLite file."""

import contextlib
import json
import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, fields
from operator import attrgetter
from pathlib import Path
from sys import float_info
from typing import Any, NamedTuple

from ballonet.errors import JournalError
from ballonet.facts.act import Act, ActRecord, Outcome
from ballonet.facts.happening import Happening
from ballonet.facts.request import Hold, Lease, number_of
from ballonet.service.database import Value, are, open_or_replace
from ballonet.service.events import (
    ANY,
    INSERT_EVENT,
    EventRecord,
    Question,
    read_record,
    row_of,
    select,
    whole,
)
from ballonet.service.lock import lock
from ballonet.service.schema import MIGRATIONS

FILE = "state.sqlite"
CACHE_BYTES = 512 * 1024  # of the file in memory: what is written is seldom read
RETENTION_SECONDS = 30 * 86400.0
MOST_EVENTS = 1_000_000  # and as many acts
PRUNED_ROWS = 500  # of events and of acts, in one call: some 10 ms
# What waits while the disk is full; the oldest give way.
MOST_WAITING = 10_000
_JSON = json.JSONEncoder(separators=(",", ":"))  # `dumps` would make one for each
_OF_ACT = attrgetter(*(field.name for field in fields(Act)))


class Target(NamedTuple):
    """What a guest was last told."""

    size_bytes: int
    at: float  # epoch seconds
    had_bytes: int | None = None  # before that, while it is not known what became of it


class Store:
    """The journal of one service, which alone may have its directory open.

    What must be known before something is done is durable when the call returns. What only tells of it
    (`tell`, `settle`) waits for the next call that writes, or for `flush`, and a crash may take it.

    All calls raise JournalError. On a full or failing disk those that write do, and the others go on; what
    waits stays, and is written once that goes again, without anybody opening the store anew.
    """

    def __init__(
        self,
        directory: Path,
        *,
        retention_seconds: float = RETENTION_SECONDS,
        most_events: int = MOST_EVENTS,
    ) -> None:
        """Open the directory, or make it: RefusedError if another process has it.

        A damaged file is moved aside and a new one begun: `damaged` says where it is then.
        """
        self._retention_seconds = retention_seconds
        self._most_events = most_events
        self._waiting: deque[tuple[str, Sequence[Value]]] = deque(maxlen=MOST_WAITING)
        with contextlib.ExitStack() as undo:
            self._lock = undo.enter_context(lock(directory))
            self._database, self.damaged = open_or_replace(directory / FILE, MIGRATIONS)
            self._database.limit_cache(CACHE_BYTES)
            undo.pop_all()

    def close(self) -> None:
        """Write what waits, if that can be, and let others have the directory."""
        with contextlib.suppress(JournalError):
            self.flush()
        self._database.close()
        self._lock.close()

    # --- acts ---------------------------------------------------------------------------------------

    def before(self, acts: Sequence[Act]) -> None:
        """Write down changes that are about to be sent: all of them, or none."""
        with self._commit():
            self._database.write_many(_INSERT_ACT, map(_OF_ACT, acts))

    def settle(
        self, uuid: str, at: float, outcome: Outcome, actual_bytes: float | None = None, text: str = ""
    ) -> None:
        """Note what became of the guest's last act that is under way; that there is none is no error.

        Those before it were overtaken, unless it was refused: the guest still follows them. It waits.
        """
        result: tuple[Value, ...] = (outcome.value, at, whole(actual_bytes), text)
        self._waiting.append((_SETTLE, (*result, uuid)))
        if outcome is not Outcome.REFUSED:
            self._waiting.append((_OVERTAKE, (Outcome.OVERTAKEN.value, at, uuid)))

    def targets(self) -> dict[str, Target]:
        """Return what each guest was last told and not refused, by UUID."""
        rows = self._database.read(_TARGETS)
        return {
            uuid: Target(size, at, had if are((had,), "i") else None)
            for uuid, size, at, had in rows
            if are((uuid, size, at), "sif")
        }

    def acts(self, uuid: str, *, limit: int = 100) -> list[ActRecord]:
        """Return a guest's last acts, the oldest first, with their outcomes."""
        rows = self._database.read(_ACTS_OF_GUEST, (uuid, limit))
        return [_act_record(row) for row in reversed(rows) if are(row, "fssiisSFIs")]

    # --- what people asked for ----------------------------------------------------------------------

    def keep(self, request: Hold | Lease) -> None:
        """Write down what somebody asked for; it takes the place of what had its id."""
        with self._commit():
            self._database.write(_KEEP_HOLD if isinstance(request, Hold) else _KEEP_LEASE, astuple(request))
            self._database.write(_GIVE, (str(number_of(request.id)),))

    def drop(self, request_id: str) -> None:
        """Forget what somebody asked for; what is not known is no error."""
        with self._commit():
            self._database.write("DELETE FROM holds WHERE id = ?", (request_id,))
            self._database.write("DELETE FROM leases WHERE id = ?", (request_id,))

    def holds(self) -> list[Hold]:
        """Return all holds, also those whose time is over, in the order in which they began.

        What was damaged of one leaves the guest held, until somebody resumes it.
        """
        return [_hold(row) for row in self._database.read(_HOLDS)]

    def leases(self) -> list[Lease]:
        """Return all leases, also those whose time is over, in the order in which they began."""
        return [Lease(*row) for row in self._database.read(_LEASES) if are(row, "siffss") and row[1] > 0]

    def given(self) -> int:
        """Return the highest number of any id ever kept: who still knows an old one means nobody else's."""
        return number_of(self.value("given") or "")

    def set_value(self, name: str, text: str) -> None:
        """Keep one value of the service's own state, such as its mode."""
        with self._commit():
            self._database.write("INSERT OR REPLACE INTO state (name, text) VALUES (?, ?)", (name, text))

    def value(self, name: str) -> str | None:
        """Return a value of the service's own state; None: it was never set."""
        rows = self._database.read("SELECT text FROM state WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    # --- events -------------------------------------------------------------------------------------

    def tell(self, happening: Happening) -> None:
        """Keep what happened, with its sentence and reasons. It waits."""
        self._waiting.append((INSERT_EVENT, row_of(happening)))

    def flush(self) -> None:
        """Write what waits, in one transaction: once a tick is often enough."""
        if self._waiting:
            with self._commit():
                pass

    def events(self, question: Question = ANY) -> list[EventRecord]:
        """Return the events that are asked for, in their order; what waits is not among them yet."""
        sql, values = select(question)
        rows = [row for row in self._database.read(sql, values) if are(row, "ifsssIIsiS")]
        return sorted(map(read_record, rows), key=lambda record: record.id)

    # --- what was learned ---------------------------------------------------------------------------

    def remember(self, learned: Mapping[str, Mapping[str, float]], at: float) -> None:
        """Keep what was learned of these guests, by UUID, in place of what was kept of them before.

        What is not finite is unknown, and left out. Guests not named for the time of retention are forgotten.
        """
        rows = [(uuid, at, _document(numbers)) for uuid, numbers in learned.items()]
        with self._commit():
            self._database.write_many(
                "INSERT OR REPLACE INTO learned (uuid, at, numbers) VALUES (?, ?, ?)", rows
            )

    def learned(self) -> dict[str, dict[str, float]]:
        """Return what is known of each guest, by UUID."""
        rows = self._database.read("SELECT uuid, numbers FROM learned")
        return {uuid: _numbers(numbers) for uuid, numbers in rows if are((uuid, numbers), "ss")}

    # --- what is forgotten --------------------------------------------------------------------------

    def prune(self, now: float) -> int:
        """Forget what is older than the retention, and all above the number to be kept; return how many rows.

        Of a guest that is still seen, what it was last told stays. One call takes a small part: once a minute
        keeps up with any service, and while it returns more than 0 there may be more. Of all calls it alone
        waits for the disk.
        """
        oldest = now - self._retention_seconds
        bounds = (oldest, self._most_events, PRUNED_ROWS)
        with self._commit():
            pruned = self._database.write("DELETE FROM learned WHERE at < ?", (oldest,))
            pruned += self._database.write(_PRUNE_EVENTS, bounds) + self._database.write(_PRUNE_ACTS, bounds)
        self._database.tidy()
        return pruned

    @contextlib.contextmanager
    def _commit(self) -> Iterator[None]:
        """Make what waits, and after it what is written inside, durable in one transaction."""
        with self._database.writing():
            for sql, values in self._waiting:
                self._database.write(sql, values)
            yield
        self._waiting.clear()


def _act_record(row: tuple[Any, ...]) -> ActRecord:
    """Return what a row of `_ACTS_OF_GUEST` says."""
    outcome = row[6] if row[6] in set(Outcome) else None
    return ActRecord(Act(*row[:6]), None if outcome is None else Outcome(outcome), *row[7:])


def _hold(row: tuple[Any, ...]) -> Hold:
    """Return what a row of `_HOLDS` says, as far as it was not damaged."""
    if are(row, "sssfFssI"):
        return Hold(*row)
    number, uuid, name = map(str, row[:3])
    return Hold(number, uuid, name, 0.0, None, "somebody", "what is known of it was damaged", None)


def _numbers(text: str) -> dict[str, float]:
    """Return what `_document` was made of; of a damaged one nothing."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    said = found.items() if isinstance(found, dict) else ()
    return {name: float(value) for name, value in said if are((value,), "f") and abs(value) <= float_info.max}


def _document(numbers: Mapping[str, float]) -> str:
    """Return finite numbers as JSON."""
    finite = {name: number for name, number in numbers.items() if math.isfinite(number)}
    return _JSON.encode(finite)


_INSERT_ACT = """
    INSERT INTO acts (at, uuid, name, from_bytes, to_bytes, cause) VALUES (?, ?, ?, ?, ?, ?)
"""
_SETTLE = """
    UPDATE acts SET outcome = ?, settled_at = ?, actual_bytes = ?, text = ?
    WHERE id = (SELECT max(id) FROM acts WHERE uuid = ? AND outcome IS NULL)
"""
_OVERTAKE = "UPDATE acts SET outcome = ?, settled_at = ? WHERE uuid = ? AND outcome IS NULL"
# From guest to guest along the index: the acts of a month are not read for the last one of each.
_TARGETS = """
    WITH RECURSIVE guests (uuid) AS (
        SELECT min(uuid) FROM acts
        UNION ALL
        SELECT (SELECT min(uuid) FROM acts WHERE uuid > guests.uuid) FROM guests WHERE uuid IS NOT NULL
    )
    SELECT acts.uuid, to_bytes, at, CASE WHEN outcome IS NULL AND cause IS NOT 'adopted' THEN from_bytes END
    FROM guests JOIN acts ON id = (
        SELECT id FROM acts AS own
        WHERE own.uuid = guests.uuid AND own.outcome IS NOT 'refused' ORDER BY id DESC LIMIT 1
    )
"""
_ACTS_OF_GUEST = """
    SELECT at, uuid, name, from_bytes, to_bytes, cause, outcome, settled_at, actual_bytes, text FROM acts
    WHERE uuid = ? ORDER BY id DESC LIMIT ?
"""
_KEEP_HOLD = """
    INSERT OR REPLACE INTO holds (id, uuid, name, begun_at, until, who, why, size_bytes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_GIVE = """
    INSERT INTO state (name, text) VALUES ('given', ?)
    ON CONFLICT (name) DO UPDATE SET text = excluded.text
    WHERE CAST(excluded.text AS INTEGER) > CAST(state.text AS INTEGER)
"""
_HOLDS = "SELECT id, uuid, name, begun_at, until, who, why, size_bytes FROM holds ORDER BY begun_at, id"
_KEEP_LEASE = """
    INSERT OR REPLACE INTO leases (id, size_bytes, begun_at, until, who, guest) VALUES (?, ?, ?, ?, ?, ?)
"""
_LEASES = "SELECT id, size_bytes, begun_at, until, who, guest FROM leases ORDER BY begun_at, id"
_PRUNE_EVENTS = """
    DELETE FROM events WHERE id IN (
        SELECT id FROM events WHERE at < ? OR id <= (SELECT max(id) FROM events) - ? LIMIT ?
    )
"""
_PRUNE_ACTS = """
    DELETE FROM acts WHERE id IN (
        SELECT id FROM acts AS old
        WHERE (at < ? OR id <= (SELECT max(id) FROM acts) - ?)
        AND NOT (
            EXISTS (SELECT * FROM learned WHERE learned.uuid = old.uuid)
            AND id IS (
                SELECT id FROM acts AS own
                WHERE own.uuid = old.uuid AND own.outcome IS NOT 'refused' ORDER BY id DESC LIMIT 1
            )
        )
        LIMIT ?
    )
"""
