"""The host's own memory, from the files that Linux and ZFS show it in."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from ballonet.errors import BallonetError
from ballonet.facts.host import HostMeans, HostMemory, HugePool
from ballonet.units import KIB

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_AVERAGE = re.compile(r"^(some|full) avg10=(\d{1,3}(?:\.\d+)?)\b", re.MULTILINE)
_NUMBER = re.compile(r"[0-9]{1,20}")  # of 64 bits
_HUGE = "sys/kernel/mm/hugepages"


class LinuxHost:
    """The Linux machine that the guests run on; `root` is where its file system begins."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def memory(self) -> HostMemory:
        """Return the host's memory now; what this kernel does not show is unknown.

        Raises BallonetError where not even the size of its memory can be read.
        """
        meminfo = _counts(self._text("proc/meminfo"), key=0, value=1)
        total = meminfo.get("MemTotal:")
        # MemAvailable came with Linux 3.14; what is free is the least that it can be.
        available = meminfo.get("MemAvailable:", meminfo.get("MemFree:"))
        if total is None or available is None:
            raise BallonetError(
                f"{self._root / 'proc/meminfo'} does not say how much memory the host has",
                hint="mount -t proc proc /proc",
            )
        vmstat = _counts(self._text("proc/vmstat"), key=0, value=1)
        swapped_out = vmstat.get("pswpout")
        if swapped_out is not None:  # what zswap takes is not among it, and is no less a lack of memory
            swapped_out += vmstat.get("zswpout", 0)
        pressure = _pressure(self._text("proc/pressure/memory"))
        return HostMemory(
            total_bytes=total * KIB,
            available_bytes=available * KIB,
            swap_total_bytes=meminfo.get("SwapTotal:", 0) * KIB,
            swap_free_bytes=meminfo.get("SwapFree:", 0) * KIB,
            swapped_out_bytes_total=None if swapped_out is None else swapped_out * _PAGE_BYTES,
            pressure_some_ratio=pressure.get("some"),
            pressure_full_ratio=pressure.get("full"),
            arc_shrinkable_bytes=_shrinkable(self._text("proc/spl/kstat/zfs/arcstats")),
            merged_bytes=self._merged_bytes(),
        )

    def means(self) -> HostMeans:
        """Return what else the host does about memory now."""
        meminfo = _counts(self._text("proc/meminfo"), key=0, value=1)
        return HostMeans(
            merged_bytes=self._merged_bytes(),
            compressed_bytes=meminfo.get("Zswapped:", 0) * KIB,
            compressed_pool_bytes=meminfo.get("Zswap:", 0) * KIB,
            huge_pools=tuple(map(self._huge_pool, sorted((self._root / _HUGE).glob("hugepages-*kB")))),
        )

    def _merged_bytes(self) -> int:
        """Return what KSM saves: each page shared counts as often as it is used beyond the first time."""
        return self._number("sys/kernel/mm/ksm/pages_sharing") * _PAGE_BYTES

    def _huge_pool(self, directory: Path) -> HugePool:
        size = directory.name.removeprefix("hugepages-").removesuffix("kB")
        pages, free, promised = (
            self._number(f"{_HUGE}/{directory.name}/{name}_hugepages") for name in ("nr", "free", "resv")
        )
        page_bytes = int(size) * KIB if _NUMBER.fullmatch(size) else 0
        return HugePool(page_bytes, pages, max(0, free - promised))

    def _number(self, path: str) -> int:
        """Return the number that a file holds, 0 where it does not."""
        word = self._text(path).strip()
        return int(word) if _NUMBER.fullmatch(word) else 0

    def _text(self, path: str) -> str:
        """Return a file's text; nothing where it is absent, or refused as PSI is on a kernel with psi=0."""
        try:
            return (self._root / path).read_text(encoding="ascii", errors="replace")
        except OSError:
            return ""


def _counts(text: str, *, key: int, value: int) -> dict[str, int]:
    """Return the numbers of lines of words by the word that names each; odd lines are left out."""
    lines = (line.split() for line in text.splitlines())
    return {
        words[key]: int(words[value])
        for words in lines
        if len(words) > max(key, value) and _NUMBER.fullmatch(words[value])
    }


def _pressure(text: str) -> Mapping[str, float]:
    """Return the share of the last 10 s that some, or all, tasks waited for memory (PSI, 0..1)."""
    return {kind: min(1.0, float(percent) / 100) for kind, percent in _AVERAGE.findall(text)}


def _shrinkable(text: str) -> int:
    """Return what ZFS' cache can give back: its size above its minimum. MemAvailable leaves it out."""
    arc = _counts(text, key=0, value=2)  # name, type, data
    return max(0, arc.get("size", 0) - arc.get("c_min", 0))
