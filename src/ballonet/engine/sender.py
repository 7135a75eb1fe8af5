"""The way out of every change: promises kept, written down, remembered, sent, and its failures told."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ballonet.engine.act import PROMISES, Actor, Changes, broken_promises
from ballonet.engine.ports import Clock, Hypervisor, Journal
from ballonet.engine.remember import Remembered
from ballonet.engine.requests import Requests
from ballonet.engine.tell import Teller
from ballonet.engine.write_ahead import WriteAhead
from ballonet.errors import BallonetError, DeadlineError
from ballonet.facts.happening import Kind
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Floats, Snapshot
from ballonet.policy.learn import told

# While one guest hangs, libvirt 9.0 may keep the calls of others waiting for a second.
ASKED_SECONDS = 2.0


class Sender:
    """Sends the changes of tick, reflex and people alike; what was sent is in `remembered`."""

    def __init__(
        self,
        hypervisor: Hypervisor,
        clock: Clock,
        teller: Teller,
        journal: Journal | None,
        requests: Requests,
    ) -> None:
        self.remembered = Remembered()
        self._requests = requests
        self._clock = clock
        self._teller = teller
        self._actor = Actor(hypervisor)
        self._ahead = WriteAhead(journal, teller, clock)
        self._names: dict[str, str] = {}  # by UUID, of those that were there at the last look

    async def collect(self) -> None:
        """Take in answers that came late."""
        self._hear(await self._actor.collect())

    def follow(self, before: Memory, after: Memory, snapshot: Snapshot) -> None:
        """Take in what became of the changes since the look before; it is remembered from now on."""
        self._names = dict(zip(snapshot.uuids, snapshot.names, strict=True))
        self._ahead.follow(before, after, snapshot)
        self.remembered.memory = after

    async def send(self, changes: Changes, cause: Kind, *, writes: bool) -> Changes:
        """Check, write down, remember and send changes; return those that the hypervisor did not refuse.

        Where nothing `writes`, those that would be sent.
        """
        if not len(changes):
            return changes
        # Who has answered since the last tick is free; and what somebody asked for is worth waiting for.
        asked = changes.sizes() if cause is Kind.ASKED else ()
        self._hear(await self._actor.collect(asked, ASKED_SECONDS))
        kept = self._promised(self._actor.freely(changes))
        if cause is not Kind.ASKED and self._requests.holds:
            kept = kept.only(~self._requests.held(tuple(kept.sizes())))  # since it was decided, perhaps
        if not writes or not len(kept):
            return kept
        if self.remembered.uuids != kept.snapshot.uuids:
            return kept.none()
        if not self._ahead.written(kept, cause):
            return kept.none()
        memory = self.remembered.memory
        before = np.where(memory.arrived, memory.actual, np.nan)[kept.rows]
        self._remember(kept.rows, kept.target)
        failed = self._hear(await self._actor.send(kept, before))
        if not failed:
            return kept
        return kept.only(np.array([uuid not in failed for uuid in kept.sizes()], dtype=np.bool_))

    def _promised(self, changes: Changes) -> Changes:
        """Return the changes that keep all promises; tell of the others."""
        broken = broken_promises(changes)
        for index in np.flatnonzero(broken).tolist():
            row = changes.rows[index]
            text = f"{PROMISES[broken[index]]} ({changes.target[index]:.0f} bytes)"
            self._teller.say(Kind.BROKEN, changes.snapshot.names[row], changes.snapshot.uuids[row], text=text)
        return changes.only(broken == 0)

    def _remember(self, rows: NDArray[np.intp], target: Floats) -> None:
        """Remember what guests are told, before they are told it."""
        self.remembered.memory = told(self.remembered.memory, rows, target, self._clock.monotonic())

    def _hear(self, failed: Mapping[str, BallonetError]) -> set[str]:
        """Tell of failed changes; return whose they were.

        What was refused did not happen; what was not answered in time still may.
        """
        if not failed:
            return set()
        refused = {uuid for uuid, error in failed.items() if not isinstance(error, DeadlineError)}
        uuids = self.remembered.uuids
        rows = np.array([row for row, uuid in enumerate(uuids) if uuid in refused], dtype=np.intp)
        self._remember(rows, self.remembered.memory.actual[rows])
        for uuid, error in failed.items():
            if uuid in refused:
                self._ahead.refused(uuid, str(error))
            self._teller.say(Kind.FAILED, self._names.get(uuid, uuid), uuid, text=str(error))
        return set(failed)
