"""What was, tick by tick and minute by minute: taken in as it happens, and told over any span of time."""

import asyncio
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
from ballonet.service.samples import GUEST, HOST, Cells, Fields, Series, binned
from ballonet.service.sampling import Sampler
from ballonet.service.span import Span

# Minutes that are kept in memory where they are not written, or cannot be: 0.3 MB each for 100 guests.
MOST_BLOCKS = 10


@dataclass(frozen=True, slots=True)
class Subject:
    """A guest that there are samples of."""

    uuid: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What was, in even steps."""

    since: float  # history begins then, or what was asked for; epoch seconds
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
        found = [uuid for uuid, name in self._names().items() if reference in {uuid, name}]
        return Subject(found[-1], self._names()[found[-1]]) if found else None

    def guest(self, uuid: str, span: Span) -> Past:
        """Return what a guest had and did."""
        return self._past(GUEST, span, uuid)

    async def guests(self, span: Span) -> AsyncIterator[tuple[Subject, Past]]:
        """Yield the same of every guest, in the same steps; others have their turn between two guests."""
        for uuid, name in self._names().items():
            yield Subject(uuid, name), self.guest(uuid, span)
            await asyncio.sleep(0)

    def host(self, span: Span) -> Past:
        """Return what the host had."""
        return self._past(HOST, span, None)

    def _names(self) -> Mapping[str, str]:
        """Return the names of all guests that there are samples of, by UUID, the oldest first."""
        names = {} if self._file is None else self._file.names()
        for block in self._blocks:
            names.update(block.names)
        return names

    def _past(self, fields: Fields, span: Span, uuid: str | None) -> Past:
        """Return what a guest, or the host, had: from ticks as far as those are kept, else from minutes."""
        span = span.from_then(self._first(MINUTES) - self._interval_seconds)
        has_ticks = span.since >= self._first(TICKS) - self._interval_seconds
        step, ends = span.steps(self._interval_seconds if has_ticks else float(MINUTES))
        since, until = ends[0] - step, ends[-1]
        parts = [block.host() if uuid is None else block.guest(uuid) for block in self._blocks]
        if self._file is not None:
            source, good = TICKS if step < MINUTES else MINUTES, self._sampler.good_seconds
            parts.append(
                self._file.host(source, since, until, good)
                if uuid is None
                else self._file.guest(source, uuid, since, until, good)
            )
        return Past(
            span.since, step, ends, fields, binned(_joined(fields, parts).between(since, until), ends)
        )

    def _first(self, step: int) -> float:
        """Return when the first sample of a step was taken."""
        written = None if self._file is None else self._file.first(step)
        recent = [block.begun_at for block in self._blocks]
        return min(recent if written is None else [*recent, written], default=0.0)


def _joined(fields: Fields, parts: Sequence[Series]) -> Series:
    """Return all samples in the order of their times, which may have stepped back."""
    at = np.concatenate([np.empty(0), *(part.at for part in parts)])
    order = np.argsort(at, kind="stable")
    cells = np.concatenate([np.empty((0, len(fields)), np.float32), *(part.cells for part in parts)])
    good = np.concatenate([np.empty(0), *(part.good_seconds for part in parts)])
    return Series(fields, at[order], cells[order], good[order])
