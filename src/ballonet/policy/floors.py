"""How small a guest may become: pure numbers in bytes, for single guests and for whole columns."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.snapshot import clip
from ballonet.units import GIB, MIB

Bytes = TypeVar("Bytes", int, float, NDArray[np.float64])


def reserve_bytes(maximum_bytes: Bytes) -> Bytes:
    """Return what a Linux guest cannot use anyway: its watermarks, R = clamp(7.5 % M, 48 MiB, 256 MiB).

    Three real guests of 1 GiB never had less than 58 to 90 MiB free, however hard they were squeezed;
    half of R was too little for guests of 512 MiB.
    """
    return _like(maximum_bytes, clip(0.075 * np.asarray(maximum_bytes), 48 * MIB, 256 * MIB))


def reclaim_mark_bytes(maximum_bytes: Bytes) -> Bytes:
    """Return what is unused in a Linux guest that has to reclaim, at most.

    Kernels with huge pages keep eleven page blocks of 2 MiB a zone, and half as much on top, between two
    watermarks: three guests of 1 GiB had 58 to 90 MiB free while they reclaimed. Below 512 MiB of memory
    huge pages are off, and the marks are a few MiB.
    """
    maximum = np.asarray(maximum_bytes)
    of_zones = np.where(maximum > 4 * GIB, 3.0 * 44 * MIB, 2.0 * 44 * MIB)
    return _like(maximum_bytes, np.where(maximum > 560 * MIB, of_zones, 16.0 * MIB))


def hard_floor_bytes(maximum_bytes: Bytes) -> Bytes:
    """Return the size below which no target is ever sent: the kernel's own memory and its reserve.

    48 MiB of kernel, 1.6 % of the maximum for its page structures (64 bytes a 4 KiB page), and R. A guest
    of 512 MiB that was told to shrink without end stalled at 74 to 129 MiB with nothing available.
    """
    maximum = np.asarray(maximum_bytes)
    kernel = 48 * MIB + maximum / 64
    return _like(maximum_bytes, np.minimum(maximum, kernel + reserve_bytes(maximum)))


def floor_bytes(maximum_bytes: Bytes) -> Bytes:
    """Return the floor of a guest that nobody set one for: 25 % of its maximum, at least 256 MiB."""
    maximum = np.asarray(maximum_bytes)
    usual = np.maximum(0.25 * maximum, 256 * MIB)
    return _like(maximum_bytes, np.minimum(maximum, np.maximum(usual, hard_floor_bytes(maximum))))


def _like(given: Bytes, values: NDArray[np.float64]) -> Bytes:
    """Return whole bytes in the shape that was given: a number for a number, a column for a column."""
    whole = np.floor(values)
    if isinstance(given, int):
        return int(whole)
    return float(whole) if isinstance(given, float) else whole
