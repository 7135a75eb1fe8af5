"""What the system's journal is told, field by field (systemd's native journal protocol)."""

import errno
import os
import socket
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Final

SOCKET: Final = Path("/run/systemd/journal/socket")
# What is said of a socket whose other end is gone: journald may have been started anew.
_GONE: Final = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOTCONN})
SHORT_CHARACTERS: Final = 1024  # what is left of a field that does not fit


class Priority(IntEnum):
    """How much an entry matters, as syslog(3) counts it."""

    ERROR = 3
    WARNING = 4
    INFO = 6


def is_journal(file: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a file descriptor leads to the journal: $JOURNAL_STREAM says which one does."""
    try:
        status = os.fstat(file)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class Journald:
    """Sends an entry a datagram. It never waits: what journald has no room for is lost, and that is told."""

    def __init__(self, path: Path = SOCKET) -> None:
        """Connect; raises OSError where there is no journal."""
        self._path = os.fspath(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._lost = 0
        try:
            self._socket.connect(self._path)
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def send(self, message: str, priority: Priority, fields: Mapping[str, str | None]) -> None:
        """Send a message with fields; those that are None are left out."""
        entry = {
            "MESSAGE": message,
            "PRIORITY": str(int(priority)),
            "SYSLOG_IDENTIFIER": "ballonet",
            **{name: value for name, value in fields.items() if value is not None},
        }
        if self._lost:
            entry["BALLONET_LOST"] = str(self._lost)  # entries before this one
        try:
            self._fit(entry)
        except OSError:
            self._lost += 1
        else:
            self._lost = 0

    def _fit(self, entry: dict[str, str]) -> None:
        """Send an entry; of one that is too large only the beginnings of its longest fields."""
        while True:
            try:
                self._deliver(b"".join(_field(name, value) for name, value in entry.items()))
            except OSError as error:
                longest = max(entry, key=lambda name: len(entry[name]))
                if error.errno != errno.EMSGSIZE or len(entry[longest]) <= SHORT_CHARACTERS:
                    raise
                entry = {**entry, longest: entry[longest][: SHORT_CHARACTERS - 1] + "…"}
            else:
                return

    def _deliver(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            self._socket.connect(self._path)
            self._socket.send(datagram)


def _field(name: str, value: str) -> bytes:
    """Return a field; before a value with line breaks goes its length."""
    data = value.encode(errors="backslashreplace")
    if b"\n" in data:
        return b"%s\n%s%s\n" % (name.encode(), len(data).to_bytes(8, "little"), data)
    return b"%s=%s\n" % (name.encode(), data)
