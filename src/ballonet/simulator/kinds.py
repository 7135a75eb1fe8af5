"""Kinds of guests: who has a balloon driver, and what each tells of the memory that it has."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from ballonet.facts.snapshot import Bools, Floats, anybody
from ballonet.simulator import guests as model
from ballonet.simulator.kernel import PAGE, available

SWAP_CLUSTER = 32  # pages that one who must reclaim for himself takes at once


class Kind(StrEnum):
    """What runs in a guest."""

    LINUX = "linux"
    WINDOWS = "windows"  # with its balloon service, until a GAP
    BSD = "bsd"  # FreeBSD with its statistics: the balloon moves, but MemAvailable has no counterpart
    SILENT = "silent"  # no driver: it accepts every size, never moves and never reports


def told(make: model.Make, sample: model.State, kinds: Mapping[Kind, Bools]) -> dict[str, Floats]:
    """Return the statistics of these samples, by the names of `Columns`; NaN where a kind has none.

    `available` shrinks with the balloon unless autodeflate was negotiated. In Windows it never does;
    `unused` there is free and standby memory together, and the "swap" counters are those of all paging,
    files' pages included (virtio-win's collector; CacheBytes counts as 0, as it often is).
    """
    free = sample.free(make)
    usable, free = available(free, sample.cache(), make.low, make.high), np.maximum(free, 0.0)
    counted = make.deflates
    unknown = np.full(len(make), np.nan)
    newer = dict.fromkeys(("oom_kills", "alloc_stalls", "direct_scans"), unknown)
    if anybody(make.recent):
        newer = {
            "oom_kills": np.where(make.recent, sample.oom_kills, unknown),
            "alloc_stalls": np.where(make.recent, sample.direct / SWAP_CLUSTER, unknown),
            "direct_scans": np.where(make.recent, np.floor(sample.direct) * PAGE, unknown),
        }
    statistics = {
        "unused": free,
        "usable": usable,
        "available": np.where(counted, make.maximum, sample.actual) - make.overhead,
        "swap_in": np.floor(sample.swap_in) * PAGE,
        "swap_out": np.floor(sample.swap_out) * PAGE,
        "major_faults": sample.major_faults,
        **newer,
    }
    windows, bsd, silent = kinds[Kind.WINDOWS], kinds[Kind.BSD], kinds[Kind.SILENT]
    if anybody(windows):
        standby = free + sample.cache()
        paged = np.floor(sample.disk_reads)
        of_windows = {"unused": standby, "usable": standby, "swap_in": paged * PAGE, "major_faults": paged}
        of_windows["available"] = make.maximum - make.overhead
        for name, column in of_windows.items():
            statistics[name] = np.where(windows, column, statistics[name])
    if anybody(bsd | silent):
        for name in ("usable", "swap_in", "swap_out", "major_faults"):
            statistics[name] = np.where(bsd, np.nan, statistics[name])
        statistics = {name: np.where(silent, np.nan, column) for name, column in statistics.items()}
    return {name: np.floor(column) for name, column in statistics.items()}
