"""What guests did over time, second by second: the same for real guests and for simulated ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ballonet.engine.ports import Clock, Hypervisor
from ballonet.facts.guest import Guest
from ballonet.facts.snapshot import Floats
from ballonet.simulator.kernel import PAGE
from ballonet.simulator.overheard import Overheard

LEAST_ANSWERED = 1e-6  # less in a second is rounding

LEVELS: Mapping[str, Callable[[Guest], float | None]] = {
    "usable": lambda guest: guest.statistics.usable_bytes,
    "actual": lambda guest: guest.actual_bytes,
    "resident": lambda guest: guest.statistics.rss_bytes,
}
"""Bytes, as the hypervisor shows them."""

COUNTERS: Mapping[str, Callable[[Guest], float | None]] = {
    "swapped in": lambda guest: _pages(guest.statistics.swap_in_bytes_total),
    "swapped out": lambda guest: _pages(guest.statistics.swap_out_bytes_total),
    "major faults": lambda guest: guest.statistics.major_faults_total,
    "disk reads": lambda guest: guest.disk_reads_total,
}
"""Pages, pages, faults and requests since the guest's boot."""


def _pages(size_bytes: int | None) -> float | None:
    return None if size_bytes is None else size_bytes / PAGE


@dataclass(frozen=True, slots=True)
class Look:
    """All guests at one moment."""

    at: float  # seconds since their loads began
    guests: Sequence[Guest]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What became of a guest's requests, second by second."""

    answered: Floats
    seconds: Floats  # mean, from arrival to answer; NaN where none was answered


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A guest's run: one value a second; NaN is unknown."""

    maximum_bytes: float
    levels: Mapping[str, Floats]  # at the end of each second; keys of LEVELS
    rates: Mapping[str, Floats]  # in each second; keys of COUNTERS
    answers: Answers


class Recorder:
    """What an engine sees of its guests: each of its looks, from when it is told to begin."""

    def __init__(self, hypervisor: Hypervisor, clock: Clock) -> None:
        self.hypervisor: Hypervisor = Overheard(hypervisor, self._hear)
        self.looks: list[Look] = []
        self._clock = clock
        self._began_at: float | None = None

    def begin(self) -> None:
        """Record from now on."""
        self._began_at = self._clock.monotonic()

    def _hear(self, guests: Sequence[Guest]) -> Sequence[Guest]:
        if self._began_at is not None:
            self.looks.append(Look(self._clock.monotonic() - self._began_at, tuple(guests)))
        return guests


def series(looks: Sequence[Look], name: str, answers: Answers) -> Series:
    """Return a guest's run as its looks tell it, over as many seconds as there are answers."""
    rows = [(look.at, guest) for look in looks for guest in look.guests if guest.name == name]
    edges = np.arange(len(answers.answered) + 1, dtype=np.float64)
    return Series(
        maximum_bytes=float(rows[0][1].maximum_bytes or np.nan),
        levels={key: _at(edges, rows, read)[1:] for key, read in LEVELS.items()},
        rates={key: np.diff(_at(edges, rows, read)) for key, read in COUNTERS.items()},
        answers=answers,
    )


def _at(edges: Floats, rows: Sequence[tuple[float, Guest]], read: Callable[[Guest], float | None]) -> Floats:
    """Return a value at these seconds, on straight lines between looks; NaN where it was never known."""
    known = [(at, value) for at, guest in rows if (value := read(guest)) is not None]
    if not known:
        return np.full(len(edges), np.nan)
    times, values = np.array(known, dtype=np.float64).T
    levels: Floats = np.interp(edges, times, values)
    return levels


def by_second(begun: Floats, ended: Floats, answered: Floats, seconds: Floats, length: int) -> Answers:
    """Return answers given between these seconds, one interval after the other, by whole second.

    Those of an interval are spread evenly over it; what lies outside of `length` seconds is left out.
    """
    edges = np.arange(length + 1, dtype=np.float64)
    count = np.diff(_risen(edges, begun, ended, answered))
    total = np.diff(_risen(edges, begun, ended, answered * np.nan_to_num(seconds)))
    some = count > LEAST_ANSWERED
    return Answers(count, np.divide(total, count, out=np.full(length, np.nan), where=some))


def _risen(edges: Floats, begun: Floats, ended: Floats, amounts: Floats) -> Floats:
    """Return how much there was by then of what came between these seconds."""
    until = np.cumsum(amounts)
    times = np.column_stack([begun, ended]).ravel()
    risen: Floats = np.interp(edges, times, np.column_stack([until - amounts, until]).ravel())
    return risen
