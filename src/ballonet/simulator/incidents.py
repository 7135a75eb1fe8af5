"""What happens to simulated guests beside their load: when it begins and ends, and who is in what.

Times are whole steps of the simulated world. Where nothing happens nothing is reckoned.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

import numpy as np

from ballonet.engine.ports import EventKind
from ballonet.facts.snapshot import Bools
from ballonet.simulator.timetable import NEVER

BOOT_SECONDS = 3.0  # from reset to the driver's first answer: a Linux guest, measured


class Happens(StrEnum):
    """What can happen to a guest, for as long as its `seconds` say."""

    REBOOT = "reboot"  # it owns all its memory until then; QEMU tells the size and statistics of before
    OFF = "off"  # shut off, and then started again
    HANG = "hang"  # nothing in it moves; it takes its next size when it is back
    PAUSE = "pause"  # the same, and the hypervisor says so
    JOB = "job"  # a migration, say: it runs on, but nobody may resize it
    GAP = "gap"  # no statistics: in Windows its service stopped
    LAG = "lag"  # statistics come late, and it is asked again only then
    UNLOADED = "unloaded"  # the driver gave all memory back and left; when back it shrinks to its target
    OUT_OF_PUFF = "out of puff"  # the driver finds no page to inflate with
    FOREIGN = "foreign"  # somebody else resizes it, once


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happens to a guest `at` seconds after the world began, for so many seconds."""

    at: float
    kind: Happens
    seconds: float = 0.0
    size_bytes: int = 0  # of FOREIGN
    late_seconds: float = 0.0  # of LAG


class Phase(IntEnum):
    """What a guest is in; the rows of `Incidents.present`."""

    BOOT = 0
    OFF = 1
    HANG = 2
    PAUSE = 3
    JOB = 4
    GAP = 5
    UNLOADED = 6
    OUT_OF_PUFF = 7
    LAG = 8


@dataclass(frozen=True, slots=True)
class Turn:
    """One guest enters or leaves a phase at a step, or (without a phase) somebody else resizes it."""

    at: int
    row: int
    phase: Phase | None
    begins: bool
    event: EventKind | None = None  # what the hypervisor reports by itself
    size_bytes: int = 0
    late: int = 0  # steps


class Incidents:
    """Where guests are in what happens to them.

    `present` is a table of phases x guests, `late` by how many steps each guest's statistics come late.
    """

    def __init__(self, incidents: Sequence[Sequence[Incident]], step_seconds: float) -> None:
        self.present = np.zeros((len(Phase), len(incidents)), dtype=np.bool_)
        self.late = np.zeros(len(incidents), dtype=np.int64)
        self._depth = np.zeros(self.present.shape, dtype=np.int64)  # incidents of one kind may overlap
        turns = (turn for row, those in enumerate(incidents) for turn in _turns(row, those, step_seconds))
        self._turns = sorted(turns, key=lambda turn: (turn.at, turn.begins, turn.row))
        self._place = 0
        self.next_at = self._turns[0].at if self._turns else NEVER

    def turn(self) -> Turn:
        """Take the next turn; `present` shows it from now on."""
        turn = self._turns[self._place]
        self._place += 1
        self.next_at = self._turns[self._place].at if self._place < len(self._turns) else NEVER
        if turn.phase is not None:
            sign = 1 if turn.begins else -1
            self.late[turn.row] += sign * turn.late
            self._depth[turn.phase, turn.row] += sign
            self.present[turn.phase, turn.row] = self._depth[turn.phase, turn.row] > 0
        return turn

    def within(self, *phases: Phase) -> Bools:
        """Return who is in any of these."""
        within: Bools = np.logical_or.reduce([self.present[phase] for phase in phases])
        return within

    def frozen(self) -> Bools:
        """Return in whom nothing moves."""
        return self.within(Phase.BOOT, Phase.OFF, Phase.HANG, Phase.PAUSE)

    def driven(self) -> Bools:
        """Return whose balloon driver is there."""
        return ~self.within(Phase.BOOT, Phase.OFF, Phase.UNLOADED)

    def telling(self) -> Bools:
        """Return whose statistics come: not while a job keeps the hypervisor from asking for them."""
        return self.driven() & ~self.frozen() & ~self.within(Phase.JOB, Phase.GAP)

    def events(self) -> Iterator[Turn]:
        """Yield the turns that the hypervisor reports by itself, in order."""
        return (turn for turn in self._turns if turn.event)


def _turns(row: int, incidents: Sequence[Incident], step_seconds: float) -> Iterator[Turn]:
    """Yield a guest's turns."""
    for one in incidents:
        at = round(one.at / step_seconds)
        until = NEVER if math.isinf(one.seconds) else round((one.at + one.seconds) / step_seconds)
        if one.kind is Happens.FOREIGN:
            yield Turn(at, row, None, begins=True, size_bytes=one.size_bytes)
        elif one.kind is Happens.REBOOT:
            yield from _span(at, until, row, Phase.BOOT, EventKind.REBOOTED)
        elif one.kind is Happens.OFF:
            yield from _span(at, until, row, Phase.OFF, EventKind.STOPPED)
            if until < NEVER:
                booted = until + round(BOOT_SECONDS / step_seconds)
                yield from _span(until, booted, row, Phase.BOOT, EventKind.STARTED)
        elif one.kind is Happens.PAUSE:
            yield from _span(at, until, row, Phase.PAUSE, EventKind.PAUSED, EventKind.RESUMED)
        else:
            late = round(one.late_seconds / step_seconds)
            for turn in _span(at, until, row, Phase[one.kind.name]):
                yield replace(turn, late=late)


def _span(
    at: int,
    until: int,
    row: int,
    phase: Phase,
    begins: EventKind | None = None,
    ends: EventKind | None = None,
) -> Iterator[Turn]:
    """Yield a phase's beginning and, if it has one, its end."""
    yield Turn(at, row, phase, begins=True, event=begins)
    if until < NEVER:
        yield Turn(until, row, phase, begins=False, event=ends)
