"""What was, tick by tick and minute by minute: taken in as it happens, and told over any span of time."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ballonet.engine.engine import Engine
from ballonet.errors import JournalError
from ballonet.facts.happening import Happening
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Floats
from ballonet.service.block import Block
from ballonet.service.history_file import MINUTES, TICKS, HistoryFile
from ballonet.service.samples import GUEST, HOST, Cells, Fields, Series, Table, binned
from ballonet.service.sampling import Sampler
from ballonet.service.span import Span

# Minutes that are kept in memory where they are not written, or cannot be: 0.3 MB each for 100 guests.
MOST_BLOCKS = 10
# What is read of all guests at once, 10 ms for 100 guests: 3,000 samples, or 9,000 by the tick.
_MINUTES_AT_ONCE, _TICKS_AT_ONCE = 1800.0, 180.0
_OF_ONE_AT_ONCE = 86400.0  # of one guest


@dataclass(frozen=True, slots=True)
class Subject:
    """A guest that there are samples of."""

    uuid: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What was, in even steps."""

    step_seconds: float
    ends: Floats  # epoch seconds
    fields: Fields
    cells: Cells  # steps x fields

    def column(self, name: str) -> Cells:
        """Return one value over time."""
        return self.cells[:, self.fields.names.index(name)]


class History:
    """Remembers the last minutes, and with a file all that is in it; a minute is written when it is over."""

    def __init__(self, file: HistoryFile | None = None, say: Callable[[str], None] = lambda _: None) -> None:
        self._file = file
        self._say = say  # that it cannot be written, and that it can again
        self._fails = False
        self._sampler = Sampler()
        self._blocks: deque[Block] = deque(maxlen=MOST_BLOCKS)  # that are not written yet
        self._interval_seconds = 2.0  # between two ticks, as a rule

    # --- as it happens ------------------------------------------------------------------------------

    def hear(self, happening: Happening) -> None:
        """Take in what happened."""
        self._sampler.hear(happening)

    def take(self, plan: Plan, engine: Engine) -> None:
        """Take in a tick."""
        table = plan.snapshot
        at = engine.clock.time() - (engine.clock.monotonic() - table.taken_at)
        host, guests = self._sampler.take(plan, engine)
        self._interval_seconds = max(1.0, engine.settings.interval_seconds)
        if not self._blocks or not self._blocks[-1].holds(at):
            self._write(at)
            self._blocks.append(Block.at(at, self._sampler.good_seconds))
        self._blocks[-1].add(at, table.uuids, table.names, host, guests)

    def end(self) -> None:
        """Write what is not written yet, as far as it can be, and close the file."""
        if self._file is not None:
            self._write(None)
            self._file.close()
            self._file = None

    def _write(self, now: float | None) -> None:
        """Write the minutes that are over, and forget what is old; a failure is told once, and outlived."""
        if self._file is None or not self._blocks:
            return
        try:
            self._file.write(self._blocks)
            self._blocks.clear()
            if now is not None:
                self._file.prune(now)
        except JournalError as error:
            if not self._fails:
                self._say(f"{error.message}: only the last minutes of history are known")
            self._fails = True
            return
        if self._fails:
            self._say("history is written again")
        self._fails = False

    # --- what was -----------------------------------------------------------------------------------

    def find(self, reference: str) -> Subject | None:
        """Return a guest by UUID or name, the last that had it; None: there are no samples of it."""
        found = [uuid for uuid, name in self.names().items() if reference in {uuid, name}]
        return Subject(found[-1], self.names()[found[-1]]) if found else None

    async def guest(self, uuid: str, span: Span) -> Past:
        """Return what a guest had and did; others have their turn while it is read."""
        return await self._past(GUEST, span, uuid)

    async def host(self, span: Span) -> Past:
        """Return what the host had, likewise."""
        return await self._past(HOST, span, None)

    async def guests(self, span: Span, step: float) -> AsyncIterator[Table]:
        """Yield the samples of all guests, for steps of so many seconds, likewise.

        The parts are in the order of time, and so are each guest's samples in them.
        """
        recent = [*self._blocks]
        source, seconds = (TICKS, _TICKS_AT_ONCE) if step < MINUTES else (MINUTES, _MINUTES_AT_ONCE)
        for since, until in self._written(span.since, span.until, seconds):
            if self._file is not None:
                yield self._file.guests(source, since, until)
            await asyncio.sleep(0)
        for block in recent:
            yield block.table().between(span.since, span.until)

    def names(self) -> Mapping[str, str]:
        """Return the names of all guests that there are samples of, by UUID, the oldest first."""
        names = {} if self._file is None else self._file.names()
        for block in self._blocks:
            names.update(block.names)
        return names

    def steps(self, span: Span) -> tuple[float, Floats]:
        """Return the seconds of a step, and when each ends: by the tick as far as that is kept."""
        span = span.from_then(self.begun_at)
        has_ticks = span.since >= self._first(TICKS) - self._interval_seconds
        return span.steps(self._interval_seconds if has_ticks else float(MINUTES))

    @property
    def begun_at(self) -> float:
        """Return the epoch seconds from which on something is known; infinite: nothing is."""
        return self._first(MINUTES) - self._interval_seconds

    async def _past(self, fields: Fields, span: Span, uuid: str | None) -> Past:
        """Return what a guest, or the host, had."""
        step, ends = self.steps(span)
        begin, end = ends[0] - step, ends[-1]
        recent = [block.host() if uuid is None else block.guest(uuid) for block in self._blocks]
        written, good = list[Series](), self._sampler.good_seconds
        source = TICKS if step < MINUTES else MINUTES
        for since, until in self._written(begin, end, _OF_ONE_AT_ONCE):
            if self._file is not None:
                written.append(
                    self._file.host(source, since, until, good)
                    if uuid is None
                    else self._file.guest(source, uuid, since, until, good)
                )
            await asyncio.sleep(0)
        series = _joined(fields, [*written, *recent]).between(begin, end)
        return Past(step, ends, fields, binned(series, ends))

    def _written(self, since: float, until: float, seconds: float) -> list[tuple[float, float]]:
        """Return the parts, of so many seconds, of that time which is in the file and not in memory."""
        begin = max(since, self.begun_at)
        end = min([until, *(np.nextafter(block.begun_at, 0) for block in self._blocks)])
        if self._file is None or begin >= end:
            return []
        edges = [*np.arange(begin, end, seconds).tolist(), end]
        return list(itertools.pairwise(edges))

    def _first(self, step: int) -> float:
        """Return when the first sample of a step was taken; infinite: there is none."""
        written = None if self._file is None else self._file.first(step)
        recent = [block.begun_at for block in self._blocks]
        return min(recent if written is None else [*recent, written], default=np.inf)


def _joined(fields: Fields, parts: Sequence[Series]) -> Series:
    """Return all samples in the order of their times, which may have stepped back."""
    at = np.concatenate([np.empty(0), *(part.at for part in parts)])
    order = np.argsort(at, kind="stable")
    cells = np.concatenate([np.empty((0, len(fields)), np.float32), *(part.cells for part in parts)])
    good = np.concatenate([np.empty(0), *(part.good_seconds for part in parts)])
    return Series(fields, at[order], cells[order], good[order])
