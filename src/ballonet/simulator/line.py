"""The straight lines on which simulated guests move: where one leads, and how long the next may be.

Guests side by side: one row a fact, one column a guest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Self

import numpy as np

from ballonet.facts.snapshot import Bools, Floats, everybody
from ballonet.simulator import guests as model
from ballonet.simulator.kernel import PAGE
from ballonet.simulator.programs import Programs, work
from ballonet.units import KIB, MIB

LINE_BYTES = 2 * MIB  # by this a line may miss: an eighth of a second of what the reflex looks at
LINE_SECONDS = 2.0  # no line is longer, but of guests in which next to nothing moves, in all of it:
SLIGHT_BYTES = 256 * KIB
STILL_BYTES = 4 * KIB  # a second: what moves more slowly does not move; a cache that fills page by page does
ANSWER_SHARE = 0.1  # by which the time of an answer may change on a line
LAGS_BYTES = MIB  # who lacks more than this of what it wants may grow as soon as it can

STATE = slice(len(model.STATE_NAMES))
_PROGRAMS = tuple(field.name for field in fields(Programs))
_OF_STATE, _OF_PROGRAMS = attrgetter(*model.STATE_NAMES), attrgetter(*_PROGRAMS)
_NAMES = (
    *model.STATE_NAMES,
    *_PROGRAMS,
    "answered",
    "answering",
)  # requests, and the seconds that these took
_PLACE = {name: row for row, name in reversed(list(enumerate(_NAMES)))}  # of two files that of the state

ACTUAL, RESIDENT, READS = (_PLACE[name] for name in ("actual", "resident", "disk_reads"))
WAITED, BUSY = _PLACE["waited"], _PLACE["busy"]
ANSWERS = slice(_PLACE["answered"], None)
FLOWS = BUSY  # from this row on all rises evenly where nothing moves

_ANON = _PLACE["anon"]
_FILES = [row for row, name in enumerate(_NAMES) if name == "file"]
_IN_USE = np.array([_PLACE[name] for name in ("hot", "cold", "file", "cold_file", "swap_cache")])
# What one unit of a row moves, in bytes; of rows of bytes 1.
_COUNTERS = {
    "swap_in": PAGE,
    "swap_out": PAGE,
    "major_faults": PAGE,
    "disk_reads": PAGE,
    "direct": PAGE,
    "oom_kills": MIB,
    "waiting": 0,
    "waited": 0,
    "busy": 0,
    "answered": 0,
    "answering": 0,
}
# What leaves the host by and by is no part of it: that needs no fine steps.
_MOVES = np.array([[_COUNTERS.get(name, int(name != "resident"))] for name in _NAMES], dtype=np.float64)
_ENDING = np.array([row for row, name in enumerate(_NAMES) if name not in _COUNTERS and row != RESIDENT])


def booted(make: model.Make) -> Floats:
    """Return guests just booted, whose programs did nothing yet."""
    nothing = np.zeros((len(_NAMES) - STATE.stop, len(make)))
    return np.array([*_OF_STATE(model.State.booted(make)), *nothing])


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Where guests come to in some time, and what they want and do meanwhile."""

    make: model.Make
    want: Mapping[str, Floats]  # by the names of `WANTS`
    target: Floats  # bytes that each balloon was told
    end: Floats
    rate: Floats  # a second
    inside: Floats  # bytes a second by which that moves which moves most in the guest
    moved: Floats  # the same, what it has on the host included
    using: Floats  # bytes a second by which what is in use there grows
    seconds: Floats
    state: model.State  # at its end, as the next two
    programs: Programs
    load: model.Load
    answered: Floats  # requests
    delay: Floats  # seconds that each of these took; 0 where there were none

    @classmethod
    def of(
        cls, make: model.Make, begin: Floats, want: Mapping[str, Floats], target: Floats, seconds: Floats
    ) -> Self:
        """Reckon where guests that begin there are after so many seconds, each after its own."""
        state, programs = model.State.of(begin[STATE]), Programs(*begin[STATE.stop : ANSWERS.start])
        programs, state, load, answered, delay = work(programs, make, state, want, seconds)
        state, _ = model.step(make, state, load, target, seconds)
        before, answering = begin[ANSWERS]
        answers = before + answered, answering + answered * delay
        end = np.array([*_OF_STATE(state), *_OF_PROGRAMS(programs), *answers])
        rate = (end - begin) / seconds
        inside = (np.abs(rate) * _MOVES).max(axis=0)
        moved = np.maximum(inside, np.abs(rate[RESIDENT]))
        using = rate.take(_IN_USE, axis=0).sum(axis=0)
        lines = end, rate, inside, moved, using
        return cls(make, want, target, *lines, seconds, state, programs, load, answered, delay)

    def told_size(self, begin: Floats) -> Floats:
        """Return the size that each driver keeps until it is told one again: a rescue keeps what it took."""
        grew = self.state.actual > np.maximum(begin[ACTUAL], self.target)
        return np.where(self.make.deflates & grew, self.state.actual, self.target)

    def still(self) -> Bools:
        """Return in whom nothing will move until something else is wanted."""
        settled = (self.programs.anon == self.want["anon"]) & (self.load.stream == 0)
        still: Bools = settled & (self.programs.waiting <= 0) & (self.moved < STILL_BYTES)
        return still

    def rise(self) -> Floats:
        """Return the bytes/s by which resident memory may grow; infinite where a guest waits for memory.

        What grows within memory that it touched before, and that is resident still, soon grows beyond it.
        """
        state = self.state
        held = state.hot + state.cold + state.hot_swapped + state.cold_swapped
        grows = np.maximum(self.rate[RESIDENT], self.using)
        return np.where(self.programs.anon - held > LAGS_BYTES, np.inf, grows)

    def next_seconds(self, rate: Floats, delay: Floats) -> Floats:
        """Return how long guests may go on like this: while little moves, or all of it evenly.

        `rate` and `delay` are what their lines before this one had, `delay` the seconds that an answer took.
        """
        slight = SLIGHT_BYTES / np.maximum(self.moved, 1.0)
        seconds = LINE_BYTES / np.maximum(self.inside, 1.0)
        if not everybody(seconds >= LINE_SECONDS):
            seconds = np.maximum(seconds, self._evenly(rate))
        seconds = np.maximum(np.minimum(seconds, LINE_SECONDS), slight)
        return np.where(self.programs.waiting > 0, 0.0, np.minimum(seconds, self._steady(delay)))

    def _evenly(self, rate: Floats) -> Floats:
        """Return the seconds in which all goes on as evenly as before, at these rates."""
        changed = (np.abs(self.rate - rate) * _MOVES).max(axis=0)
        evenly: Floats = LINE_BYTES / np.maximum(changed, 1.0)
        return np.minimum(evenly, np.minimum(self._until_short(), self._until_there()))

    def _until_short(self) -> Floats:
        """Return the seconds until a guest may be reclaiming, however evenly: at the high mark."""
        spare = np.maximum(self.state.free(self.make) - self.make.high, 0.0)
        falling = self.using - self.rate[ACTUAL]
        seconds: Floats = spare / np.maximum(falling, 1.0)
        return seconds

    def _until_there(self) -> Floats:
        """Return the seconds until the first of what moves is there: at nothing, or at what is wanted."""
        there = np.zeros(self.end.shape)
        there[ACTUAL], there[_ANON] = self.target, self.want["anon"]
        there[_FILES] = self.want["file"]
        rate, left = (of.take(_ENDING, axis=0) for of in (self.rate, there - self.end))
        seconds = left / np.where(rate == 0.0, np.nan, rate)
        first: Floats = np.where(seconds > 0.0, seconds, np.inf).min(axis=0)
        return first

    def _steady(self, delay: Floats) -> Floats:
        """Return the seconds in which the time of an answer changes but little."""
        slowing = np.abs(self.delay - delay) / self.seconds
        steady = ANSWER_SHARE * self.delay / np.maximum(slowing, 1e-9)
        return np.where(self.answered > 0, steady, np.inf)
