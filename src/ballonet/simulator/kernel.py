"""What a Linux guest's kernel keeps for itself: pure numbers in bytes, for whole columns."""

import numpy as np

from ballonet.facts.snapshot import Floats
from ballonet.units import GIB, KIB, MIB

PAGE = 4096
PAGEBLOCK = 2 * MIB
# Code, data and page tables of Debian's cloud kernel; 64 bytes for each 4 KiB page come on top.
CODE = 36 * MIB
SLAB = 39 * MIB  # what else is neither free, nor cache, nor a program's, on an idle guest


def pages(size_bytes: float) -> int:
    """Return so many bytes in whole pages, as balloons have them."""
    return int(size_bytes // PAGE * PAGE)


def overhead(maximum: Floats) -> Floats:
    """Return what is missing from MemTotal: 52 MiB of 1 GiB, 42 to 44 MiB of 512 MiB (measured)."""
    return CODE + maximum * 64 / PAGE


def watermarks(maximum: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (min, low, high) of free memory, as Linux sets them at boot.

    min is 4 * sqrt(KiB) KiB; with transparent huge pages, which Linux leaves off below 512 MiB of MemTotal,
    at least eleven page blocks a zone (a second zone begins at 16 MiB, a third at 4 GiB) and at most 5 %.
    Three guests of 1 GiB had 44, 55 and 66 MiB.
    """
    total = maximum - overhead(maximum)
    usual = np.clip(4 * np.sqrt(total / KIB) * KIB, 128 * KIB, 256 * MIB)
    zones = np.where(maximum > 4 * GIB, 3, 2)
    huge = np.minimum(11 * PAGEBLOCK * zones, 0.05 * total)
    least = np.where(total >= 512 * MIB, np.maximum(usual, huge), usual)
    # The gap between the marks is a quarter of min, or 0.1 % of memory where that is more.
    gap = np.maximum(least / 4, total * 0.001)
    return least, least + gap, least + 2 * gap


def available(free: Floats, cache: Floats, low: Floats, high: Floats) -> Floats:
    """Return MemAvailable: what is free above the high mark, and the cache less what must stay of it."""
    return np.maximum(free - high + cache - np.minimum(cache / 2, low), 0.0)
