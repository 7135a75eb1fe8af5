"""Simulated guests through time: each moves along straight lines as long as what it does allows.

Guests know nothing of each other. Where one will be some time ahead is reckoned in one step, and until then
it is on the line to there: looking at it costs next to nothing. One in which nothing moves stays where it is
until something is wanted of it; only what moves fast takes steps of a twentieth of a second. Time is counted
in these.
"""

from typing import NamedTuple

import numpy as np

from ballonet.facts.snapshot import Bools, Floats, anybody, clip
from ballonet.simulator import guests as model
from ballonet.simulator.line import ACTUAL, ANSWERS, BUSY, FLOWS, READS, RESIDENT, STATE, WAITED, Line, booted
from ballonet.simulator.programs import Answers
from ballonet.simulator.timetable import NEVER, Rows, Steps, Timetable

STEP_SECONDS = 0.05  # half of what the reflex looks at
LONGEST = 200.0  # steps of one line


class Outside(NamedTuple):
    """What a host sees of its guests, each a column."""

    actual: Floats  # bytes
    resident: Floats  # bytes
    reads: Floats  # requests to disks so far
    busy: Floats  # seconds of processors that it used since it booted


class Life:
    """Guests and their programs at one moment; all of them are at `now`."""

    def __init__(self, make: model.Make, timetable: Timetable) -> None:
        """Begin with guests just booted."""
        self.make = make
        self._rescues = bool(make.deflates.any())
        self.now = 0  # steps
        self.target = make.maximum.copy()  # bytes that each balloon was told
        rows = len(make)
        self._timetable = timetable
        # Each guest's line: where it is at one step, what it moves by in a second, and where it ends.
        self._table = booted(make)
        self._at = np.zeros(rows, dtype=np.int64)
        self._rate = np.zeros_like(self._table)
        self._end = np.zeros(rows, dtype=np.int64)
        self._lives = np.ones(rows, dtype=np.bool_)  # in whom anything can move
        self._pace = np.ones(rows, dtype=np.int64)  # steps that a guest may take at once
        self._rise = np.full(rows, np.inf)  # bytes/s by which its resident memory may grow
        self._delay = np.zeros(rows)  # seconds that each answer takes on its line; 0: none is given
        self._longest = np.zeros(rows)  # since answers were asked for
        self._told = self._table[ANSWERS].copy()  # answers, up to then

    # --- what is seen -------------------------------------------------------------------------------

    def state(self) -> model.State:
        """Return where the guests' memory is now."""
        return model.State.of(self.places())

    def places(self) -> Floats:
        """Return the same as a table: facts x guests, in the order of the state's fields."""
        return self._columns(STATE)

    def actual(self) -> Floats:
        """Return the bytes that each guest has now."""
        return self._columns(ACTUAL)

    def resident(self) -> Floats:
        """Return the bytes of each guest on the host now."""
        return self._columns(RESIDENT)

    def outside(self) -> Outside:
        """Return what the host sees of each guest now, all at once."""
        now = self._columns(slice(None))
        return Outside(now[ACTUAL], now[RESIDENT], now[READS], now[BUSY])

    def waited(self) -> Floats:
        """Return the seconds in which programs waited for memory, since each guest booted."""
        return self._columns(WAITED)

    def answers(self) -> Answers:
        """Return what was answered since this was asked last."""
        before, self._told = self._told, self._columns(ANSWERS)
        answered, seconds = self._told - before
        longest, self._longest = self._longest, np.where(self._end > self.now, self._delay, 0.0)
        means = np.divide(seconds, answered, out=np.full_like(seconds, np.nan), where=answered > 0)
        return Answers(answered, means, longest)

    def rise(self) -> Floats:
        """Return bytes/s by which each guest's resident memory grows until something else is wanted.

        Infinite where that is not known: it waits for memory, or did not live yet.
        """
        return self._rise.copy()

    def next_turn(self) -> int:
        """Return the step at which something else is wanted of a guest."""
        return int(self._timetable.next_at[self._lives].min(initial=NEVER))

    def _columns(self, which: int | slice) -> Floats:
        """Return columns of the table as they are now."""
        now: Floats = self._table[which] + self._rate[which] * ((self.now - self._at) * STEP_SECONDS)
        return now

    # --- time ---------------------------------------------------------------------------------------

    def resize(self, rows: Rows, size: Floats) -> None:
        """Tell balloons their next sizes, in bytes."""
        self.target[rows] = size
        self._cut(rows)

    def freeze(self, frozen: Bools) -> None:
        """Let nothing move in these guests, and all others live on."""
        changed = np.flatnonzero(self._lives == frozen)
        self._lives = ~frozen
        self._cut(changed)
        self._rate[:, frozen] = 0.0
        self._delay[frozen] = 0.0
        self._rise[changed] = np.where(frozen[changed], 0.0, np.inf)

    def reset(self, row: int, resident: float) -> None:
        """Boot a guest anew, with so many bytes on the host; the host goes on counting its disks' reads."""
        self._cut(np.array([row], dtype=np.intp))
        reads, answers = self._table[READS, row], self._table[ANSWERS, row].copy()
        self._table[:, row] = booted(self.make)[:, row]
        self._table[RESIDENT, row], self._table[READS, row] = resident, reads
        self._table[ANSWERS, row] = answers

    def live(self, until: int) -> None:
        """Bring all guests to this step."""
        (due,) = (self._end < until).nonzero()
        while len(due):
            self._go_on(due)
            due = due[self._end[due] < until]
        self.now = until

    def _cut(self, rows: Rows) -> None:
        """Let these guests' lines end now: something else begins."""
        self._table[:, rows] = self._on_line(rows, self.now)
        self._at[rows] = self.now
        self._end[rows] = np.where(self._lives[rows], self.now, NEVER)
        self._pace[rows] = 1

    def _on_line(self, rows: Rows, at: int | Steps) -> Floats:
        """Return where these guests are at a step of their lines."""
        # A fraction of the time of `[:, rows]`, here and below.
        table, rate = self._table.take(rows, axis=1), self._rate.take(rows, axis=1)
        there: Floats = table + rate * ((at - self._at[rows]) * STEP_SECONDS)
        return there

    def _go_on(self, rows: Rows) -> None:
        """Let these guests begin new lines where their last ones end."""
        end, timetable = self._end[rows], self._timetable
        self._pace[timetable.turn(rows, end)] = 1
        self._step(rows, np.minimum(self._pace[rows], timetable.next_at[rows] - end))

    def _step(self, rows: Rows, length: Steps) -> None:
        """Reckon where these guests are so many steps after the ends of their lines."""
        begin, end = self._end[rows], self._end[rows] + length
        seconds = length.astype(np.float64) * STEP_SECONDS
        want, target = self._timetable.wants(rows), self.target[rows]
        table = self._on_line(rows, begin)
        line = Line.of(self._made(rows), table, want, target, seconds)
        if self._rescues:
            self.target[rows] = line.told_size(table)
        pace = line.next_seconds(self._rate.take(rows, axis=1), self._delay[rows]) / STEP_SECONDS
        self._pace[rows] = clip(pace, 1.0, LONGEST).astype(np.int64)
        still = line.still()
        self._table[:, rows], self._at[rows] = line.end, end
        self._rate[:, rows] = line.rate
        if anybody(still):
            self._rate[:FLOWS, rows[still]] = 0.0
        self._end[rows] = np.where(still, self._timetable.next_at[rows], end)
        self._rise[rows] = line.rise()
        self._delay[rows] = line.delay
        self._longest[rows] = np.maximum(self._longest[rows], line.delay)

    def _made(self, rows: Rows) -> model.Make:
        """Return what these guests are."""
        if len(rows) == len(self.make):
            return self.make
        return self.make.only(rows)
