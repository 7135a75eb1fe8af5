"""Asking guests for their statistics beside their period: a burst cannot wait for the next sample."""

import asyncio
from collections.abc import Iterable

import numpy as np

from ballonet.engine.ports import Clock, Hypervisor
from ballonet.errors import BallonetError
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.verdict import CODES

ASK_SECONDS = 0.15  # between two questions to one guest: a sample takes 20 to 60 ms
MOST_GUESTS = 32  # at once; each costs two calls of 3 to 5 ms


class Asker:
    """Asks, and waits for nobody: who does not answer is read with the statistics that it sent before."""

    def __init__(self, hypervisor: Hypervisor, clock: Clock) -> None:
        self._hypervisor = hypervisor
        self._clock = clock
        self._asked_at: dict[str, float] = {}
        self._pending: dict[str, asyncio.Task[None]] = {}

    def ask(self, uuids: Iterable[str]) -> None:
        """Ask these guests, the first of them first; those that were asked a moment ago are left out."""
        now = self._clock.monotonic()
        self._pending = {uuid: task for uuid, task in self._pending.items() if not task.done()}
        self._asked_at = {uuid: at for uuid, at in self._asked_at.items() if now - at < ASK_SECONDS}
        for uuid in uuids:
            if len(self._pending) >= MOST_GUESTS:
                return
            if uuid not in self._pending and uuid not in self._asked_at:
                self._asked_at[uuid] = now
                self._pending[uuid] = asyncio.create_task(self._ask(uuid))

    async def _ask(self, uuid: str) -> None:
        try:
            await self._hypervisor.refresh(uuid)
        except BallonetError:
            return  # it is gone or hangs: the next reading says so


def donors(plan: Plan, memory: Memory) -> list[str]:
    """Return who may give for a burst, the largest first: those that are managed and do not burst."""
    may_give = (plan.verdict == CODES["managed"]) & np.isnan(memory.promised)
    order = np.argsort(-plan.snapshot.actual, kind="stable").tolist()
    return [plan.snapshot.uuids[row] for row in order if may_give[row]]
