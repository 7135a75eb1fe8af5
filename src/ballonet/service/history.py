"""What was, tick by tick and minute by minute: taken in as it happens, and told over any span of time."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ballonet.engine.engine import Engine
from ballonet.facts.happening import Happening
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Floats
from ballonet.service.block import Block
from ballonet.service.samples import GUEST, HOST, Cells, Fields, Series, binned
from ballonet.service.sampling import Sampler
from ballonet.service.span import Span

MOST_BLOCKS = 10  # minutes that are kept in memory where they cannot be written: 0.2 MB each for 100 guests


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
    """Remembers the last minutes."""

    def __init__(self) -> None:
        self._sampler = Sampler()
        self._blocks: deque[Block] = deque(maxlen=MOST_BLOCKS)
        self._interval_seconds = 1.0

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
            self._blocks.append(Block.at(at, self._sampler.good_seconds))
        self._blocks[-1].add(at, table.uuids, table.names, host, guests)

    # --- what was -----------------------------------------------------------------------------------

    def subjects(self) -> Sequence[Subject]:
        """Return all guests that there are samples of."""
        names = {uuid: name for block in self._blocks for uuid, name in block.names.items()}
        return [Subject(uuid, name) for uuid, name in names.items()]

    def find(self, reference: str) -> Subject | None:
        """Return a guest by UUID or name, the last that had it; None: there are no samples of it."""
        found = [each for each in self.subjects() if reference in {each.uuid, each.name}]
        return found[-1] if found else None

    def guest(self, uuid: str, span: Span) -> Past:
        """Return what a guest had and did."""
        return self._past(GUEST, span, [block.guest(uuid) for block in self._blocks])

    async def guests(self, span: Span) -> list[tuple[Subject, Past]]:
        """Return the same of every guest, in the same steps; others have their turn between two guests."""
        found = []
        for each in self.subjects():
            found.append((each, self.guest(each.uuid, span)))
            await asyncio.sleep(0)
        return found

    def host(self, span: Span) -> Past:
        """Return what the host had."""
        return self._past(HOST, span, [block.host() for block in self._blocks])

    def _first(self) -> float:
        """Return when the first sample of all was taken."""
        return min((block.begun_at for block in self._blocks), default=0.0)

    def _past(self, fields: Fields, span: Span, parts: Sequence[Series]) -> Past:
        series, span = _joined(fields, parts), span.from_then(self._first() - self._interval_seconds)
        step, ends = span.steps(self._interval_seconds)
        return Past(step, ends, fields, binned(series.between(ends[0] - step, ends[-1]), ends))


def _joined(fields: Fields, parts: Sequence[Series]) -> Series:
    """Return all samples in the order of their times, which may have stepped back."""
    at = np.concatenate([part.at for part in parts] or [np.empty(0)])
    order = np.argsort(at, kind="stable")
    cells = np.concatenate([part.cells for part in parts] or [np.empty((0, len(fields)), np.float32)])
    good = np.concatenate([part.good_seconds for part in parts] or [np.empty(0)])
    return Series(fields, at[order], cells[order], good[order])
