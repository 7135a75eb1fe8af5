"""What the system's journal hears, on a real datagram socket that stands for journald's."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ballonet.service.journald import SHORT_CHARACTERS, Journald, Priority, is_journal


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    with listening(tmp_path) as found:
        yield found


def listening(directory: Path) -> socket.socket:
    found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    found.bind(os.fspath(directory / "socket"))
    found.settimeout(60.0)
    return found


def entry(heard: socket.socket) -> dict[str, str]:
    """Read an entry as journald does."""
    left, found = heard.recv(1 << 20), {}
    while left:
        head, _, left = left.partition(b"\n")
        name, separator, value = head.partition(b"=")
        if not separator:
            length, left = int.from_bytes(left[:8], "little"), left[8:]
            value, left = left[:length], left[length + 1 :]
        found[name.decode()] = value.decode()
    return found


def test_an_entry_has_its_message_and_fields(heard: socket.socket, tmp_path: Path) -> None:
    journald = Journald(tmp_path / "socket")
    journald.send("web grows", Priority.INFO, {"BALLONET_GUEST": "web", "BALLONET_UUID": None})
    assert {
        "MESSAGE": "web grows",
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "ballonet",
        "BALLONET_GUEST": "web",
    } == entry(heard)
    journald.close()


@pytest.mark.parametrize("name", ["two\nlines", "x\nPRIORITY=0\n", "a=b", "\x1b[2J", "", "\N{SNOWMAN}", "\n"])
def test_no_name_of_a_guest_makes_another_field(heard: socket.socket, tmp_path: Path, name: str) -> None:
    journald = Journald(tmp_path / "socket")
    journald.send(name, Priority.WARNING, {"BALLONET_GUEST": name})
    found = entry(heard)
    assert (name, name, "4") == (found["MESSAGE"], found["BALLONET_GUEST"], found["PRIORITY"])
    assert 4 == len(found)
    journald.close()


def test_a_name_that_is_no_unicode_is_told_all_the_same(heard: socket.socket, tmp_path: Path) -> None:
    journald = Journald(tmp_path / "socket")
    journald.send("m", Priority.INFO, {"BALLONET_GUEST": "lone \udc80"})
    assert r"lone \udc80" == entry(heard)["BALLONET_GUEST"]
    journald.close()


def test_what_is_too_large_is_cut_where_it_is_longest(heard: socket.socket, tmp_path: Path) -> None:
    journald = Journald(tmp_path / "socket")
    journald.send("short", Priority.INFO, {"BALLONET_GUEST": "x" * 10_000_000, "BALLONET_UUID": "u" * 2000})
    found = entry(heard)
    assert ("short", SHORT_CHARACTERS, "u" * 2000) == (
        found["MESSAGE"],
        len(found["BALLONET_GUEST"]),
        found["BALLONET_UUID"],
    )
    journald.close()


def test_a_journal_that_has_no_room_is_not_waited_for_and_the_loss_is_told(
    heard: socket.socket, tmp_path: Path
) -> None:
    journald = Journald(tmp_path / "socket")
    for number in range(5000):
        journald.send(f"{number}", Priority.INFO, {})
    heard.settimeout(0.0)
    kept = 0
    while True:
        try:
            entry(heard)
        except BlockingIOError:
            break
        kept += 1
    assert 0 < kept < 5000
    journald.send("after", Priority.INFO, {})
    assert f"{5000 - kept}" == entry(heard)["BALLONET_LOST"]
    journald.send("then", Priority.INFO, {})
    assert "BALLONET_LOST" not in entry(heard)
    journald.close()


def test_a_journal_that_was_started_anew_is_found_again(tmp_path: Path) -> None:
    with listening(tmp_path) as first:
        journald = Journald(tmp_path / "socket")
        journald.send("one", Priority.INFO, {})
        assert "one" == entry(first)["MESSAGE"]
    (tmp_path / "socket").unlink()
    journald.send("lost", Priority.INFO, {})
    with listening(tmp_path) as second:
        journald.send("two", Priority.INFO, {})
        found = entry(second)
    assert ("two", "1") == (found["MESSAGE"], found["BALLONET_LOST"])
    journald.close()


def test_the_journal_is_what_systemd_says_it_is(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as file:
        status = os.fstat(file.fileno())
        stream = f"{status.st_dev}:{status.st_ino}"
        assert is_journal(file.fileno(), {"JOURNAL_STREAM": stream})
        assert not is_journal(file.fileno(), {"JOURNAL_STREAM": "8:1"})
        assert not is_journal(file.fileno(), {})
        number = file.fileno()
    assert not is_journal(number, {"JOURNAL_STREAM": stream})
