"""A guest's process on this host: who listens on its monitor's socket, and what the kernel tells of it."""

import os
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_CREDENTIALS = struct.Struct("3i")  # process, user, group
_PROC = Path("/proc")
_LONGEST_BYTES = 1 << 20  # a command line of QEMU has some 10 KiB
_SHORT_BYTES = 256  # some numbers: room for more is cleared for nothing, each time


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a process's memory the host cannot get back, in bytes; 0 where the kernel does not say."""

    locked: int = 0  # by mlock, or pinned for VFIO
    pinned: int = 0  # for vhost-vdpa, or VFIO by iommufd
    huge: int = 0


def listener(connected: socket.socket) -> int | None:
    """Return the process that listens at the other end; None where it is in another container's namespace."""
    raw = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process: int = _CREDENTIALS.unpack(raw)[0]
    return process or None


def has_thread(process: int, thread: int) -> bool:
    """Return whether a thread is one of this process: QEMU may be told a socket that another one opened."""
    return (_PROC / str(process) / "task" / str(thread)).exists()


def is_stopped(process: int) -> bool:
    """Return whether a signal, or a debugger, holds the process."""
    return _read(f"{process}/stat").rpartition(b")")[2].strip()[:1] in {b"T", b"t"}


def words(process: int) -> list[str]:
    """Return the command line; [] where it cannot be read."""
    return _read(f"{process}/cmdline").decode("utf-8", "replace").split("\0")[:-1]


def directory(process: int) -> str:
    """Return the directory that relative paths are of; "/" where it cannot be read."""
    try:
        return str((_PROC / str(process) / "cwd").readlink())
    except OSError:
        return "/"


def option(line: Iterable[str], name: str) -> str:
    """Return what follows an option on QEMU's command line, with one dash or two; "" if none."""
    found = iter(line)
    for word in found:
        if word in {f"-{name}", f"--{name}"}:
            return next(found, "")
    return ""


def kept(process: int) -> Kept:
    """Return what the process keeps, whatever a balloon gives back."""
    sizes = {}
    for line in _read(f"{process}/status").splitlines():
        name, _, rest = line.partition(b":")
        value = rest.split(None, 1)[:1]
        if value and value[0].isdigit() and len(value[0]) <= 20:
            sizes[name] = int(value[0]) << 10
    return Kept(*(sizes.get(name, 0) for name in (b"VmLck", b"VmPin", b"HugetlbPages")))


def resident_bytes(process: int) -> int | None:
    """Return the resident memory; None where there is none to be read."""
    pages = _read(f"{process}/statm", _SHORT_BYTES).split(None, 2)[1:2]
    return int(pages[0]) * _PAGE_BYTES or None if pages and pages[0].isdigit() else None


def thread_seconds(process: int, threads: Iterable[int]) -> float | None:
    """Return how long threads ran in all; None where one of them cannot be read, or there are none."""
    total = 0
    for thread in threads:
        found = _read(f"{process}/task/{thread}/schedstat", _SHORT_BYTES).split(None, 1)[:1]
        if not found or not found[0].isdigit():
            return None
        total += int(found[0])
    return total / 1e9 if total else None


def _read(name: str, most_bytes: int = _LONGEST_BYTES) -> bytes:
    """Return what a file of the kernel's holds; empty where it is not there, or not for us to read."""
    try:
        descriptor = os.open(f"/proc/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, most_bytes)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
