"""The table that a decision is made from: one row a guest, one column a fact.

Columns are numpy arrays of one length, in the order of `uuids`. Sizes are float64 bytes, times float64
seconds; NaN is "unknown", never 0. Nothing here is ever written after it was made.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.host import HostMemory

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.int8]
Column = TypeVar("Column", Floats, Bools)
Reckoned = TypeVar("Reckoned")


def or_else(column: Floats, value: float = 0.0) -> Floats:
    """Return the column with a value where it is unknown (a fraction of the time of `nan_to_num`)."""
    unknown = np.isnan(column)
    if not anybody(unknown):
        return column
    filled = column.copy()
    filled[unknown] = value
    return filled


def clip(column: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """Return the column within these bounds (a third of the time of numpy's `clip` where rows are few)."""
    clipped: Floats = np.minimum(np.maximum(column, low), high)
    return clipped


def anybody(holds: Bools) -> bool:
    """Return whether it holds for any row (a tenth of the time of numpy's `any` where rows are few)."""
    return 1 in holds.tobytes()


def everybody(holds: Bools) -> bool:
    """Return whether it holds for all rows."""
    return 0 not in holds.tobytes()


def choose(which: Bools, new: Column, old: Column) -> Column:
    """Return the new values of these rows, the old ones of the others (next to no time where it is all)."""
    return new if everybody(which) else np.where(which, new, old)


def first_of(rules: Sequence[tuple[int, Bools]], default: int, rows: int) -> Codes:
    """Return each row's code: that of the first rule which holds for it."""
    codes = np.full(rows, default, dtype=np.int8)
    for code, holds in reversed(rules):
        codes[holds] = int(code)  # of an enumeration numpy makes a column first
    return codes


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All guests at one moment, with the limits that an administrator set for them."""

    taken_at: float  # monotonic seconds
    host: HostMemory | None  # None: the guests run elsewhere, or it could not be read
    uuids: tuple[str, ...]
    names: tuple[str, ...]

    running: Bools
    busy: Bools  # a job (migration, save, snapshot) holds it
    device: Bools  # it has a balloon device
    autodeflate: Bools
    reports_free: Bools  # free page reporting: what it frees leaves its resident memory
    obstacle: Codes  # index in `Obstacle`, -1: none
    watched: Bools  # its resident memory is read ten times a second
    uptime: Floats  # seconds since its process started or it was reset

    maximum: Floats
    actual: Floats
    floor: Floats
    ceiling: Floats
    weight: Floats
    excluded: Bools  # the administrator's settings want it left alone
    held: Bools  # somebody asked for it to be left alone for a while

    unused: Floats
    usable: Floats
    available: Floats
    rss: Floats
    risen: Floats  # bytes by which that rose since the statistics were sent; NaN where nobody looked
    swap_in: Floats  # bytes since the guest's boot, as swap_out
    swap_out: Floats
    major_faults: Floats  # since the guest's boot
    oom_kills: Floats  # since the guest's boot, as the next two; Linux >= 6.12 under QEMU >= 9.2 tells
    alloc_stalls: Floats
    direct_scans: Floats  # bytes
    pressure: Floats  # PSI memory "some" in the guest, 0..1, as its agent tells it, and the next five
    pressure_since: Floats  # monotonic seconds from which on that was measured
    heard_at: Floats  # monotonic seconds at which its agent was asked last
    swapped: Floats  # bytes in its swap
    swap_left: Floats  # bytes that still fit into it
    committed: Floats  # bytes that its programs asked for, touched or not
    stats_at: Floats  # monotonic seconds at which the guest sent its statistics, at the earliest
    period: Floats  # seconds between two statistics; 0: nobody asks

    disk_reads: Floats  # requests of all disks since the start, as the host sees them; the same for the rest
    disk_read_seconds: Floats
    vcpus: Floats
    vcpu_seconds: Floats

    @property
    def stats_age(self) -> Floats:
        """Seconds since each guest sent its statistics; NaN where it never did, below 0 in the future."""
        return self.taken_at - self.stats_at

    def __len__(self) -> int:
        """Return the number of guests."""
        return len(self.uuids)


def once(reckon: Callable[[Snapshot], Reckoned]) -> Callable[[Snapshot], Reckoned]:
    """Return the function such that it reckons once what follows from a snapshot, which never changes."""
    name = f"{reckon.__module__}.{reckon.__qualname__}"

    @wraps(reckon)
    def known(snapshot: Snapshot) -> Reckoned:
        kept = snapshot.__dict__
        if name not in kept:
            kept[name] = reckon(snapshot)
        found: Reckoned = kept[name]
        return found

    return known
