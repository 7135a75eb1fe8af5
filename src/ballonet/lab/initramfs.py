"""A guest's first file system: an archive written here, holding the modules that `modules.dep` asks for."""

import gzip
import stat
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from ballonet.errors import BallonetError

TRAILER = "TRAILER!!!"


def load_order(modules_dep: str, wanted: Iterable[str], builtin: str = "") -> list[str]:
    """Return the module files to load, each after those it needs, without those built into the kernel.

    `modules_dep` and `builtin` are the texts of depmod's `modules.dep` and the kernel's `modules.builtin`;
    `wanted` are module names such as `virtio_pci`. Raises `BallonetError` for a module that is in neither.
    """
    needs = _dependencies(modules_dep)
    paths = {_name(path): path for path in needs}
    inside = {_name(path) for path in builtin.split()}
    order: dict[str, None] = {}
    for name in wanted:
        if name in paths:
            # modules.dep lists what a module needs nearest first: the last of them is loaded first.
            order.update(dict.fromkeys([*reversed(needs[paths[name]]), paths[name]]))
        elif name not in inside:
            raise BallonetError(
                f"the guests' kernel has no module {name}",
                hint="give a Debian linux-image-*-cloud-amd64 package in BALLONET_LAB_KERNEL",
            )
    return list(order)


def _dependencies(modules_dep: str) -> dict[str, list[str]]:
    lines = (line.partition(":") for line in modules_dep.splitlines() if ":" in line)
    return {path.strip(): needs.split() for path, _, needs in lines}


def _name(path: str) -> str:
    """Return the name the kernel uses: dashes and underscores are the same, endings do not count."""
    return PurePosixPath(path).name.partition(".")[0].replace("-", "_")


def archive(files: Mapping[str, tuple[int, bytes]]) -> bytes:
    """Return a compressed archive (cpio "newc", gzip) of `files`: path to (mode with its type bits, content).

    Directories above a file are made as needed.
    """
    entries: dict[str, tuple[int, bytes]] = {}
    for path, entry in files.items():
        for parent in reversed(PurePosixPath(path).parents[:-1]):
            entries.setdefault(str(parent), (stat.S_IFDIR | 0o755, b""))
        entries[path] = entry
    entries[TRAILER] = (0, b"")
    body = b"".join(_entry(number, path, *entry) for number, (path, entry) in enumerate(entries.items(), 1))
    return gzip.compress(body, compresslevel=1, mtime=0)


def _entry(number: int, path: str, mode: int, content: bytes) -> bytes:
    """Return one record: 13 numbers of 8 hexadecimal digits, the name and the content padded to 4 bytes."""
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    numbers = (number, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % value for value in numbers) + name
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
