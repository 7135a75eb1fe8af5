"""A hypervisor in memory that keeps the port's contract: its guests move step by step, and report."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from difflib import get_close_matches
from uuid import uuid4

from ballonet.engine.ports import Event, EventKind, HypervisorFacts, check_size
from ballonet.errors import NoSuchGuestError, RefusedError
from ballonet.facts.guest import Device, Guest, State, Stored
from ballonet.facts.statistics import Statistics
from ballonet.units import MIB

STEP_BYTES = 64 * MIB  # how far a guest gets between two looks
KERNEL_BYTES = 40 * MIB  # what a guest's kernel keeps, and what its programs use
USED_BYTES = 60 * MIB


class FakeHypervisor:
    """Guests that always do as they are told, a step at each look."""

    def __init__(self) -> None:
        self._guests: dict[str, Guest] = {}
        self._targets: dict[str, int] = {}
        self._listeners: list[asyncio.Queue[Event | None]] = []

    def add(self, name: str, maximum_bytes: int, *, running: bool = True) -> str:
        """Add a guest that is stored; return its UUID."""
        uuid, number = str(uuid4()), len(self._guests) + 1
        self._targets[uuid] = maximum_bytes
        self._guests[uuid] = Guest(
            name=name,
            uuid=uuid,
            id=number if running else None,
            state=State.RUNNING if running else State.SHUT_OFF,
            read_at=time.time(),
            maximum_bytes=maximum_bytes,
            actual_bytes=maximum_bytes,
            device=Device("virtio", autodeflate=False, free_page_reporting=True, period_seconds=1),
            stored=Stored(maximum_bytes, maximum_bytes, 1),
        )
        return uuid

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        wanted = [uuid for uuid, guest in self._guests.items() if inactive or guest.id is not None]
        return sorted(
            (replace(self._look(uuid), stored=None) for uuid in wanted), key=lambda guest: guest.name
        )

    async def guest(self, reference: str) -> Guest:
        for uuid, guest in self._guests.items():
            if reference in {str(guest.id), guest.name, uuid}:
                return self._look(uuid)
        near = get_close_matches(reference, [guest.name for guest in self._guests.values()])
        raise NoSuchGuestError(f"no guest {reference!r}", hint=", ".join(near) or "ballonet guests --all")

    async def resize(
        self,
        uuid: str,
        size_bytes: int,
        *,
        live: bool = True,
        config: bool = False,
        from_bytes: int | None = None,
    ) -> None:
        guest = self._of(uuid)
        if from_bytes is not None:
            check_size(guest.name, guest.actual_bytes, from_bytes)
        if not 0 < size_bytes <= (guest.maximum_bytes or 0):
            raise RefusedError(f"{guest.name} cannot have {size_bytes} bytes", hint="ballonet show GUEST")
        if live:
            self._running(guest)
            self._targets[uuid] = size_bytes
        if config:
            self._store(guest, current_bytes=size_bytes)

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        guest = self._of(uuid)
        assert guest.stored
        current = min(size_bytes, guest.stored.current_bytes)
        self._store(guest, maximum_bytes=size_bytes, current_bytes=current)

    async def refresh(self, uuid: str) -> None:
        self._running(self._of(uuid))

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        guest = self._of(uuid)
        assert guest.device
        if live:
            self._running(guest)
            self._guests[uuid] = replace(guest, device=replace(guest.device, period_seconds=seconds))
        if config:
            self._store(self._guests[uuid], period_seconds=seconds)

    def events(self) -> AsyncIterator[Event]:
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.append(queue)
        return _follow(queue)

    async def facts(self) -> HypervisorFacts:
        return HypervisorFacts("fake:///", read_only=False, local=False)

    async def close(self) -> None:
        self._tell(None)

    def _of(self, uuid: str) -> Guest:
        if uuid not in self._guests:
            raise NoSuchGuestError(f"no guest {uuid}", hint="ballonet guests --all")
        return self._guests[uuid]

    def _running(self, guest: Guest) -> None:
        if guest.id is None:
            raise RefusedError(f"{guest.name} is not running", hint="virsh start GUEST")

    def _store(self, guest: Guest, **changes: int) -> None:
        assert guest.stored
        self._guests[guest.uuid] = replace(guest, stored=replace(guest.stored, **changes))

    def _look(self, uuid: str) -> Guest:
        """Move a guest one step towards its target, have it report, and return it."""
        guest, now = self._guests[uuid], time.time()
        if guest.id is None:
            return replace(guest, read_at=now)
        before = guest.actual_bytes or 0
        actual = before + max(-STEP_BYTES, min(STEP_BYTES, self._targets[uuid] - before))
        if actual != before:
            self._tell(Event(EventKind.BALLOON, uuid, guest.name, actual))
        left = max(0, actual - KERNEL_BYTES - USED_BYTES)
        sample = Statistics(
            unused_bytes=left,
            usable_bytes=left,
            available_bytes=actual - KERNEL_BYTES,
            rss_bytes=actual,
            last_update=float(int(now)),
        )
        self._guests[uuid] = replace(guest, read_at=now, actual_bytes=actual, statistics=sample)
        return self._guests[uuid]

    def _tell(self, event: Event | None) -> None:
        for listener in self._listeners:
            listener.put_nowait(event)


async def _follow(queue: "asyncio.Queue[Event | None]") -> AsyncIterator[Event]:
    while (event := await queue.get()) is not None:
        yield event
