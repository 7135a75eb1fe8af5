"""One service a state directory: whoever comes second is told who is there."""

import contextlib
import fcntl
import os
import time
from io import FileIO
from pathlib import Path

from ballonet.errors import JournalError, RefusedError


def lock(directory: Path) -> FileIO:
    """Return the open file that keeps others out of the directory until it is closed, or this process ends.

    The directory is made if it is missing. Raises RefusedError, which names the process that has it, and
    JournalError where nothing can be written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(
            f"nothing can be kept in {directory}: {error.strerror}",
            hint=f"see who may write there, and how the disk is mounted: findmnt -T {directory}",
        ) from error
    with contextlib.ExitStack() as undo:
        file = undo.enter_context(FileIO(descriptor, "r+"))
        try:
            # The kernel lets go of it with the process, however that ends: what stands in the file may be
            # stale, the lock never is.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(
                f"{_holder(file.read(100))} has its state in {directory}: two would undo each other's work",
                hint="ask it: ballonet status; or end it first: systemctl stop ballonet",
            ) from None
        with contextlib.suppress(OSError):  # a full disk: only the refusal of others says less then
            file.truncate(0)
            file.write(f"{os.getpid()} {time.time():.0f}\n".encode())
        undo.pop_all()
        return file


def _holder(content: bytes) -> str:
    """Return who wrote this into the lock file, in words."""
    try:
        process, since = map(int, content.split())
    except ValueError:
        return "another ballonet"
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
    return f"another ballonet (process {process}, since {began})"
