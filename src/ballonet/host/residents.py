"""Resident memory of each guest's process: the first sign that a guest grows.

A descriptor that was opened under /proc/PID belongs to that process for ever: once it ended, reads fail,
whoever has its number then. So all of a process is read through one descriptor of its directory.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_LONGEST_BYTES = 1 << 20  # a command line of QEMU has some 10 KiB


@dataclass(frozen=True, slots=True)
class _Process:
    """A guest's process, its statm kept open."""

    number: int
    statm: int  # file descriptor
    started_ticks: int  # since the host's boot


class ProcessResidents:
    """The processes of the guests that are followed; `root` is where the host's file system begins.

    `known` gives process ids by UUID where somebody knows them; others are found by their command lines.
    """

    def __init__(self, root: Path = Path("/"), known: Callable[[], Mapping[str, int]] | None = None) -> None:
        self._proc = root / "proc"
        self._known = known
        self._processes: dict[str, _Process] = {}
        self._booted_at: float | None = None  # epoch seconds; it moves where the clock is set
        self._missing: frozenset[str] = frozenset()
        self._searches = 0  # wanted for the same missing guests

    def follow(self, uuids: Iterable[str]) -> None:
        """Follow exactly these guests from now on; those whose process cannot be found are left out.

        All processes are looked through when a guest is new or its process ended. What was not found is
        looked for again in the 2nd, 4th, 8th, ... call: it may just begin, or be hidden from this user.
        """
        # Here, and not for each guest: the kernel counts all interrupts of all processors for it.
        self._booted_at = _booted_at(self._proc / "stat")
        wanted = frozenset(uuids)
        for uuid in self._processes.keys() - wanted:
            self._drop(uuid)
        self._adopt_known(wanted - self._processes.keys())
        missing = wanted - self._processes.keys()
        self._searches = self._searches + 1 if missing == self._missing else 1
        if missing and self._searches.bit_count() == 1:
            self._search(missing)
        self._missing = wanted - self._processes.keys()

    def read(self) -> dict[str, int]:
        """Return resident bytes by UUID; a guest whose process ended is left out from now on."""
        resident: dict[str, int] = {}
        for uuid, process in list(self._processes.items()):
            try:
                pages = _number(os.pread(process.statm, 128, 0).split(None, 2)[1])
            except (OSError, ValueError, IndexError):
                pages = 0
            if pages:
                resident[uuid] = pages * _PAGE_BYTES
            else:  # a zombie has 0
                self._drop(uuid)
        return resident

    def started_at(self, uuid: str) -> float | None:
        """Return the epoch seconds, good to one, at which a followed guest's process started."""
        process = self._processes.get(uuid)
        if process is None or self._booted_at is None:
            return None
        return self._booted_at + process.started_ticks / _TICKS_PER_SECOND

    def process_of(self, uuid: str) -> int | None:
        """Return the number of a followed guest's process."""
        process = self._processes.get(uuid)
        return process.number if process else None

    def _drop(self, uuid: str) -> None:
        os.close(self._processes.pop(uuid).statm)

    def _adopt_known(self, missing: frozenset[str]) -> None:
        """Take the processes that are known; one that just ended is left out."""
        known = self._known() if self._known and missing else {}
        for uuid in missing & known.keys():
            with suppress(OSError, ValueError, IndexError), _opened(self._proc / str(known[uuid])) as opened:
                self._adopt(uuid, known[uuid], opened)

    def _search(self, missing: frozenset[str]) -> None:
        """Look through all processes for the youngest of each guest: what started QEMU may name it, too."""
        for directory in _directories(self._proc):
            try:
                with _opened(directory) as descriptor:
                    uuid = _uuid(_text(descriptor, "cmdline"))
                    if uuid in missing:
                        self._adopt(uuid, int(directory.name), descriptor)
            except (OSError, ValueError, IndexError):
                continue  # it ended, or is not for us to read

    def _adopt(self, uuid: str, number: int, directory: int) -> None:
        # Field 22; the second, the command's name in brackets, may hold blanks and brackets.
        started = _number(_text(directory, "stat").rpartition(b")")[2].split()[19])
        known = self._processes.get(uuid)
        if known and known.started_ticks >= started:
            return
        if known:
            self._drop(uuid)
        statm = os.open("statm", os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
        self._processes[uuid] = _Process(number, statm, started)


def _directories(proc: Path) -> list[Path]:
    """Return the directories of all processes that this user may see."""
    try:
        return [proc / name for name in os.listdir(proc) if name.isdigit()]  # noqa: PTH208 - names only
    except OSError:
        return []


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    """Keep a directory open for the length of a block."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _text(directory: int, name: str) -> bytes:
    """Return what a file in an open directory holds."""
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    try:
        return os.read(descriptor, _LONGEST_BYTES)
    finally:
        os.close(descriptor)


def _uuid(command_line: bytes) -> str:
    """Return what follows `-uuid` on a command line, as every driver of libvirt starts QEMU; "" if none."""
    _, found, rest = command_line.partition(b"\0-uuid\0")
    return rest.partition(b"\0")[0].decode("ascii", "replace").lower() if found else ""


def _number(word: bytes) -> int:
    """Return a number of the kernel's, which has 64 bits; ValueError for what is none."""
    if not word.isdigit() or len(word) > 20:
        raise ValueError(word[:20])
    return int(word)


def _booted_at(path: Path) -> float | None:
    """Return the epoch seconds of the host's boot."""
    try:
        _, found, rest = path.read_bytes().partition(b"\nbtime ")
        return float(_number(rest.split(None, 1)[0])) if found else None
    except (OSError, ValueError, IndexError):
        return None
