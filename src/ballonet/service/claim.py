"""One service that resizes guests a hypervisor, whoever runs it and wherever it keeps its state."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

from ballonet.errors import BallonetError, RefusedError
from ballonet.facts.uri import canonical
from ballonet.service.lock import hold, holder

# Where root and all others who may use a hypervisor meet: directories that everybody may write to, and in
# which nobody can remove what is another's. A unit's /tmp may be its own, and /run/lock need not be open.
_PLACES = (Path("/run/lock"), Path("/dev/shm"), Path("/tmp"))  # noqa: S108 - opened with care, see _opened
_OPEN_TO_ALL = stat.S_ISVTX | stat.S_IRWXO
_TRIES = 5  # its file may be made, or taken away, by others between two of our calls


def place() -> Path:
    """Return the directory of the lock files, the same for every user of this host."""
    return next((path for path in _PLACES if _is_open_to_all(path)), _PLACES[-1])


def claimed_by(uri: str, directory: Path | None = None) -> str | None:
    """Return who on this host resizes the guests of a hypervisor: see `lock.holder`."""
    return holder(_file(uri, directory))


class Claim:
    """The right to resize the guests of some hypervisors: one process of this host has it at a time.

    Whoever may log in to the host can hold a lock file, and so keep a service from resizing, not from
    running: it says which process that is. A hypervisor of another host is claimed among those here only.
    """

    def __init__(self, uris: Sequence[str], directory: Path | None = None) -> None:
        self._uris = tuple(uris)
        self._directory = directory
        self._files: dict[Path, FileIO] = {}

    def take(self) -> None:
        """Take all, or none: RefusedError names the process that has one. What is taken already stays."""
        if self._files:
            return
        try:
            for uri in self._uris:
                path = _file(uri, self._directory)
                self._files[path] = _taken(path, f"resizes the guests of {uri}")
        except BallonetError:
            self.drop()
            raise

    def drop(self) -> None:
        """Let others have them."""
        for path, file in self._files.items():
            with contextlib.suppress(OSError):  # another user's: it stays, and nobody has it
                if _is(path, file):
                    path.unlink()
            file.close()
        self._files = {}


def _file(uri: str, directory: Path | None) -> Path:
    name = hashlib.sha256(canonical(uri).encode()).hexdigest()[:16]
    return (directory or place()) / f"ballonet-{name}.lock"


def _taken(path: Path, doing: str) -> FileIO:
    """Return the lock file, locked, and still the one that others find there."""
    problem = "it is made and removed again and again"
    for _ in range(_TRIES):
        try:
            file = hold(_opened(path), doing)
            if _is(path, file):
                return file
            file.close()  # who had it before took it away meanwhile
        except FileExistsError:
            continue
        except OSError as error:
            problem = error.strerror or str(error)
    raise RefusedError(
        f"nobody else can be kept from resizing the same guests: {path}: {problem}",
        hint=f"see whose it is, and remove it if no ballonet runs: ls -l {path}; in a unit: "
        f"ReadWritePaths={path.parent}",
    )


def _opened(path: Path) -> int:
    """Return a descriptor of the file, made if it is missing; OSError for what is no plain file of its own.

    In a directory that is open to all somebody may have put a link, or a pipe, under this name. Without
    O_CREAT first, as the kernel lets not even root open another user's file with it (fs.protected_regular).
    """
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        os.fchmod(descriptor, 0o666)  # whatever the umask: the next who has it may be another user
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(descriptor)
        raise OSError(f"{path} is no plain file of its own")
    return descriptor


def _is(path: Path, file: FileIO) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    return False


def _is_open_to_all(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and mode & _OPEN_TO_ALL == _OPEN_TO_ALL
