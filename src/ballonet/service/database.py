"""One SQLite file: opened, checked, brought up to date, and every failure of it a JournalError."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ballonet.errors import JournalError

Value = str | bytes | int | float | None

# The event loop waits with it: only a person with sqlite3 at hand can be in the way, and only while opening.
BUSY_SECONDS = 0.2
VACUUMED_PAGES = 100

# No memory shared with others beside the file, which a full disk could refuse.
_ALONE = "PRAGMA locking_mode = EXCLUSIVE"
_LOG = """
    PRAGMA journal_mode = WAL;
    -- A commit is with the kernel when it returns, and outlives this process however that ends. Only a power
    -- loss can take the last ones, and it ends the guests that they are about as well.
    PRAGMA synchronous = NORMAL;
    -- The log is brought into the file by `tidy`, when nobody waits, and by a commit only beyond 40 MB of it.
    PRAGMA wal_autocheckpoint = 10000;
"""

_HINTS = {
    sqlite3.SQLITE_FULL: "make room on the disk: nothing is sent until then, and it goes on by itself",
    sqlite3.SQLITE_READONLY: "see who may write there, and how the disk is mounted: findmnt -T {path}",
    sqlite3.SQLITE_CANTOPEN: "see who may write there, and how the disk is mounted: findmnt -T {path}",
    sqlite3.SQLITE_IOERR: "look for what the kernel says of the disk: journalctl -k",
    sqlite3.SQLITE_BUSY: "another program has it open: fuser {path}",
    sqlite3.SQLITE_CORRUPT: "start the service again: it moves the file aside and begins a new one",
}
_ANY_HINT = "if it does not pass, begin anew: mv {path} {path}.broken"


class DamagedError(JournalError):
    """The file is no database, or a broken one."""


class Database:
    """An open file. Any text is kept as it is, with NUL and lone surrogates; all calls raise JournalError."""

    def __init__(self, path: Path, migrations: Sequence[str]) -> None:
        """Open the file, or make it: JournalError if that cannot be, DamagedError if it is broken.

        `migrations` are the scripts that bring it from each version to the next.
        """
        self._path = path
        self._migrations = migrations
        with contextlib.ExitStack() as undo, _failures(f"{path} cannot be opened", path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            self._connection = undo.enter_context(contextlib.closing(connection))
            self._connection.text_factory = _text
            self._connection.executescript(_ALONE)
            self._refuse_newer()
            self._refuse_damaged()
            self._prepare()
            self._migrate()
            undo.pop_all()

    def read(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Return all rows."""
        with _failures(f"{self._path} cannot be read", self._path):
            return [tuple(map(_taken, row)) for row in self._connection.execute(sql, _bound(values))]

    def read_blobs(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Return all rows as they are: bytes are no text."""
        with _failures(f"{self._path} cannot be read", self._path):
            return self._connection.execute(sql, _bound(values)).fetchall()

    @property
    def size_bytes(self) -> int:
        """Return what the file holds, without what is free in it."""
        with _failures(f"{self._path} cannot be read", self._path):
            pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
            return pages * self._number("PRAGMA page_size")

    def limit_cache(self, size_bytes: int) -> None:
        """Keep no more of the file than this in memory; SQLite's own limit is 2 MB."""
        with _failures(f"{self._path} cannot be read", self._path):
            self._connection.executescript(f"PRAGMA cache_size = -{size_bytes // 1024}")

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Make all that is written inside one transaction, durable at its end; none of it after an error."""
        with _failures(f"{self._path} cannot be written", self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                self._connection.rollback()  # nothing, after a commit

    def write(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Change rows within `writing`; return how many."""
        return self._connection.execute(sql, _bound(values)).rowcount

    def write_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Change rows within `writing`, once for each of `rows`."""
        self._connection.executemany(sql, map(_bound, rows))

    def tidy(self) -> None:
        """Bring the log into the file, which waits for the disk, and give back some of what is free in it."""
        with _failures(f"{self._path} cannot be written", self._path):
            free, pages = (self._number(f"PRAGMA {count}") for count in ("freelist_count", "page_count"))
            if free > pages / 8:  # fewer are soon used again
                self._connection.executescript(f"PRAGMA incremental_vacuum({VACUUMED_PAGES})")
            self._connection.executescript("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._connection.close()

    def _number(self, sql: str) -> int:
        number: int = self._connection.execute(sql).fetchone()[0]
        return number

    def _refuse_newer(self) -> None:
        directory, known = self._path.parent, len(self._migrations)
        version = self._number("PRAGMA user_version")
        if version > known:
            raise JournalError(
                f"{self._path} is from a newer ballonet: its version is {version}, this one knows {known}",
                hint=f"install that ballonet again, or begin anew: mv {directory} {directory}.newer",
            )

    def _refuse_damaged(self) -> None:
        """Look at every page once: 1 s for a million events."""
        finding: str = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if finding != "ok":
            raise DamagedError(f"{self._path} is damaged: {finding}")

    def _prepare(self) -> None:
        """Set how the file is written."""
        if self._number("PRAGMA user_version") == 0:  # a new one: later it has no effect, but is a write
            self._connection.executescript("PRAGMA auto_vacuum = INCREMENTAL")
        self._connection.executescript(_LOG)

    def _migrate(self) -> None:
        """Bring the file up to date, each version in a transaction of its own."""
        before = self._number("PRAGMA user_version")
        for version, script in enumerate(self._migrations[before:], start=before + 1):
            self._connection.executescript(f"BEGIN; {script} PRAGMA user_version = {version}; COMMIT;")


def open_or_replace(path: Path, migrations: Sequence[str]) -> tuple[Database, Path | None]:
    """Return the database, and where a damaged one was moved to make way for it (None: it was sound)."""
    try:
        return Database(path, migrations), None
    except DamagedError:
        aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%S')}")
        with _failures(f"{path} is damaged and cannot be moved aside", path):
            # The log before its file: left alone, it would be played into the new one.
            for suffix in ("-wal", ""):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
        return Database(path, migrations), aside


@contextlib.contextmanager
def _failures(what: str, path: Path) -> Iterator[None]:
    """Raise what SQLite and the system say of a file as JournalError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the higher bits tell varieties of it apart
        damaged = code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
        kind = DamagedError if damaged else JournalError
        hint = _HINTS.get(sqlite3.SQLITE_CORRUPT if damaged else code, _ANY_HINT)
        raise kind(f"{what}: {error}", hint=hint.format(path=path)) from error
    except OSError as error:
        hint = _HINTS[sqlite3.SQLITE_CANTOPEN].format(path=path.parent)
        raise JournalError(f"{what}: {error.strerror}", hint=hint) from error
    except UnicodeDecodeError as error:  # SQLite names what is damaged by its damaged name
        raise DamagedError(f"{what}: it is damaged", hint=_HINTS[sqlite3.SQLITE_CORRUPT]) from error
    except OverflowError as error:
        raise JournalError(f"{what}: a size of 8 EiB or more", hint=_ANY_HINT.format(path=path)) from error


def _bound(values: Sequence[Value]) -> tuple[Value, ...]:
    """Return values as SQLite takes them: text that is no Unicode, as names of guests may be, as bytes."""
    return tuple(_plain(value) if isinstance(value, str) else value for value in values)


def _plain(text: str) -> str | bytes:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")
    return text


def _taken(value: Value) -> Value:
    """Return a value as it was before it was bound."""
    return _text(value) if isinstance(value, bytes) else value


_TYPES: dict[str, tuple[type, ...]] = {"i": (int,), "f": (int, float), "s": (str,)}


def are(values: Sequence[object], kinds: str) -> bool:
    """Return whether values are integers (i), numbers (f) and texts (s); those in capitals may be unknown.

    SQLite keeps anything in any column, and a flipped bit is found by nobody else.
    """
    return all(
        (value is None and kind.isupper())
        or (isinstance(value, _TYPES[kind.lower()]) and not isinstance(value, bool))
        for value, kind in zip(values, kinds, strict=True)
    )


def _text(raw: bytes) -> str:
    """Return a text as it was written; of one that was damaged what is left of it."""
    try:
        return raw.decode(errors="surrogatepass")
    except UnicodeDecodeError:
        return raw.decode(errors="replace")
