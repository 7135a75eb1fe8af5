"""Simulated guests through time: each lives on in steps as long as what it does allows.

Guests know nothing of each other. One in which nothing moves is not reckoned at all until something is
wanted of it; one that moves slowly is brought to the next look in one step; only what moves fast takes
steps of a twentieth of a second. Time is counted in these.
"""

from dataclasses import fields
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.snapshot import Bools, Floats, clip
from ballonet.simulator import guests as model
from ballonet.simulator.kernel import PAGE, SLAB
from ballonet.simulator.programs import ANSWER_SECONDS, Answers, Programs, work
from ballonet.simulator.timetable import NEVER, Rows, Timetable
from ballonet.units import KIB, MIB

STEP_SECONDS = 0.05  # half of what the reflex looks at
STEP_BYTES = 2 * MIB  # by this a longer step may miss: an eighth of a second of what the reflex looks at
STILL_BYTES = 4 * KIB  # a second: what moves more slowly does not move; a cache that fills page by page does
ANSWER_SHARE = 0.1  # by which the time of an answer may change in a longer step
LONGEST = 2.0**30  # steps at once: no limit
LAGS_BYTES = MIB  # who lacks more than this of what it wants may grow as soon as it can

_STATE = tuple(field.name for field in fields(model.State))
_PROGRAMS = tuple(field.name for field in fields(Programs))
_OF_STATE, _OF_PROGRAMS = attrgetter(*_STATE), attrgetter(*_PROGRAMS)
# What one unit of a column moves, in bytes; of columns of bytes 1.
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
}
_RESIDENT, _ACTUAL = _STATE.index("resident"), _STATE.index("actual")
_READS = _STATE.index("disk_reads")
_WAITED, _BUSY = (len(_STATE) + _PROGRAMS.index(name) for name in ("waited", "busy"))
_IN_USE = np.array([_STATE.index(name) for name in ("hot", "cold", "file", "cold_file", "swap_cache")])


class Life:
    """Guests and their programs at one moment; all of them are at `now`."""

    def __init__(self, make: model.Make, timetable: Timetable, *, detail: bool = True) -> None:
        """Begin with guests just booted; without `detail` what they answer is not counted."""
        self.make = make
        self._detail = detail
        self._rescues = bool(make.deflates.any())
        self.now = 0  # steps
        self.target = make.maximum.copy()  # bytes that each balloon was told
        rows = len(make)
        booted = model.State.booted(make)
        self._timetable = timetable
        self._table = _rows(booted, Programs(*np.zeros((len(_PROGRAMS), rows))))
        moves = np.array([[_COUNTERS.get(name, 1)] for name in _STATE + _PROGRAMS], dtype=np.float64)
        self._moves = moves
        # What is free above the high mark: below it a guest may be reclaiming, however evenly.
        self._kept = make.overhead + SLAB + make.high
        self._rate = np.zeros_like(self._table)  # of each column in a guest's last step, a second
        self._living = np.arange(rows)  # in whom anything can move
        self._pace = np.ones(rows, dtype=np.int64)  # steps that a guest may take at once
        self._still = np.zeros(rows, dtype=np.bool_)
        self._rise = np.full(rows, np.inf)  # bytes/s by which its resident memory may grow
        self._flow = np.zeros((2, rows))  # requests answered a second, and the seconds that each took
        self._answers = np.zeros((3, rows))  # answered, seconds of all, seconds of the longest

    # --- what is seen -------------------------------------------------------------------------------

    def state(self) -> model.State:
        """Return where the guests' memory is now."""
        return model.State(*self._table[: len(_STATE)].copy())

    def resident(self) -> Floats:
        """Return the bytes of each guest on the host now."""
        resident: Floats = self._table[_RESIDENT].copy()
        return resident

    def waited(self) -> Floats:
        """Return the seconds in which programs waited for memory, since each guest booted."""
        waited: Floats = self._table[_WAITED].copy()
        return waited

    def busy(self) -> Floats:
        """Return the seconds of processors that each guest used since it booted."""
        busy: Floats = self._table[_BUSY].copy()
        return busy

    def answers(self) -> Answers:
        """Return what was answered since this was asked last."""
        answered, seconds, longest = self._answers
        self._answers = np.zeros_like(self._answers)
        means = np.divide(seconds, answered, out=np.full_like(seconds, np.nan), where=answered > 0)
        return Answers(answered, means, longest)

    def rise(self) -> Floats:
        """Return bytes/s by which each guest's resident memory grows until something else is wanted.

        Infinite where that is not known: it was just told, or waits for memory.
        """
        return self._rise.copy()

    def next_turn(self) -> int:
        """Return the step at which something else is wanted of a guest."""
        return int(self._timetable.next_at[self._living].min(initial=NEVER))

    # --- time ---------------------------------------------------------------------------------------

    def resize(self, rows: Rows, size: Floats) -> None:
        """Tell balloons their next sizes, in bytes."""
        self.target[rows] = size
        self._wake(rows)

    def freeze(self, frozen: Bools) -> None:
        """Let nothing move in these guests, and all others live on."""
        was = np.ones(len(frozen), dtype=np.bool_)
        was[self._living] = False
        self._living = np.flatnonzero(~frozen)
        self._rise[frozen] = 0.0
        back = np.flatnonzero(was & ~frozen)
        self._rise[back] = np.inf
        self._wake(back)

    def reset(self, row: int, resident: float) -> None:
        """Boot a guest anew, with so many bytes on the host; the host goes on counting its disks' reads."""
        booted = _rows(model.State.booted(self.make), Programs(*np.zeros((len(_PROGRAMS), len(self.make)))))
        reads = self._table[_READS, row]
        self._table[:, row] = booted[:, row]
        self._table[_RESIDENT, row], self._table[_READS, row] = resident, reads
        self._wake(np.array([row], dtype=np.intp))

    def live(self, until: int) -> None:
        """Bring all guests to this step."""
        self._live(self._living, self.now, until)
        self.now = until

    def _wake(self, rows: Rows) -> None:
        self._pace[rows] = 1
        self._still[rows] = False

    def _live(self, rows: Rows, at: int, until: int) -> None:
        """Bring these guests from one step to another: in one go those that may, others in pieces."""
        while True:
            turned = self._timetable.turn(rows, at)
            if len(turned):
                self._wake(turned)
                self._rise[turned] = np.inf
            length, next_at = until - at, self._timetable.next_at
            fit = (self._still[rows] | (self._pace[rows] >= length)) & (next_at[rows] >= until)
            if fit.all():
                self._go(rows, length)
                return
            self._go(rows[fit], length)
            rows = rows[~fit]
            pace = self._pace[rows][~self._still[rows]]
            piece = min(int(pace.min(initial=length)), int(next_at[rows].min()) - at, length)
            self._go(rows, piece)
            at += piece

    def _go(self, rows: Rows, length: int) -> None:
        """Bring guests on by so many steps: those in which anything moves in one."""
        still = self._still[rows]
        moving = rows[~still]
        if len(moving):
            self._step(moving, length)
        if len(moving) < len(rows):
            self._rest(rows[still], length)

    def _rest(self, rows: Rows, length: int) -> None:
        """Let guests in which nothing moves answer their requests."""
        rate, seconds = self._flow[:, rows]
        self._table[_BUSY, rows] += rate * length * STEP_SECONDS * ANSWER_SECONDS
        self._account(rows, rate * length * STEP_SECONDS, seconds)

    def _step(self, rows: Rows, length: int) -> None:
        """Bring these guests on by so many steps in one."""
        seconds = length * STEP_SECONDS
        table, make = self._table[:, rows], self._made(rows)
        programs, want = Programs(*table[len(_STATE) :]), self._timetable.wants(rows)
        state = model.State(*table[: len(_STATE)])
        programs, state, load, answers = work(programs, make, state, want, seconds)
        state, _ = model.step(make, state, load, self.target[rows], seconds)
        after = _rows(state, programs)
        # What a rescue took back the driver keeps until it is told a size again, be it the same.
        if self._rescues:
            rescued = make.deflates & (state.actual > np.maximum(table[_ACTUAL], self.target[rows]))
            self.target[rows] = np.where(rescued, state.actual, self.target[rows])
        rate = (after - table) / seconds
        self._table[:, rows] = after
        waits = programs.waiting > 0
        settled = ~waits & (programs.anon == want["anon_mib"] * MIB) & (load.stream == 0)
        moved = np.abs(rate) * self._moves
        self._still[rows] = settled & (moved.max(axis=0) < STILL_BYTES)
        pace = np.minimum(self._paces(rows, state, rate, moved), self._answer_paces(rows, answers, seconds))
        self._pace[rows] = np.where(waits, 1, pace)
        lags = programs.anon - (state.hot + state.cold + state.hot_swapped + state.cold_swapped) > LAGS_BYTES
        self._rise[rows] = np.where(lags, np.inf, rate[_RESIDENT])
        self._rate[:, rows] = rate
        self._flow[:, rows] = answers.answered / seconds, answers.longest
        self._account(rows, answers.answered, answers.longest)

    def _paces(self, rows: Rows, state: model.State, rate: Floats, moved: Floats) -> NDArray[np.int64]:
        """Return how many steps guests may take at once: while little moves, or all of it evenly.

        What moves evenly does so until its target, which no step overshoots, or until memory is short.
        """
        changed = np.abs(rate - self._rate[:, rows]) * self._moves
        moved[_RESIDENT] = changed[_RESIDENT] = 0.0  # what leaves the host by and by needs no fine steps
        fastest, uneven = moved.max(axis=0), changed.max(axis=0)
        falling = -rate[_ACTUAL] + rate[_IN_USE].sum(axis=0)
        in_use = state.hot + state.cold + state.file + state.cold_file + state.swap_cache
        spare = state.actual - self._kept[rows] - in_use
        until_short = np.where(spare > 0, spare, 0.0) / np.maximum(falling, 1.0)
        evenly = np.minimum(STEP_BYTES / np.maximum(uneven, 1.0), until_short)
        seconds = np.maximum(STEP_BYTES / np.maximum(fastest, 1.0), evenly)
        return clip(seconds / STEP_SECONDS, 1.0, LONGEST).astype(np.int64)

    def _answer_paces(self, rows: Rows, answers: Answers, seconds: float) -> NDArray[np.int64]:
        """Return how many steps guests may take at once for the time of an answer to change but little."""
        slowing = np.abs(answers.longest - self._flow[1, rows]) / seconds
        steady = ANSWER_SHARE * answers.longest / np.maximum(slowing, 1e-9) / STEP_SECONDS
        return np.where(answers.answered > 0, clip(steady, 1.0, LONGEST), LONGEST).astype(np.int64)

    def _made(self, rows: Rows) -> model.Make:
        """Return what these guests are."""
        if len(rows) == len(self.make):
            return self.make
        return self.make.only(rows)

    def _account(self, rows: Rows, answered: Floats, seconds: Floats) -> None:
        """Add requests that were answered after so many seconds each."""
        if not self._detail:
            return
        before, took, longest = self._answers[:, rows]
        longest = np.maximum(longest, np.where(answered > 0, seconds, 0.0))
        self._answers[:, rows] = before + answered, took + answered * seconds, longest


def _rows(state: model.State, programs: Programs) -> Floats:
    """Return all columns in one table, columns x guests."""
    return np.array([*_OF_STATE(state), *_OF_PROGRAMS(programs)])
