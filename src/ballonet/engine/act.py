"""The one place where guests are resized: what a plan or the reflex wants is checked again, then sent."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ballonet.engine.ports import BulkHypervisor, Hypervisor
from ballonet.errors import BallonetError, HypervisorError
from ballonet.facts.act import Act
from ballonet.facts.happening import Kind
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Codes, Floats, Snapshot, everybody, first_of
from ballonet.policy.floors import hard_floor_bytes
from ballonet.policy.verdicts import ROUNDING_SECONDS

# A target may lie this far outside a guest's floor or ceiling: sizes are cut to whole pages.
PAGE = 4096

PROMISES = (
    "",
    "G1: the target is below the hard floor",
    "G1: shrinking goes below the floor",
    "G2: the target is above the maximum",
    "G2: growing goes above the ceiling",
    "G7: the guest must not be touched",
    "G3: shrinking on statistics that are old, or older than the last change",
    "G4: shrinking a guest in distress",
    "G5: the step is larger than what the guest can spare",
    "G6: shrinking before the last change arrived",
)
# No step takes more than this of a guest that has less free: a bite that swaps, where that is allowed.
BITE_SHARE, BITE_BYTES = 0.06, 32 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Guests' next sizes, one row a change."""

    snapshot: Snapshot
    rows: NDArray[np.intp]  # in the snapshot that it was decided from
    target: Floats  # whole bytes

    @classmethod
    def of(cls, snapshot: Snapshot, rows: NDArray[np.intp], target: Floats) -> Self:
        """Return changes to these bytes, cut to whole ones."""
        return cls(snapshot, rows, np.trunc(target))

    def __len__(self) -> int:
        """Return the number of guests that change."""
        return len(self.rows)

    def only(self, which: Bools) -> "Changes":
        """Return those changes of which this is true."""
        return self if everybody(which) else Changes(self.snapshot, self.rows[which], self.target[which])

    def none(self) -> "Changes":
        """Return no change at all."""
        return self.only(np.zeros(len(self), dtype=np.bool_))

    def acts(self, at: float, cause: Kind) -> list[Act]:
        """Return what is written down of them, at these epoch seconds."""
        names, before = self.snapshot.names, self.snapshot.actual[self.rows].tolist()
        return [
            Act(at, uuid, names[row], int(was), size, cause)
            for row, was, (uuid, size) in zip(self.rows.tolist(), before, self.sizes().items(), strict=True)
        ]

    def sizes(self) -> dict[str, int]:
        """Return the next size of each guest by its UUID, in order."""
        uuids = self.snapshot.uuids
        return {
            uuids[row]: size
            for row, size in zip(self.rows.tolist(), self.target.astype(np.int64).tolist(), strict=True)
        }


def broken_promises(changes: Changes) -> Codes:
    """Return for each change the index in PROMISES of the first that sending it would break, 0 for none.

    The policy keeps these by itself; they are asserted again here because nothing below checks them:
    libvirt and QEMU accept 1 KiB.
    """
    table, rows, target = changes.snapshot, changes.rows, changes.target
    maximum = table.maximum[rows]
    step = target - table.actual[rows]  # less than a page is none: who is stuck is told the size that it has
    below = (step <= -PAGE) & ~(target > table.floor[rows] - PAGE)
    above = (step >= PAGE) & ~(target <= table.ceiling[rows])
    untouchable = ~table.running[rows] | ~table.device[rows] | (table.obstacle[rows] >= 0)
    untouchable |= table.excluded[rows] | table.busy[rows] | np.isnan(table.actual[rows])
    # Written so that unknown sizes (NaN) break promises too.
    broken = [
        ~(target > hard_floor_bytes(maximum) - PAGE),
        below,
        ~(target <= maximum),
        above,
        untouchable,
    ]
    return first_of(list(enumerate(broken, start=1)), 0, len(changes))


def broken_trust(changes: Changes, memory: Memory) -> Codes:
    """Return likewise what shrinks would break that the service decided on; people may know better.

    `memory` is of the same rows as the snapshot that the changes were decided from.
    """
    table, rows = changes.snapshot, changes.rows
    step = table.actual[rows] - changes.target
    age = table.stats_age[rows]
    fresh = np.fmax(3.0 * table.period[rows], 15.0)
    free = np.fmax(table.usable[rows], table.unused[rows])
    most = np.fmax(free, BITE_SHARE * table.actual[rows] + BITE_BYTES)
    broken = [
        ~((age >= -ROUNDING_SECONDS) & (age <= fresh) & (table.stats_at[rows] > memory.changed_at[rows])),
        memory.distress[rows],
        ~(step <= most),
        ~memory.arrived[rows],
    ]
    codes = first_of(list(enumerate(broken, start=6)), 0, len(changes))
    return np.where(step > PAGE, codes, np.int8(0))


class Actor:
    """Sends changes, each in its own time: one guest that hangs holds up no other."""

    def __init__(self, hypervisor: Hypervisor, patience_seconds: float = 1.0) -> None:
        self._hypervisor = hypervisor
        self._bulk = hypervisor if isinstance(hypervisor, BulkHypervisor) else None
        self._patience_seconds = patience_seconds
        self._pending: dict[str, asyncio.Task[BallonetError | None]] = {}

    def is_free(self, uuid: str) -> bool:
        """Return whether nothing sent to this guest is still unanswered."""
        return uuid not in self._pending

    def freely(self, changes: Changes) -> Changes:
        """Return the changes of guests to which nothing is unanswered."""
        if not self._pending:
            return changes
        uuids = changes.snapshot.uuids
        return changes.only(np.array([self.is_free(uuids[row]) for row in changes.rows], dtype=np.bool_))

    async def send(self, changes: Changes, before: Floats) -> Mapping[str, BallonetError]:
        """Send all at once; return what failed by UUID, late failures of earlier calls among it.

        `before` is the size that each is known to have, NaN while it moves: it is looked at again, as
        somebody may have changed it since. A change that got no answer yet counts as sent: it may happen.
        """
        if self._bulk:
            return await self._send_many(self._bulk, changes.sizes())
        sizes = changes.sizes()
        for (uuid, size), was in zip(sizes.items(), before.tolist(), strict=True):
            from_bytes = None if isnan(was) else int(was)
            self._pending[uuid] = asyncio.create_task(self._send(uuid, size, from_bytes))
        return await self.collect(sizes, self._patience_seconds)

    async def collect(
        self, awaited: Iterable[str] = (), patience_seconds: float = 0.0
    ) -> dict[str, BallonetError]:
        """Return what failed by UUID, waiting at most so long for the answers of these guests."""
        if not self._pending:
            return {}
        tasks = [self._pending[uuid] for uuid in awaited if uuid in self._pending]
        # Without any it still lets those end that are about to.
        await asyncio.wait(tasks or self._pending.values(), timeout=patience_seconds if tasks else 0.0)
        done = {uuid: task for uuid, task in self._pending.items() if task.done()}
        for uuid in done:
            del self._pending[uuid]
        errors = {uuid: task.result() for uuid, task in done.items()}
        return {uuid: error for uuid, error in errors.items() if error is not None}

    async def _send(self, uuid: str, size_bytes: int, from_bytes: int | None) -> BallonetError | None:
        try:
            await self._hypervisor.resize(uuid, size_bytes, from_bytes=from_bytes)
        except BallonetError as error:
            return error
        return None

    @staticmethod
    async def _send_many(hypervisor: BulkHypervisor, sizes: dict[str, int]) -> Mapping[str, BallonetError]:
        try:
            return await hypervisor.resize_many(sizes)
        except HypervisorError as error:
            return dict.fromkeys(sizes, error)
