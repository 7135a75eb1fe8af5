"""A service in a process of its own, for tests on real guests: started, asked, and ended."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "ballonet"]


class Service:
    """A `ballonet run` with a socket and a state directory, and the commands that ask it."""

    def __init__(self, place: Path, uris: Sequence[str], options: Sequence[str]) -> None:
        self._uris, self._options = uris, options
        self._socket, self._state = place / "run.sock", place / "state"
        self.said = place / "said"

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        uris = (word for uri in self._uris for word in ("-c", uri))
        words = [*COMMAND, *uris, "run", *self._options]
        words += ["--socket", str(self._socket), "--state", str(self._state)]
        with self.said.open("ab") as file, subprocess.Popen(words, stdout=file, stderr=file) as process:
            try:
                wait_until(lambda: self.ask("status").returncode == 0, self.said)
                yield process
            finally:
                process.kill()

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "BALLONET_SOCKET": str(self._socket)}
        return subprocess.run(
            [*COMMAND, *words], env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    def answer(self, *words: str) -> Any:
        done = self.ask(*words, "-o", "json")
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout)

    def has_written(self, name: str, actual_bytes: int) -> bool:
        """Return whether a size is one of a guest's last two in the journal: the last may not be sent."""
        path = next(self._state.glob("*.sqlite"))
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            question = "SELECT to_bytes FROM acts WHERE name = ? ORDER BY id DESC LIMIT 2"
            sizes = [size for (size,) in store.execute(question, [name])]
        return not sizes or actual_bytes in sizes

    def has_told(self, words: str, times: int) -> bool:
        """Return whether so many events begin so that are of no guest."""
        found = [event for event in self.answer("events")["events"] if not event["name"]]
        return len([event for event in found if event["sentence"].startswith(words)]) >= times

    def verdict(self, name: str) -> str:
        (guests,) = (each["guests"] for each in self.answer("plan")["hypervisors"])
        return str(next(guest["verdict"]["reason"] for guest in guests if guest["name"] == name))


def wait_until(there: Callable[[], bool], said: Path, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.3)
