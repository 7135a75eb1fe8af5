"""A signal of the host added to what the reflex sees, by standing before its ports: the engine is as it is.

A signal is a counter by guest, and speaks when that rose by enough within a quarter of a second. What is
done about it is one of three things: what was written is counted as growth, or a growth of 64 MiB is added
(as fast as the scenarios' bursts, however little the signal tells), or the guest is asked for its
statistics at once, and a tick follows.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from math import nan
from typing import Protocol

from ballonet.engine.ports import STEP_BYTES, BulkHypervisor, Clock, Event, EventKind, Hypervisor, Residents
from ballonet.errors import BallonetError
from ballonet.facts.columns import Columns
from ballonet.simulator.overheard import Overheard
from ballonet.units import MIB

WINDOW_SECONDS = 0.25  # as long as the reflex looks back
GROWTH_BYTES = 64 * MIB  # in that time: 256 MiB/s, what the scenarios' bursts grow by
SLOW_BYTES = 16 * MIB * WINDOW_SECONDS  # resident memory that grows by less shows no burst


class Signal(Protocol):
    """A counter by guest."""

    least: float
    """By how much it must rise to speak."""

    def follow(self, uuids: Iterable[str]) -> None:
        """Follow these guests from now on."""

    def read(self) -> Mapping[str, float]:
        """Return each one's counter."""

    def close(self) -> None:
        """Let go of what is held."""


class Answer(StrEnum):
    """What is done when a signal speaks."""

    COUNT = "counted as growth"
    GROW = "64 MiB of growth"
    ASK = "statistics asked for"


@dataclass
class Tally:
    """How often a signal spoke, and what looking at it took."""

    spoke: int = 0
    alone: int = 0  # while resident memory showed no burst
    looks: int = 0  # guests and times
    seconds: float = 0.0

    @property
    def microseconds(self) -> float:
        """Return what a look at one guest took; NaN: there was none."""
        return 1e6 * self.seconds / self.looks if self.looks else nan


class Calls(Overheard):
    """A hypervisor that is heard before the engine hears it, and through which a tick can be called for."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        super().__init__(hypervisor, list)
        self.grown: Counter[str] = Counter()  # balloon events of guests that grew beyond what they were told
        self._told: dict[str, int] = {}
        self._actual: dict[str, int] = {}
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._asked: dict[str, asyncio.Task[None]] = {}

    def ask(self, uuid: str) -> None:
        """Ask a guest for its statistics, and let a tick follow; not while the last question waits."""
        if uuid not in self._asked or self._asked[uuid].done():
            self._asked[uuid] = asyncio.create_task(self._ask(uuid))

    async def _ask(self, uuid: str) -> None:
        with suppress(BallonetError):
            await self.refresh(uuid)
        # The one event that calls for a tick and tells nothing: no lease waits here.
        await self._events.put(Event(EventKind.STARTED, uuid))

    async def resize(
        self,
        uuid: str,
        size_bytes: int,
        *,
        live: bool = True,
        config: bool = False,
        from_bytes: int | None = None,
    ) -> None:
        """Pass it on, and remember it."""
        self._told[uuid] = size_bytes
        await super().resize(uuid, size_bytes, live=live, config=config, from_bytes=from_bytes)

    async def events(self) -> AsyncIterator[Event]:
        """Yield what happens, and the calls for a tick."""
        forward = asyncio.create_task(self._forward())
        try:
            while True:
                yield await self._events.get()
        finally:
            forward.cancel()

    async def _forward(self) -> None:
        async for event in super().events():
            if event.kind is EventKind.BALLOON and event.actual_bytes is not None:
                self._note(event.uuid, event.actual_bytes)
            await self._events.put(event)

    def _note(self, uuid: str, actual_bytes: int) -> None:
        """Count what only autodeflate can have done: a size beyond what was told, and that rises."""
        before, self._actual[uuid] = self._actual.get(uuid, actual_bytes), actual_bytes
        if actual_bytes > max(before, self._told.get(uuid, actual_bytes) + STEP_BYTES):
            self.grown[uuid] += 1


class BulkCalls(Calls):
    """The same of a hypervisor that has its guests side by side."""

    def __init__(self, hypervisor: BulkHypervisor) -> None:
        super().__init__(hypervisor)
        self._bulk = hypervisor

    async def columns(self) -> Columns:
        """Pass it on."""
        return await self._bulk.columns()

    async def resize_many(self, sizes: Mapping[str, int]) -> Mapping[str, BallonetError]:
        """Pass it on."""
        return await self._bulk.resize_many(sizes)


class Added:
    """Residents to which a signal adds what it tells; without one only its looks are as often."""

    def __init__(
        self,
        residents: Residents,
        clock: Clock,
        calls: Calls,
        tally: Tally,
        signal: Signal | None = None,
        answer: Answer = Answer.GROW,
    ) -> None:
        self._residents, self._clock, self._calls = residents, clock, calls
        self._tally, self._signal, self._answer = tally, signal, answer
        self._more: Counter[str] = Counter()  # bytes
        self._last: dict[str, float] = {}
        self._mark: dict[str, tuple[float, float]] = {}  # since when it is looked at, and what it was then
        self._deaf_until: dict[str, float] = {}
        self._looks: deque[tuple[float, Mapping[str, int]]] = deque()

    def follow(self, uuids: Iterable[str]) -> None:
        """Follow exactly these guests from now on."""
        uuids = tuple(uuids)
        self._residents.follow(uuids)
        if self._signal:
            self._signal.follow(uuids)

    def started_at(self, uuid: str) -> float | None:
        """Return the epoch seconds at which a guest's process started."""
        return self._residents.started_at(uuid)

    def read(self) -> Mapping[str, int]:
        """Return resident bytes by UUID, and what the signal adds."""
        resident, now = self._residents.read(), self._clock.monotonic()
        if self._signal is None:
            return resident
        self._looks.append((now, resident))
        while now - self._looks[0][0] > 2 * WINDOW_SECONDS:
            self._looks.popleft()
        begun = time.perf_counter()
        told = self._signal.read()
        self._tally.seconds += time.perf_counter() - begun
        self._tally.looks += len(resident)
        for uuid in resident.keys() & told.keys():
            self._hear(uuid, told[uuid], now, self._signal.least)
        return {uuid: size + self._more[uuid] for uuid, size in resident.items()}

    def _hear(self, uuid: str, value: float, now: float, least: float) -> None:
        """Take in a counter."""
        if self._answer is Answer.COUNT:
            self._more[uuid] += int(max(value - self._last.get(uuid, value), 0.0))
        self._last[uuid] = value
        at, before = self._mark.setdefault(uuid, (now, value))
        if value - before >= least and now >= self._deaf_until.get(uuid, 0.0):
            self._mark[uuid], self._deaf_until[uuid] = (now, value), now + WINDOW_SECONDS
            self._speak(uuid, now)
        elif now - at >= WINDOW_SECONDS:
            self._mark[uuid] = now, value

    def _speak(self, uuid: str, now: float) -> None:
        self._tally.spoke += 1
        looks = [look[uuid] for at, look in self._looks if uuid in look and now - at >= WINDOW_SECONDS]
        newest = self._looks[-1][1][uuid]
        self._tally.alone += bool(looks) and newest - looks[-1] < SLOW_BYTES
        if self._answer is Answer.GROW:
            self._more[uuid] += GROWTH_BYTES
        elif self._answer is Answer.ASK:
            self._calls.ask(uuid)
