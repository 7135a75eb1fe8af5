"""What systemd hears, on a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ballonet.service.notify import Notifier


@pytest.fixture(params=["file", "abstract"])
def listening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    name = str(tmp_path / "notify") if request.param == "file" else f"@ballonet-{os.getpid()}-{tmp_path.name}"
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(name if request.param == "file" else f"\0{name[1:]}")
    heard.settimeout(60.0)
    yield heard, name
    heard.close()


def lines(heard: socket.socket) -> list[str]:
    return heard.recv(4096).decode().splitlines()


def test_the_life_of_a_service_is_told(listening: tuple[socket.socket, str]) -> None:
    heard, name = listening
    notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000"})
    notifier.ready("14 guests")
    assert ["READY=1", "STATUS=14 guests"] == lines(heard)
    notifier.ticked("two\nlines")
    assert ["WATCHDOG=1", "STATUS=two lines"] == lines(heard)
    notifier.reloading()
    first, second = lines(heard)
    assert "RELOADING=1" == first
    assert second.startswith("MONOTONIC_USEC=")
    notifier.stopping("giving memory back")
    assert ["STOPPING=1", "STATUS=giving memory back"] == lines(heard)


def test_without_a_watchdog_none_is_fed(listening: tuple[socket.socket, str]) -> None:
    heard, name = listening
    Notifier({"NOTIFY_SOCKET": name}).ticked("fine")
    assert ["STATUS=fine"] == lines(heard)


def test_outside_of_systemd_nothing_is_told() -> None:
    Notifier({}).ready("fine")


def test_a_systemd_that_is_gone_ends_nothing(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready("fine")
