"""What is told of a run: one happening each, counted for its summary."""

from collections.abc import Callable

import numpy as np

from ballonet.engine.ports import Clock
from ballonet.engine.summary import Summary
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.plan import Plan, PlanRow
from ballonet.facts.snapshot import Codes, Snapshot, anybody
from ballonet.facts.verdict import CODES


class Teller:
    """Tells what happened, and who came, went, or has another verdict than before."""

    def __init__(self, clock: Clock, tell: Callable[[Happening], None], summary: Summary) -> None:
        self.summary = summary
        self.writes = False  # whether what is told of was sent, or only observed
        self._clock = clock
        self._tell = tell

    def say(
        self,
        kind: Kind,
        name: str,
        uuid: str = "",
        from_bytes: float | None = None,
        to_bytes: float | None = None,
        *,
        row: PlanRow | None = None,
        rate_bytes: float | None = None,
        text: str = "",
    ) -> None:
        """Tell one thing; without a name it is about the whole."""
        happening = Happening(
            at=self._clock.time(),
            kind=kind,
            name=name,
            uuid=uuid,
            from_bytes=from_bytes,
            to_bytes=to_bytes,
            row=row,
            rate_bytes=rate_bytes,
            text=text,
            written=self.writes,
        )
        self.summary.count(happening)
        self._tell(happening)

    def greet(self, before: Snapshot | None, after: Snapshot) -> list[str]:
        """Tell who came and who went; return the UUIDs of these."""
        if before is not None and before.uuids == after.uuids:
            return []
        known, present = frozenset(before.uuids if before else ()), frozenset(after.uuids)
        for uuid, name in zip(after.uuids, after.names, strict=True):
            if uuid not in known:
                self.say(Kind.CAME, name, uuid)
        gone = [] if before is None else list(zip(before.uuids, before.names, strict=True))
        gone = [(uuid, name) for uuid, name in gone if uuid not in present]
        for uuid, name in gone:
            self.say(Kind.WENT, name, uuid)
        return [uuid for uuid, _ in gone]

    def verdicts(self, before: Plan | None, after: Plan) -> None:
        """Tell whose verdict changed; at first sight only of those that are not managed."""
        changed = after.verdict != _in_order(before, after)
        if not anybody(changed):
            return
        for row in after.rows(np.flatnonzero(changed)):
            self.say(Kind.VERDICT, row.name, row.uuid, row=row)


def _in_order(before: Plan | None, after: Plan) -> Codes:
    """Return each guest's verdict in the plan before; who is new was managed, as far as is known."""
    if before is None:
        return _as_expected(after.verdict)
    if before.snapshot.uuids == after.snapshot.uuids:
        return before.verdict
    known = dict(zip(before.snapshot.uuids, before.verdict.tolist(), strict=True))
    found = np.array([known.get(uuid, -1) for uuid in after.snapshot.uuids], dtype=np.int8)
    return np.where(found < 0, _as_expected(after.verdict), found).astype(np.int8)


def _as_expected(verdict: Codes) -> Codes:
    """Return the verdict itself of guests that are managed, and -1 of others: that is worth a word."""
    return np.where(verdict >= CODES["stale"], verdict, -1).astype(np.int8)
