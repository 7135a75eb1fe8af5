"""The way out of every change: promises kept, written down, remembered, sent, and its failures told."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from ballonet.engine.act import PAGE, PROMISES, Actor, Changes, broken_promises, broken_trust
from ballonet.engine.ports import Clock, Hypervisor, Journal
from ballonet.engine.remember import Remembered
from ballonet.engine.requests import Requests
from ballonet.engine.resets import Resets
from ballonet.engine.tell import Teller
from ballonet.engine.write_ahead import WriteAhead
from ballonet.errors import BallonetError, BrokenError, DeadlineError, HypervisorError
from ballonet.facts.happening import Kind
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot
from ballonet.policy.learn import told

# So long is waited for a guest's last answer before it is resized for somebody: that is worth it, and while
# one guest hangs, libvirt 9.0 may keep the calls of others waiting for a second.
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
        resets: Resets,
        *,
        trusts: bool = False,
    ) -> None:
        """Take the ports; with `trusts` shrinks are sent whatever they rest on, as others' rules do."""
        self._trusts = trusts
        self.remembered = Remembered()
        self._requests = requests
        self._resets = resets
        self._clock = clock
        self._teller = teller
        self._actor = Actor(hypervisor)
        self._ahead = WriteAhead(journal, teller, clock)
        self._looked: Snapshot | None = None  # the last look
        self._names: dict[str, str] = {}  # by UUID, of those that were there at the last look
        # By UUID, where a change failed that may have happened all the same: the size before, and why.
        self._unsure: dict[str, tuple[float, str]] = {}
        # By UUID, bytes: what it was on its way to as it was told what it was told last.
        self._told: dict[str, float] = {}

    async def collect(self, awaited: Iterable[str] = (), patience_seconds: float = 0.0) -> None:
        """Take in answers that came late, waiting at most so long for those of these guests."""
        self._hear(await self._actor.collect(awaited, patience_seconds))

    def follow(self, before: Memory, after: Memory, snapshot: Snapshot) -> None:
        """Take in what became of the changes since the look before; it is remembered from now on."""
        if (
            self._looked is None
            or self._looked.names != snapshot.names
            or self._looked.uuids != snapshot.uuids
        ):
            self._names = dict(zip(snapshot.uuids, snapshot.names, strict=True))
            self._told = {uuid: size for uuid, size in self._told.items() if uuid in self._names}
        self._looked = snapshot
        self._ahead.follow(before, after, snapshot)
        self.remembered.memory = after
        if self._unsure:
            self._make_sure(snapshot)

    def _make_sure(self, snapshot: Snapshot) -> None:
        """Forget those of the changes which failed that did not happen: the guest has the size it had."""
        there = {uuid: row for row, uuid in enumerate(snapshot.uuids) if uuid in self._unsure}
        seen = {uuid: self._unsure[uuid] for uuid, row in there.items() if not snapshot.busy[row]}
        self._unsure = {uuid: self._unsure[uuid] for uuid in there.keys() - seen.keys()}
        self._did_not_happen(
            {uuid: text for uuid, (size, text) in seen.items() if snapshot.actual[there[uuid]] == size}
        )

    async def send(self, changes: Changes, cause: Kind, *, writes: bool) -> Changes:
        """Check, write down, remember and send changes; return those that the hypervisor did not refuse.

        Where nothing `writes`, those that would be sent. None that were decided before the last look.
        """
        if not len(changes):
            return changes
        if cause is not Kind.ASKED:  # for who asks they were waited for before it was decided
            await self.collect()  # who has answered since the last tick is free
        if changes.snapshot is not self._looked:
            return changes.none()
        kept = self._actor.freely(changes)
        kept = self._only(kept, broken_promises(kept))
        if cause is not Kind.ASKED:
            kept = self._still_meant(kept)
        if cause is not Kind.ASKED and not self._trusts:
            kept = kept.only(self._still_apply(kept, cause))
            kept = self._only(kept, broken_trust(kept, self.remembered.memory))
        if not writes or not len(kept):
            return kept
        if not self._ahead.written(kept, cause):
            return kept.none()
        memory = self.remembered.memory
        before = np.where(memory.arrived, memory.actual, np.nan)[kept.rows]
        under_way = np.where(memory.arrived, np.nan, memory.target)[kept.rows]
        self._told |= dict(zip(kept.sizes(), under_way.tolist(), strict=True))
        self._remember(kept.rows, kept.target)
        failed = self._hear(await self._actor.send(kept, before))
        if not failed:
            return kept
        return kept.only(np.array([uuid not in failed for uuid in kept.sizes()], dtype=np.bool_))

    def _still_meant(self, changes: Changes) -> Changes:
        """Return the changes of guests that nobody held, and that were not reset, since it was decided.

        Nor is one told anything before a look has shown what became of a change that failed: if that happened
        after all, and another one did not, its size would be taken for somebody else's doing.
        """
        if self._unsure:
            changes = changes.only(np.array([uuid not in self._unsure for uuid in changes.sizes()]))
        if self._requests.holds:
            changes = changes.only(~self._requests.held(tuple(changes.sizes())))
        return changes.only(~self._resets.after(changes.snapshot.taken_at, tuple(changes.sizes())))

    def _only(self, changes: Changes, broken: NDArray[np.int8]) -> Changes:
        """Return the changes that break no promise; tell of the others, by their indices in PROMISES."""
        for index in np.flatnonzero(broken).tolist():
            row = changes.rows[index]
            text = f"{PROMISES[broken[index]]} ({changes.target[index]:.0f} bytes)"
            self._teller.say(Kind.BROKEN, changes.snapshot.names[row], changes.snapshot.uuids[row], text=text)
        return changes.only(broken == 0)

    def _still_apply(self, changes: Changes, cause: Kind) -> Bools:
        """Return which changes nobody overtook since they were decided: reflex and tick wait for answers.

        The reflex grows again whom it grew a moment ago.
        """
        overtaken = self.remembered.memory.changed_at[changes.rows] > changes.snapshot.taken_at
        shrinks = changes.target < changes.snapshot.actual[changes.rows] - PAGE
        still: Bools = ~overtaken | (~shrinks & (cause is not Kind.PLANNED))
        return still

    def _remember(self, rows: NDArray[np.intp], target: Floats) -> None:
        """Remember what guests are told, before they are told it."""
        self.remembered.memory = told(self.remembered.memory, rows, target, self._clock.monotonic())

    def _hear(self, failed: Mapping[str, BallonetError]) -> set[str]:
        """Tell of failed changes; return whose they were.

        What was refused did not happen; what was not answered in time still may. Of all else, as where the
        connection broke meanwhile, the next look tells.
        """
        if not failed:
            return set()
        sizes = dict(zip(self.remembered.uuids, self.remembered.memory.actual.tolist(), strict=True))
        for uuid, error in failed.items():
            if _happened_or_not(error) and uuid in sizes:
                self._unsure[uuid] = sizes[uuid], str(error)
            self._teller.say(Kind.FAILED, self._names.get(uuid, uuid), uuid, text=str(error))
        self._did_not_happen({uuid: str(error) for uuid, error in failed.items() if not _may_happen(error)})
        return set(failed)

    def _did_not_happen(self, refused: Mapping[str, str]) -> None:
        """Forget changes that did not happen, by UUID, and note why: what was told before goes on."""
        uuids, actual = self.remembered.uuids, self.remembered.memory.actual
        rows = np.array([row for row, uuid in enumerate(uuids) if uuid in refused], dtype=np.intp)
        before = np.array([self._told.pop(uuids[row], np.nan) for row in rows.tolist()])
        self._remember(rows, np.where(np.isnan(before), actual[rows], before))
        for uuid, text in refused.items():
            self._ahead.refused(uuid, text)


def _may_happen(error: BallonetError) -> bool:
    """Return whether what was asked may have happened, or happen yet, though it failed."""
    return isinstance(error, DeadlineError) or _happened_or_not(error)


def _happened_or_not(error: BallonetError) -> bool:
    """Return whether the next look tells what became of it."""
    return type(error) in {HypervisorError, BrokenError}
