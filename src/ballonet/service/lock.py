"""One service a state directory: whoever comes second is told who is there."""

import contextlib
import fcntl
import os
import time
from io import FileIO
from pathlib import Path

from ballonet.errors import JournalError, RefusedError

_AGAIN_SECONDS = 0.1  # whoever only looks whether somebody is there (`holder`) is gone by then
LOCK_FILE = "lock"  # in a state directory


def lock(directory: Path) -> FileIO:
    """Return the open file that keeps others out of the directory until it is closed, or this process ends.

    The directory is made if it is missing. Raises RefusedError, which names the process that has it, and
    JournalError where nothing can be written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(
            f"nothing can be kept in {directory}: {error.strerror}",
            hint=f"see who may write there, and how the disk is mounted: findmnt -T {directory}",
        ) from error
    return hold(descriptor, f"has its state in {directory}")


def hold(descriptor: int, doing: str) -> FileIO:
    """Return the file, locked and saying whose it is; RefusedError names who has it, `doing` something."""
    with contextlib.ExitStack() as undo:
        file = undo.enter_context(FileIO(descriptor, "r+"))
        if not _locked(descriptor, fcntl.LOCK_EX):
            time.sleep(_AGAIN_SECONDS)
            if not _locked(descriptor, fcntl.LOCK_EX):
                raise RefusedError(
                    f"another ballonet{_holder(descriptor)} {doing}: two would undo each other's work",
                    hint="ask it: ballonet status; or end it first: systemctl stop ballonet",
                )
        with contextlib.suppress(OSError):  # a full disk: only the refusal of others says less then
            file.truncate(0)
            file.write(f"{os.getpid()} {time.time():.0f}\n".encode())
        undo.pop_all()
        return file


def holder(path: Path) -> str | None:
    """Return who has a lock file: " (process 12, since ...)", "" if that is unknown; None: nobody has it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _locked(descriptor, fcntl.LOCK_SH) else _holder(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, how: int) -> bool:
    """Lock the file, if nobody has it.

    The kernel lets go of it with the process, however that ends: what stands in the file may be stale, the
    lock never is.
    """
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    """Return who wrote that the file is theirs, in brackets; "" where nobody did."""
    try:
        process, since = map(int, os.pread(descriptor, 100, 0).split())
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
    except (ValueError, OverflowError, OSError):
        return ""
    return f" (process {process}, since {began})"
