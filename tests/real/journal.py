"""The journal of a service that runs: it lets nobody else read its file, so a copy is read."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

FILE = "state.sqlite"


@contextmanager
def copied(state: Path) -> Iterator[sqlite3.Connection]:
    """Open a copy of what is written in a state directory by now; it must have been begun."""
    with tempfile.TemporaryDirectory(prefix="journal-") as place:
        path = Path(place) / FILE
        while True:
            before = (state / FILE).stat().st_mtime_ns
            shutil.copy(state / FILE, path)
            with suppress(FileNotFoundError):  # gone with a service that ended in order
                shutil.copy(state / f"{FILE}-wal", f"{path}-wal")
            # What was written behind was moved into the file meanwhile: the two would not fit together.
            if (state / FILE).stat().st_mtime_ns == before:
                break
        with closing(sqlite3.connect(path)) as store:
            yield store


def rows(state: Path, question: str, values: Sequence[object] = ()) -> list[Any]:
    """Return what a question to the journal comes to; nothing before it was begun."""
    if not (state / FILE).exists():
        return []
    with copied(state) as store:
        return store.execute(question, values).fetchall()
