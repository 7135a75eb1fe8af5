"""The hypervisor's port over a simulated host, with everything that libvirt and guests do wrong."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from operator import attrgetter

from ballonet.engine.ports import Event, EventKind, HypervisorFacts
from ballonet.errors import BallonetError, DeadlineError, HypervisorError, NoSuchGuestError, RefusedError
from ballonet.facts.guest import Guest
from ballonet.facts.statistics import Statistics
from ballonet.simulator.kernel import pages
from ballonet.simulator.world import World
from ballonet.torture.clock import TroubledClock
from ballonet.torture.names import Names
from ballonet.torture.process import Process
from ballonet.torture.seen import Eye, Look
from ballonet.torture.statistics import Sample, Wire
from ballonet.torture.trouble import RESIZES, Trouble, Troubles, What

READ_SECONDS = 0.01  # what a look at some guests takes; so nothing is told at the very stamp of statistics
DEADLINE_SECONDS = 5.0  # of each call, as the real adapter has it
LATE_SECONDS = 3.0  # after its deadline a call is carried out all the same
CLAIM_SECONDS = 20.0
CRAWL_BYTES = 4096.0  # at each look
_GUESTS_OWN = (
    "unused_bytes",
    "usable_bytes",
    "available_bytes",
    "swap_in_bytes_total",
    "swap_out_bytes_total",
    "major_faults_total",
    "oom_kills_total",
    "alloc_stalls_total",
    "direct_scans_bytes_total",
    "rss_bytes",
)
_OWN = attrgetter(*_GUESTS_OWN)


class Libvirt:
    """What outlives each process of the service: the world, what it is told, and what is late."""

    def __init__(self, world: World, clock: TroubledClock, troubles: Troubles, names: Names) -> None:
        self.world = world
        self.clock = clock
        self.troubles = troubles
        self.names = names
        self.wire = Wire(troubles)
        self.claimed_until: dict[str, float] = {}  # by inner UUID, of the loop: a job took it
        self._crawls: dict[str, int] = {}  # by inner UUID, where they are to get to
        self._stamps: dict[str, tuple[float, float]] = {}  # by inner UUID: as stamped, and as shown
        self._late: set[asyncio.Task[None]] = set()

    def started_at(self, inner: str) -> float:
        """Return when a guest's process started, as the wall clock has it."""
        return (self.world.started_at(inner) or 0.0) + self.clock.set_by_seconds

    async def crawl(self) -> None:
        """Let balloons that crawl move on by a page."""
        for inner, goal in list(self._crawls.items()):
            actual = (await self.world.guest(inner)).actual_bytes or goal
            way = max(-CRAWL_BYTES, min(CRAWL_BYTES, goal - actual))
            if not self.troubles.of(What.CRAWLING, self.names.name(inner)) or abs(way) < CRAWL_BYTES:
                del self._crawls[inner]
                way = goal - actual
            await self.world.resize_many({inner: int(actual + way)})

    async def move(self, inner: str, size_bytes: int, from_bytes: int | None = None) -> None:
        """Tell a balloon its size; it crawls no more."""
        self._crawls.pop(inner, None)
        await self.world.resize(inner, size_bytes, from_bytes=from_bytes)

    def start_crawling(self, inner: str, size_bytes: int) -> None:
        """Have a balloon get there by a page at a time."""
        self._crawls[inner] = size_bytes

    def later(self, inner: str, size_bytes: int) -> None:
        """Tell a balloon its size in some seconds, when nobody waits for it any more."""
        task = asyncio.create_task(self._later(inner, size_bytes))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _later(self, inner: str, size_bytes: int) -> None:
        await asyncio.sleep(DEADLINE_SECONDS + LATE_SECONDS)
        await self.world.resize_many({inner: size_bytes})

    async def rows(self) -> tuple[list[Guest], dict[str, dict[str, int]]]:
        """Return who is listed, and each one's numbers as they came over the wire, by UUID."""
        await self.crawl()
        rows, wires = [], {}
        for guest in await self.world.guests():
            if self.troubles.of(What.HIDDEN, guest.name):
                continue
            inner, uuid = guest.uuid, self.names.shown(guest.uuid)
            sample = self.wire.carry(
                guest.name, self._sent(inner, guest.statistics), guest.maximum_bytes or 0
            )
            wires[uuid] = dict(sample.wire)
            claimed = self.claimed_until.get(inner, 0.0) > self.clock.loop_seconds()
            rows.append(
                replace(
                    guest,
                    uuid=uuid,
                    job="snapshot" if claimed else guest.job,
                    actual_bytes=None if self.troubles.of(What.SIZELESS, guest.name) else guest.actual_bytes,
                    statistics=sample.read(guest.maximum_bytes),
                )
            )
        return rows, wires

    def _sent(self, inner: str, told: Statistics) -> Sample:
        """Return what a guest sent, stamped by the wall clock of that moment."""
        numbers = zip(_GUESTS_OWN, _OWN(told), strict=True)
        wire = {name: value for name, value in numbers if value is not None}
        if told.last_update is None:
            return Sample(wire, None)
        before = self._stamps.get(inner)
        if before is None or before[0] != told.last_update:
            self._stamps[inner] = told.last_update, told.last_update + self.clock.set_by_seconds
        return Sample(wire, self._stamps[inner][1])


class TroubledHypervisor:
    """One process's connection."""

    def __init__(self, libvirt: Libvirt, process: Process, eye: Eye) -> None:
        self._libvirt = libvirt
        self._process = process
        self._eye = eye
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    def report(self, event: Event) -> None:
        """Have the service hear of this; while the connection is broken it is missed."""
        troubles = self._libvirt.troubles
        if troubles.of(What.DOWN) and event.kind not in {EventKind.LOST, EventKind.RECONNECTED}:
            return
        self._events.put_nowait(event)

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return who is listed."""
        _ = inactive
        await self._process.waits("as it reads guests")
        self._eye.asked_for_guests()
        await self._reach("reading guests")
        await asyncio.sleep(READ_SECONDS)
        rows, wires = await self._libvirt.rows()
        await self._process.waits("after it read guests")
        started = {row.uuid: self._libvirt.started_at(Names.inner(row.uuid)) for row in rows}
        self._eye.looked(Look(tuple(rows), wires, started))
        return rows

    async def guest(self, reference: str) -> Guest:
        """Return one guest."""
        await self._reach("reading a guest")
        rows, _ = await self._libvirt.rows()
        for row in rows:
            if reference in {row.name, row.uuid, str(row.id)}:
                return row
        raise NoSuchGuestError(f"no guest {reference!r}")

    async def resize(
        self,
        uuid: str,
        size_bytes: int,
        *,
        live: bool = True,
        config: bool = False,
        from_bytes: int | None = None,
    ) -> None:
        """Tell a balloon its size, or what becomes of that."""
        _ = live, config
        await self._process.waits("before a resize is sent")
        self._eye.resize(uuid, size_bytes)
        error: BallonetError | None = None
        try:
            await self._reach("resizing")
            await self._resize(uuid, size_bytes, from_bytes)
        except BallonetError as found:
            error = found
        await self._process.waits("after a resize is sent")
        self._eye.answered(uuid, size_bytes, error)
        if error is not None:
            raise error

    async def _resize(self, uuid: str, size_bytes: int, from_bytes: int | None) -> None:
        libvirt, inner = self._libvirt, Names.inner(uuid)
        name = libvirt.names.name(uuid)
        if not libvirt.names.is_current(uuid) or libvirt.troubles.of(What.HIDDEN, name):
            raise NoSuchGuestError(f"no guest {uuid!r}")
        if libvirt.claimed_until.get(inner, 0.0) > libvirt.clock.loop_seconds():
            await self._no_answer("resizing a guest that a job has")
        trouble = libvirt.troubles.first(RESIZES, name)
        if trouble is None:
            await libvirt.move(inner, size_bytes, from_bytes)
        else:
            await self._resize_in(trouble, inner, size_bytes)

    async def _resize_in(self, trouble: Trouble, inner: str, size_bytes: int) -> None:
        """Do, or not do, what one is asked, and say or not say so."""
        libvirt, what = self._libvirt, trouble.what
        if what is What.REFUSED:
            raise RefusedError("the hypervisor refuses it")
        if what is What.FAILED:
            raise HypervisorError("the connection broke")
        if what is What.LATE:
            libvirt.later(inner, size_bytes)
        if what is What.CRAWLING:
            libvirt.start_crawling(inner, size_bytes)
        if what is What.PARTIAL:
            actual = (await libvirt.world.guest(inner)).actual_bytes or size_bytes
            await libvirt.move(inner, pages((actual + size_bytes) / 2))
        if what in {What.BROKEN, What.LOST}:
            await libvirt.move(inner, size_bytes)
        if what is What.CLAIMED:
            libvirt.claimed_until[inner] = libvirt.clock.loop_seconds() + CLAIM_SECONDS
        if what is What.BROKEN:
            raise HypervisorError("the connection broke")
        if what in {What.LOST, What.HUNG, What.LATE, What.CLAIMED}:
            await self._no_answer("resizing")

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Refuse: nobody asks for that here."""
        self._eye.other_write(f"maximum {size_bytes}", uuid)
        raise RefusedError("simulated guests keep their maximum")

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Have a guest asked for its statistics every so many seconds."""
        _ = live, config
        await self._process.waits("before a resize is sent")
        self._eye.other_write(f"period {seconds}", uuid)
        await self._reach("setting a period")
        await self._libvirt.world.set_period(Names.inner(uuid), seconds)

    async def refresh(self, uuid: str) -> None:
        """Ask a guest for its statistics now."""
        await self._process.waits("")
        self._eye.other_write("refresh", uuid)
        await self._reach("asking for statistics")
        await self._libvirt.world.refresh(Names.inner(uuid))

    async def events(self) -> AsyncIterator[Event]:
        """Yield what happens, as far as it is heard of."""
        while True:
            event = await self._events.get()
            if event.kind is EventKind.REBOOTED:
                self._eye.reset(event.uuid)
            if event.kind is EventKind.STARTED:
                self._eye.started(event.name)
            yield event

    async def facts(self) -> HypervisorFacts:
        """Return what this is."""
        return HypervisorFacts("torture:", read_only=False, local=True)

    async def close(self) -> None:
        """Do nothing."""

    async def _reach(self, doing: str) -> None:
        """Get through to libvirt, or not."""
        troubles = self._libvirt.troubles
        if troubles.of(What.DOWN):
            raise HypervisorError(f"{doing}: libvirt cannot be reached")
        if troubles.of(What.STUCK):
            await self._no_answer(doing)
        await self._process.waits("")

    async def _no_answer(self, doing: str) -> None:
        await asyncio.sleep(DEADLINE_SECONDS)
        await self._process.waits("")
        raise DeadlineError(f"no answer to {doing} in time")
