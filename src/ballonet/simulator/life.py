"""Simulated guests through time: each lives on in steps as long as what it does allows.

Guests know nothing of each other. One in which nothing moves is not reckoned at all until something is
wanted of it; one that moves slowly is brought to the next look in one step; only what moves fast takes
steps of a twentieth of a second. Time is counted in these.
"""

from dataclasses import fields

import numpy as np

from ballonet.facts.snapshot import Floats
from ballonet.simulator import guests as model
from ballonet.simulator.kernel import PAGE
from ballonet.simulator.programs import Answers, Programs, work
from ballonet.simulator.timetable import Rows, Timetable
from ballonet.units import KIB, MIB

STEP_SECONDS = 0.05  # half of what the reflex looks at
STEP_BYTES = 2 * MIB  # what may move in a longer step: an eighth of a second of what the reflex looks at
STILL_BYTES = 64 * KIB  # a second: what moves more slowly does not move; no kernel swaps so little on purpose
CALM_BYTES = 8 * MIB  # a second: half of what the reflex looks at
LAGS_BYTES = MIB  # who lacks more than this of what it wants may grow as soon as it can

_STATE = tuple(field.name for field in fields(model.State))
_PROGRAMS = tuple(field.name for field in fields(Programs))
# What one unit of a column moves, in bytes; of columns of bytes 1.
_COUNTERS = {
    "swap_in": PAGE,
    "swap_out": PAGE,
    "major_faults": PAGE,
    "disk_reads": PAGE,
    "oom_kills": MIB,
    "waiting": 0,
}
_RESIDENT = _STATE.index("resident")
_HELD = [_STATE.index(name) for name in ("hot", "cold", "hot_swapped", "cold_swapped")]


class Life:
    """Guests and their programs at one moment; all of them are at `now`."""

    def __init__(self, make: model.Make, timetable: Timetable) -> None:
        self.make = make
        self.now = 0  # steps
        self.target = make.maximum.copy()  # bytes that each balloon was told
        rows = len(make)
        booted = model.State.booted(make)
        self._timetable = timetable
        self._table = _rows(booted, Programs(*np.zeros((len(_PROGRAMS), rows))))
        moves = np.array([[_COUNTERS.get(name, 1)] for name in _STATE + _PROGRAMS], dtype=np.float64)
        self._moves = moves
        self._hurries = moves.copy()
        self._hurries[_RESIDENT] = 0.0  # what leaves the host by and by needs no fine steps
        self._every = np.arange(rows)
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

    def answers(self) -> Answers:
        """Return what was answered since this was asked last."""
        answered, seconds, longest = self._answers
        self._answers = np.zeros_like(self._answers)
        means = np.divide(seconds, answered, out=np.full_like(seconds, np.nan), where=answered > 0)
        return Answers(answered, means, longest)

    def calm_steps(self) -> int:
        """Return for how long no guest's resident memory grows fast; what is planned for later may."""
        if (self._rise > CALM_BYTES).any():
            return 0
        return max(0, int(self._timetable.next_at.min(initial=1 << 60)) - self.now)

    # --- time ---------------------------------------------------------------------------------------

    def resize(self, rows: Rows, size: Floats) -> None:
        """Tell balloons their next sizes, in bytes."""
        self.target[rows] = size
        self._wake(rows)

    def live(self, until: int) -> None:
        """Bring all guests to this step."""
        self._live(self._every, self.now, until)
        self.now = until

    def _wake(self, rows: Rows) -> None:
        self._pace[rows] = 1
        self._still[rows] = False

    def _live(self, rows: Rows, at: int, until: int) -> None:
        """Bring these guests from one step to another: in one go those that may, others in two halves."""
        turned = self._timetable.turn(rows, at)
        if len(turned):
            self._wake(turned)
            self._rise[turned] = np.inf
        length, still = until - at, self._still[rows]
        if length == 1:
            fit = np.ones(len(rows), dtype=np.bool_)
        else:
            fit = (still | (self._pace[rows] >= length)) & (self._timetable.next_at[rows] >= until)
        self._rest(rows[fit & still], length)
        moving = rows[fit & ~still]
        if len(moving):
            self._step(moving, length)
        left = rows[~fit]
        if len(left):
            self._live(left, at, (at + until) // 2)
            self._live(left, (at + until) // 2, until)

    def _rest(self, rows: Rows, length: int) -> None:
        """Let guests in which nothing moves answer their requests."""
        if len(rows):
            rate, seconds = self._flow[:, rows]
            self._account(rows, rate * length * STEP_SECONDS, seconds)

    def _step(self, rows: Rows, length: int) -> None:
        """Bring these guests on by so many steps in one."""
        seconds = length * STEP_SECONDS
        table, make = self._table[:, rows], self._made(rows)
        programs, want = Programs(*table[len(_STATE) :]), self._timetable.wants(rows)
        state = model.State(*table[: len(_STATE)])
        programs, state, load, answers = work(programs, make, state, want, seconds)
        state, _ = model.step(make, state, load, self.target[rows], seconds)
        after = np.array(
            [getattr(state, name) for name in _STATE] + [getattr(programs, n) for n in _PROGRAMS]
        )
        self._table[:, rows] = after
        self._flow[:, rows] = answers.answered / seconds, answers.longest
        self._account(rows, answers.answered, answers.longest)
        settled = (programs.waiting == 0) & (programs.anon == want["anon_mib"] * MIB) & (load.stream == 0)
        self._judge(rows, (after - table) / seconds, settled)
        lags = programs.anon - after[_HELD].sum(axis=0) > LAGS_BYTES
        self._rise[rows] = np.where(lags, np.inf, (after - table)[_RESIDENT] / seconds)
        self._pace[rows[programs.waiting > 0]] = 1

    def _made(self, rows: Rows) -> model.Make:
        """Return what these guests are."""
        if len(rows) == len(self._every):
            return self.make
        return model.Make(*(getattr(self.make, field.name)[rows] for field in fields(model.Make)))

    def _judge(self, rows: Rows, rate: Floats, settled: Floats) -> None:
        """See how fast guests move, and which of them do not."""
        rate = np.abs(rate)
        fastest = (rate * self._hurries).max(axis=0)
        self._pace[rows] = np.minimum(STEP_BYTES / STEP_SECONDS / np.maximum(fastest, 1.0), 1 << 30)
        self._still[rows] = settled & ((rate * self._moves).max(axis=0) < STILL_BYTES)

    def _account(self, rows: Rows, answered: Floats, seconds: Floats) -> None:
        """Add requests that were answered after so many seconds each."""
        self._answers[0, rows] += answered
        self._answers[1, rows] += answered * seconds
        self._answers[2, rows] = np.maximum(self._answers[2, rows], np.where(answered > 0, seconds, 0.0))


def _rows(state: model.State, programs: Programs) -> Floats:
    """Return all columns in one table, columns x guests."""
    columns = [getattr(state, name) for name in _STATE] + [getattr(programs, name) for name in _PROGRAMS]
    return np.array(columns)
