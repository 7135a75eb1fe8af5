"""The token of who may change things over TCP: made once, and kept for the group that has the socket."""

import contextlib
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from ballonet.service.place import give

FILE: Final = "web-token"
_BYTES: Final = 32  # that nobody guesses, as base64 of 43 letters
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def kept_token(directory: Path | None, group_id: int) -> str:
    """Return the token that a directory keeps; a new one where it has none, or one that others could read.

    Where it cannot be written, or there is no directory, it is good for this process's life.
    """
    if directory is None:
        return secrets.token_urlsafe(_BYTES)
    path = directory / FILE
    kept = _read(path)
    if kept is not None:
        return kept
    token = secrets.token_urlsafe(_BYTES)
    with contextlib.suppress(OSError):
        _write(path, token, group_id)
    return token


def _read(path: Path) -> str | None:
    """Return what a file of ours holds if it is a token, and none that others may have seen or set."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with open(descriptor, encoding="ascii", errors="replace") as file:  # noqa: PTH123 - not by its path
        found = os.fstat(descriptor)
        ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if not ours or found.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            return None
        text = file.read(100).strip()
    return text if _TOKEN.fullmatch(text) else None


def _write(path: Path, token: str, group_id: int) -> None:
    """Put a file in place that has it whole; raises OSError."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - not by its path
            give(descriptor, group_id)
            os.fchmod(descriptor, 0o640)
            file.write(f"{token}\n")
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
