"""A service in a process of its own, for tests on real guests: started, asked, and ended.

A pytest plugin: its two guests boot once for all files of a group that name them. What is waited for is asked
for on the socket; each command would take a process of its own, and its time from the guests.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hosts import booted
from journal import rows
from sharing import shared
from subjects import Machine

from ballonet.errors import BallonetError
from ballonet.lab.domain import GuestSpec
from ballonet.service.client import Client
from ballonet.service.models import Events, Plan, PlanRow, Status
from ballonet.units import MIB

COMMAND = [sys.executable, "-m", "ballonet"]
# What two guests of 256 MiB are balanced by.
BUDGET_BYTES = 420 * MIB
FLOOR_BYTES = 96 * MIB
OPTIONS = ["--enforce", "--budget", "420MiB", "--floor", "96MiB", "--boot-grace", "0s", "--interval", "1s"]
PATIENCE_SECONDS = 120.0  # with a busy machine
IDLE = "at 0 anon_mib=10 hot_mib=10 rate=20 touches=8"


class Act(NamedTuple):
    """A row of the journal."""

    at: float
    from_bytes: int
    to_bytes: int
    cause: str

    @property
    def shrinks(self) -> bool:
        return self.to_bytes < self.from_bytes and self.cause != "adopted"

    @property
    def grows(self) -> bool:
        return self.to_bytes > self.from_bytes and self.cause != "adopted"


class Service:
    """A `ballonet run` with a socket and a state directory, and the commands that ask it."""

    def __init__(self, place: Path, uris: Sequence[str], *options: str) -> None:
        self._uris, self._options = uris, [*OPTIONS, *options]
        self.socket, self.state = place / "run.sock", place / "state"
        self.said = place / "said"
        self.client = Client(self.socket)

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        uris = (word for uri in self._uris for word in ("-c", uri))
        words = [*COMMAND, *uris, "run", *self._options]
        words += ["--socket", str(self.socket), "--state", str(self.state)]
        with self.said.open("ab") as file, subprocess.Popen(words, stdout=file, stderr=file) as process:
            try:
                wait_until(self._has_looked, self.said)
                yield process
            finally:
                process.kill()

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "BALLONET_SOCKET": str(self.socket)}
        return subprocess.run(
            [*COMMAND, *words], env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    def answer(self, *words: str) -> Any:
        done = self.ask(*words, "-o", "json")
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout)

    def _has_looked(self) -> bool:
        try:
            return all(each.last_tick for each in self.status().hypervisors)
        except BallonetError:
            return False

    def status(self) -> Status:
        return self.client.get(Status, "/v1/status")

    def guests(self) -> dict[str, PlanRow]:
        """Return what the last plan says of each guest, by its name."""
        (found,) = self.client.get(Plan, "/v1/plan").hypervisors
        return {guest.name: guest for guest in found.guests}

    def verdict(self, name: str) -> str:
        return self.guests()[name].verdict.reason

    def web(self) -> str:
        """Return the address at which it is served over TCP; it was started just now."""
        said = re.compile(r"Answering on http://(.*)/:")
        wait_until(lambda: bool(said.search(self.said.read_text())), self.said)
        (address,) = said.findall(self.said.read_text())
        return str(address)

    def acts(self, name: str, since: float = 0.0) -> list[Act]:
        """Return a guest's rows of the journal since these epoch seconds, the oldest first."""
        question = "SELECT at, from_bytes, to_bytes, cause FROM acts WHERE name = ? AND at >= ? ORDER BY id"
        return [Act(*row) for row in rows(self.state, question, [name, since])]

    def has_written(self, name: str, actual_bytes: int) -> bool:
        """Return whether a size is one of a guest's last two in the journal: the last may not be sent."""
        sizes = [act.to_bytes for act in self.acts(name)[-2:]]
        return not sizes or actual_bytes in sizes

    def has_told(self, words: str, times: int) -> bool:
        """Return whether so many events begin so that are of no guest."""
        found = [event for event in self.client.get(Events, "/v1/events").events if not event.name]
        return len([event for event in found if event.sentence.startswith(words)]) >= times


@contextmanager
def _two_guests() -> Iterator[Machine]:
    with booted([GuestSpec(name, memory_bytes=256 * MIB) for name in ("one", "two")]) as machine:
        yield machine


@pytest.fixture
def duo() -> Machine:
    """Return the guests "one" and "two" of 256 MiB at rest, each with all of its memory."""
    two_guests = shared.get(_two_guests)
    for name in ("one", "two"):
        two_guests.load(name, IDLE)
        two_guests.resize(name, 256 * MIB)
    return two_guests


@pytest.fixture
def served(duo: Machine, tmp_path: Path) -> Service:
    """Return a service of these guests, not started yet."""
    return Service(tmp_path, [duo.daemon.uri], "--web", "127.0.0.1:0")


def wait_until(there: Callable[[], bool], said: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not there():
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.3)


def wait_until_small(service: Service, *names: str) -> None:
    """Wait until a service has taken so much from idle guests that no load of 150 MiB fits in what they have.

    A budget can be met by the others' memory alone.
    """

    def there() -> bool:
        sizes = [service.guests()[name].actual_bytes for name in names]
        return all(size is not None and size <= 160 * MIB for size in sizes)

    wait_until(there, service.said)


def wait_for_room(served: Service, mib: int = 200) -> None:
    """Wait until a service has so much to give that each of its guests can be set to this size.

    What it knows counts, not what guests have: a tick lies between them.
    """

    def there() -> bool:
        (host,) = served.status().hypervisors
        least = min(guest.actual_bytes or 0 for guest in served.guests().values())
        return (host.free_bytes or 0) >= mib * MIB - least

    wait_until(there, served.said)
