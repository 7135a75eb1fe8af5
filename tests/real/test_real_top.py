"""`top` in a terminal, over a service with real guests: what is done with keys is done to them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hosts import booted
from subjects import Machine
from terminal import LEFT, drawn

from ballonet.lab.domain import GuestSpec
from ballonet.units import MIB

pytestmark = pytest.mark.real

COMMAND = [sys.executable, "-m", "ballonet"]
OPTIONS = ["--enforce", "--budget", "420MiB", "--floor", "96MiB", "--boot-grace", "0s", "--interval", "1s"]


@pytest.fixture(scope="module")
def host() -> Iterator[Machine]:
    """Boot two guests of 256 MiB."""
    with booted([GuestSpec(name, memory_bytes=256 * MIB) for name in ("one", "two")]) as machine:
        yield machine


def wait_until(there: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def asked(socket: Path, command: str) -> Any:
    done = subprocess.run(
        [*COMMAND, command, "-o", "json"],
        env={**os.environ, "BALLONET_SOCKET": str(socket)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


@contextmanager
def served(host: Machine, socket: Path) -> Iterator[None]:
    words = [*COMMAND, "-c", host.daemon.uri, "run", *OPTIONS, "--socket", str(socket)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: asked(socket, "plan"))
            yield
        finally:
            process.terminate()
            process.wait(30)


def holds(socket: Path) -> dict[str, int | None]:
    return {each["name"]: each["size_bytes"] for each in asked(socket, "status")["holds"]}


def test_guests_are_held_and_set_from_the_keyboard(host: Machine, tmp_path: Path) -> None:
    socket = tmp_path / "run.sock"
    with served(host, socket), drawn(BALLONET_SOCKET=str(socket)) as terminal:
        terminal.until("two")
        terminal.press("h")
        terminal.until("Hold one?")
        terminal.press("\r")
        wait_until(lambda: holds(socket) == {"one": None})
        terminal.until("paused")
        terminal.press("j")
        terminal.press("S")
        terminal.until("Set the size of two?")
        terminal.press("200M\r")
        wait_until(lambda: holds(socket) == {"one": None, "two": 200 * MIB})
        wait_until(lambda: host.actual("two") == 200 * MIB)
        terminal.press("q")
        terminal.until(LEFT)
        assert 0 == terminal.process.wait(60)
