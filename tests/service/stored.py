"""What tests of the store put into it: arbitrary acts, requests and happenings; and disks that fill up."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st

from ballonet.facts.act import Act
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.plan import Bound, PlanRow
from ballonet.facts.request import Hold, Lease
from ballonet.facts.verdict import CODES, VERDICTS
from ballonet.units import MIB

# Whatever a guest may be called: NUL, control characters and lone surrogates too.
texts = st.text(st.characters(exclude_categories=()), max_size=20)
times = st.floats(min_value=0.0, max_value=4e9)
sizes = st.integers(min_value=0, max_value=2**63 - 1)
wanted = st.tuples(*[st.floats(min_value=0.0, max_value=1e15)] * 4)

acts = st.builds(
    Act, at=times, uuid=texts, name=texts, from_bytes=sizes, to_bytes=sizes, cause=st.sampled_from(Kind)
)
holds = st.builds(
    Hold,
    id=texts,
    uuid=texts,
    name=texts,
    begun_at=times,
    until=st.none() | times,
    who=texts,
    why=texts,
    size_bytes=st.none() | sizes,
)
leases = st.builds(
    Lease,
    id=texts,
    size_bytes=st.integers(min_value=1, max_value=2**63 - 1),  # one of nothing is none
    begun_at=times,
    until=times,
    who=texts,
    guest=texts,
)
plan_rows = st.builds(
    PlanRow,
    uuid=texts,
    name=texts,
    verdict=st.sampled_from(VERDICTS),
    actual_bytes=st.floats(min_value=0.0, max_value=1e15),
    target_bytes=st.none() | st.floats(min_value=0.0, max_value=1e15),
    allotted_bytes=st.floats(min_value=0.0, max_value=1e15) | st.just(float("nan")),
    wanted_bytes=wanted,
    got_bytes=wanted,
    bound=st.sampled_from(Bound),
    short_bytes=st.floats(min_value=0.0, max_value=1e15),
    stats_age_seconds=st.none() | st.floats(min_value=0.0, max_value=1e6),
)
happenings = st.builds(
    Happening,
    at=times,
    kind=st.sampled_from(Kind),
    name=texts,
    uuid=texts,
    from_bytes=st.none() | st.floats(min_value=0.0, max_value=1e15),
    to_bytes=st.none() | st.floats(min_value=0.0, max_value=1e15),
    row=st.none() | plan_rows,
    rate_bytes=st.none() | st.floats(min_value=0.0, max_value=1e15),
    text=texts,
    written=st.booleans(),
)


def act(number: int, uuid: str = "uuid-web") -> Act:
    """Return an act that carries its number as its time and its size."""
    return Act(float(number), uuid, "web", 512 * MIB, number, "planned")


def happening(at: float, kind: Kind = Kind.CAME, uuid: str = "uuid-web", name: str = "web") -> Happening:
    return Happening(at, kind, name, uuid)


def planned(at: float) -> Happening:
    """Return a change with its reasons."""
    row = PlanRow(
        uuid="uuid-web",
        name="web",
        verdict=VERDICTS[CODES["managed"]],
        actual_bytes=512.0 * MIB,
        target_bytes=384.0 * MIB,
        allotted_bytes=float("nan"),
        wanted_bytes=(300.0 * MIB, 100.0 * MIB, 0.0, 0.0),
        got_bytes=(300.0 * MIB, 50.0 * MIB, 0.0, 0.0),
        bound=Bound.BITE,
        short_bytes=0.0,
        stats_age_seconds=1.5,
    )
    return Happening(at, Kind.PLANNED, "web", "uuid-web", 512.0 * MIB, 384.0 * MIB, row)


def program(text: str, directory: Path) -> subprocess.Popen[str]:
    """Start a program of its own process that finds `directory` and a Store class."""
    head = "import sys\nfrom pathlib import Path\nfrom ballonet.service.store import Store\n"
    words = [sys.executable, "-c", f"{head}directory = Path(sys.argv[1])\n{text}", str(directory)]
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextlib.contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """Mount a disk of 1 MiB there; skip the test where that is not allowed."""
    words = ["mount", "-t", "tmpfs", "-o", "size=1M,mode=0700", "tmpfs", str(directory)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs root and mounts")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(disk: Path) -> Path:
    """Leave no byte free; return the file to remove."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return filler


# A file of the first version, as SQL.
VERSION_1 = """
    CREATE TABLE acts (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, uuid TEXT NOT NULL, name TEXT NOT NULL,
        from_bytes INTEGER NOT NULL, to_bytes INTEGER NOT NULL, cause TEXT NOT NULL,
        outcome TEXT, settled_at REAL, actual_bytes INTEGER, text TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX acts_of_guest ON acts (uuid);
    CREATE INDEX acts_under_way ON acts (uuid) WHERE outcome IS NULL;
    CREATE INDEX acts_by_time ON acts (at);
    CREATE TABLE holds (
        id TEXT PRIMARY KEY, uuid TEXT NOT NULL, name TEXT NOT NULL, begun_at REAL NOT NULL, until REAL,
        who TEXT NOT NULL, why TEXT NOT NULL, size_bytes INTEGER
    );
    CREATE TABLE leases (
        id TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, begun_at REAL NOT NULL, until REAL NOT NULL,
        who TEXT NOT NULL, guest TEXT NOT NULL
    );
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
        uuid TEXT NOT NULL, from_bytes INTEGER, to_bytes INTEGER, sentence TEXT NOT NULL,
        written INTEGER NOT NULL, reasons TEXT
    );
    CREATE INDEX events_by_time ON events (at);
    CREATE INDEX events_of_guest ON events (uuid, at);
    CREATE INDEX events_of_name ON events (name, at);
    CREATE TABLE learned (uuid TEXT PRIMARY KEY, at REAL NOT NULL, numbers TEXT NOT NULL);
    CREATE TABLE state (name TEXT PRIMARY KEY, text TEXT NOT NULL);
    INSERT INTO acts (at, uuid, name, from_bytes, to_bytes, cause)
        VALUES (7.0, 'uuid-web', 'web', 536870912, 7, 'planned');
    INSERT INTO holds VALUES ('h', 'uuid-web', 'web', 1.0, NULL, 'root', 'a try', NULL);
    INSERT INTO leases VALUES ('l', 1048576, 1.0, 2.0, 'root', 'db');
    INSERT INTO events (at, kind, name, uuid, sentence, written)
        VALUES (3.0, 'came', 'web', 'u', 'is here', 1);
    INSERT INTO learned VALUES ('uuid-web', 1.0, '{"growth":5.0}');
    INSERT INTO state VALUES ('mode', 'enforce');
    PRAGMA user_version = 1;
"""
