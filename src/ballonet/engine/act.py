"""The one place where guests are resized: what a plan or the reflex wants is checked again, then sent."""

import asyncio
from dataclasses import dataclass

from ballonet.engine.ports import Hypervisor
from ballonet.errors import BallonetError
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.floors import hard_floor_bytes

# A target may lie this far outside a guest's floor or ceiling: sizes are cut to whole pages.
PAGE = 4096


@dataclass(frozen=True, slots=True)
class Change:
    """One guest's next size."""

    row: int  # in the snapshot that it was decided from
    uuid: str
    target_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change: `error` is None where the hypervisor took it."""

    change: Change
    error: BallonetError | None = None


def broken_promise(change: Change, snapshot: Snapshot) -> str:
    """Return the promise that sending this change would break, or nothing.

    The policy keeps these by itself; they are asserted again here because nothing below checks them:
    libvirt and QEMU accept 1 KiB.
    """
    row, target = change.row, change.target_bytes
    maximum = float(snapshot.maximum[row])
    if snapshot.uuids[row] != change.uuid:
        return "G7: the row is another guest's"
    if not target > hard_floor_bytes(maximum) - PAGE:
        return f"G1: {target} bytes is below the hard floor"
    if target < snapshot.actual[row] and not target > snapshot.floor[row] - PAGE:
        return f"G1: shrinking to {target} bytes is below the floor"
    if not target <= min(maximum, float(snapshot.ceiling[row])):
        return f"G2: {target} bytes is above the maximum or the ceiling"
    if not snapshot.running[row] or not snapshot.device[row] or snapshot.obstacle[row] >= 0:
        return "G7: the guest must not be touched"
    return ""


class Actor:
    """Sends changes, each in its own time: one guest that hangs holds up no other."""

    def __init__(self, hypervisor: Hypervisor, patience_seconds: float = 1.0) -> None:
        self._hypervisor = hypervisor
        self._patience_seconds = patience_seconds
        self._pending: dict[str, asyncio.Task[Outcome]] = {}

    def is_free(self, uuid: str) -> bool:
        """Return whether nothing sent to this guest is still unanswered."""
        return uuid not in self._pending

    async def send(self, changes: list[Change]) -> list[Outcome]:
        """Send all at once; return the answers that came in time, and late ones of earlier calls.

        A change that got no answer yet counts as sent: it may still happen.
        """
        for change in changes:
            self._pending[change.uuid] = asyncio.create_task(self._send(change))
        return await self.collect(self._patience_seconds)

    async def collect(self, patience_seconds: float = 0.0) -> list[Outcome]:
        """Return the answers that came, waiting at most so long for those that did not."""
        if self._pending:
            await asyncio.wait(self._pending.values(), timeout=patience_seconds)
        done = {uuid: task for uuid, task in self._pending.items() if task.done()}
        for uuid in done:
            del self._pending[uuid]
        return [task.result() for task in done.values()]

    async def _send(self, change: Change) -> Outcome:
        try:
            await self._hypervisor.resize(change.uuid, change.target_bytes)
        except BallonetError as error:
            return Outcome(change, error)
        return Outcome(change)
