"""What a history is made of: which values, and how many samples become one.

Samples are rows of an array, one column a value; NaN is unknown. They are kept as float32: a size that is a
whole number of pages is exact up to 64 GiB, and to 16 millionths of a percent beyond.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.snapshot import Floats

Cells: TypeAlias = NDArray[np.float32]
Rows: TypeAlias = NDArray[np.intp]


class Keep(Enum):
    """What is kept of several samples."""

    LAST = "last"  # that is known
    LEAST = "least"
    MOST = "most"
    SUM = "sum"  # of what is known


class Fields:
    """The columns of samples, by name, and what is kept of each."""

    def __init__(self, **kept: Keep) -> None:
        self.names: Final = tuple(kept)
        self._columns: Final = {
            keep: np.flatnonzero([each is keep for each in kept.values()]) for keep in Keep
        }

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.names)

    def of(self, keep: Keep) -> Rows:
        """Return the columns of which this is kept."""
        return self._columns[keep]


# Of each guest. A new field goes to the end: what was written before reads on, with the field unknown.
GUEST: Final = Fields(
    maximum_bytes=Keep.LAST,
    floor_bytes=Keep.LAST,
    actual_bytes=Keep.LAST,
    told_bytes=Keep.LAST,
    need_bytes=Keep.LAST,
    usable_bytes=Keep.LAST,
    rss_bytes=Keep.LAST,
    least_usable_bytes=Keep.LEAST,
    most_need_bytes=Keep.MOST,
    most_wanted_bytes=Keep.MOST,  # need and cushion
    swap_in_bytes=Keep.SUM,
    swap_out_bytes=Keep.SUM,
    major_faults=Keep.SUM,
    managed_seconds=Keep.SUM,
    distress_seconds=Keep.SUM,
    pinched_seconds=Keep.SUM,  # of these, while it had no more than its floor
    changes=Keep.SUM,  # of its size that were sent, bursts included
    bursts=Keep.SUM,
)
HOST: Final = Fields(
    total_bytes=Keep.LAST,
    available_bytes=Keep.LAST,
    pressure_some_ratio=Keep.MOST,
    budget_bytes=Keep.LAST,
    maximum_bytes=Keep.LAST,  # of all managed guests together, as the next two
    held_bytes=Keep.LAST,
    rss_bytes=Keep.LAST,
    seconds=Keep.SUM,  # that somebody looked
)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Samples of one guest, or of the host, oldest first."""

    fields: Fields
    at: Floats  # epoch seconds at which each ends
    cells: Cells  # samples x fields
    good_seconds: Floats  # for how long each says what is, when no other follows

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.at)

    def columns(self) -> Mapping[str, Cells]:
        """Return the values by name."""
        return dict(zip(self.fields.names, self.cells.T, strict=True))

    def between(self, since: float, until: float) -> "Series":
        """Return those that end after `since`, and at `until` at the latest."""
        inside = (self.at > since) & (self.at <= until)
        return Series(self.fields, self.at[inside], self.cells[inside], self.good_seconds[inside])


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Samples of many guests."""

    uuids: Sequence[str]
    guest: Rows  # of each sample: index in `uuids`
    at: Floats  # epoch seconds at which it ends
    cells: Cells  # samples x fields

    def column(self, name: str) -> Floats:
        """Return one value of each sample."""
        return self.cells[:, GUEST.names.index(name)].astype(np.float64)

    def between(self, since: float, until: float) -> "Table":
        """Return those that end after `since`, and at `until` at the latest."""
        inside = (self.at > since) & (self.at <= until)
        return Table(self.uuids, self.guest[inside], self.at[inside], self.cells[inside])


def merged(cells: Cells, starts: Rows, fields: Fields) -> Cells:
    """Return one sample for each run of samples that begins at `starts`.

    `cells` is samples x fields, or samples x fields x guests.
    """
    found = np.empty((len(starts), *cells.shape[1:]), dtype=np.float32)
    for keep, reduce in ((Keep.LEAST, np.fmin), (Keep.MOST, np.fmax)):
        found[:, fields.of(keep)] = reduce.reduceat(cells[:, fields.of(keep)], starts, axis=0)
    found[:, fields.of(Keep.SUM)] = _sums(cells[:, fields.of(Keep.SUM)], starts)
    found[:, fields.of(Keep.LAST)] = _last(cells[:, fields.of(Keep.LAST)], starts)
    return found


def _sums(cells: Cells, starts: Rows) -> Cells:
    known = ~np.isnan(cells)
    sums = np.add.reduceat(np.where(known, cells, np.float32(0)), starts, axis=0)
    return np.where(np.logical_or.reduceat(known, starts, axis=0), sums, np.float32(np.nan))


def _last(cells: Cells, starts: Rows) -> Cells:
    """Return the last known value of each run; unknown where the run has none."""
    rows = np.arange(len(cells)).reshape(-1, *(1,) * (cells.ndim - 1))
    known = np.maximum.reduceat(np.where(np.isnan(cells), -1, rows), starts, axis=0)
    last = np.take_along_axis(cells, np.maximum(known, 0), axis=0)
    return np.where(known < 0, np.float32(np.nan), last)


def binned(series: Series, ends: Floats) -> Cells:
    """Return a sample for each step that ends at `ends`; the samples are all within them.

    A step that no sample ends in is as the one before it was, and nothing came within it, for as long as
    the last sample is good for; after that it is unknown.
    """
    found = np.full((len(ends), len(series.fields)), np.nan, dtype=np.float32)
    if not len(series):
        return found
    steps = np.searchsorted(ends, series.at)
    starts = np.flatnonzero(np.diff(steps, prepend=-1))
    found[steps[starts]] = merged(series.cells, starts, series.fields)
    last = np.searchsorted(series.at, ends, side="right") - 1  # sample before each end
    good = (last >= 0) & (ends - series.at[last] <= series.good_seconds[last])
    good[steps[starts]] = False  # those have their own
    held = found[steps[last[good]]]
    held[:, series.fields.of(Keep.SUM)] = 0.0
    found[good] = held
    return found
