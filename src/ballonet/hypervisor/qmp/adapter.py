"""QEMU's monitors as a `Hypervisor`: one connection a guest, all asked at the same time.

A tick asks each guest for its statistics and its disks' counters, no more: state and size are told by
QEMU's events, and guests that were just resized are asked for their size as well. QMP serves one client a
socket, so a guest whose monitor somebody else uses is shown, and left alone.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from difflib import get_close_matches
from typing import Self

from ballonet.engine.ports import Event, HypervisorFacts, Wanted, check_size, nobody
from ballonet.errors import (
    BallonetError,
    DeadlineError,
    HypervisorError,
    NoSuchGuestError,
    NotPermittedError,
    RefusedError,
    UsageError,
)
from ballonet.facts.agent import Channel, Heard
from ballonet.facts.guest import Guest
from ballonet.facts.uri import sockets_of
from ballonet.hypervisor.agent import Ask
from ballonet.hypervisor.agents import Agents, hear
from ballonet.hypervisor.listeners import Listeners
from ballonet.hypervisor.qmp import failures, sockets
from ballonet.hypervisor.qmp.agent_line import talking
from ballonet.hypervisor.qmp.machine import POLLING, usual_name
from ballonet.hypervisor.qmp.monitor import Monitor
from ballonet.hypervisor.readings import known
from ballonet.hypervisor.threads import CALLS
from ballonet.units import exact_size

# How long a look waits for guests that answered the look before: those that hang are asked on, and heard at
# a later look. QEMU answers within some ms, and within some 0.1 s on a busy host.
PATIENCE_SECONDS = 1.0

AT_ONCE = 32  # monitors that are asked who they are at the same time: of more, each would seem to hang
# 500 monitors say who they are within 2 s; of those that hang, AT_ONCE are given up each GREETING_SECONDS.
FIRST_SECONDS = 30.0
# Agents that are asked at the same time, each through a QEMU of its own: 500 that take 0.1 s within 3 s.
AGENTS_AT_ONCE = 16

_WHO = "see who is there: ballonet guests"


class QmpHypervisor:
    """The guests whose monitors listen at the sockets that a path or pattern names, as they come and go."""

    def __init__(self, uri: str, *, read_only: bool, deadline_seconds: float) -> None:
        self._uri = uri
        self._pattern = sockets_of(uri) or ""
        self._read_only = read_only
        self._deadline_seconds = deadline_seconds
        self._monitors: dict[str, Monitor] = {}  # by path
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._turn = asyncio.Lock()  # who looks: one who came meanwhile would think that all hang
        self._keeping: dict[str, asyncio.Task[None]] = {}
        self._looking: dict[str, asyncio.Task[Guest | None]] = {}
        self._guests: dict[str, Guest] = {}  # by UUID, as last read
        self._owners: dict[str, Monitor] = {}
        self._twins: dict[str, BallonetError] = {}  # by path: why its guest is left out
        self._agents = Agents(self._line, at_once=AGENTS_AT_ONCE, new_at_once=AGENTS_AT_ONCE)
        self._listens_to: Wanted = nobody
        self._listeners = Listeners()
        self._timeouts = Counter(dict.fromkeys(CALLS, 0))

    @classmethod
    def at(cls, uri: str, *, read_only: bool = False, deadline_seconds: float = 5.0) -> Self:
        """Return one that is not connected yet: its first call connects."""
        return cls(uri, read_only=read_only, deadline_seconds=deadline_seconds)

    @classmethod
    async def open(cls, uri: str, *, read_only: bool = False, deadline_seconds: float = 5.0) -> Self:
        """Connect to all that is there now. Raises as `connect`."""
        hypervisor = cls.at(uri, read_only=read_only, deadline_seconds=deadline_seconds)
        await hypervisor.connect()
        return hypervisor

    @property
    def timeouts(self) -> Mapping[str, int]:
        """Return how many calls got no answer in time, by what they were to do."""
        return self._timeouts

    @property
    def processes(self) -> Mapping[str, int]:
        """Return the processes of the guests that run on this host, by UUID."""
        machines = [monitor.machine for monitor in self._owners.values()]
        return {each.uuid: each.process for each in machines if each and each.process is not None}

    @property
    def troubles(self) -> Sequence[BallonetError]:
        """Return why single guests cannot be asked, each with what to do."""
        found = [monitor.trouble for monitor in self._monitors.values()]
        return [each for each in found if each is not None] + list(self._twins.values())

    async def connect(self) -> None:
        """Connect to all that is there now; later ones are found as they come.

        Raises HypervisorError where none can ever come, NotPermittedError where all are denied.
        """
        sockets.check_place(self._pattern)
        _allow_files()
        await self._discover(FIRST_SECONDS)
        failed = [monitor.trouble for monitor in self._monitors.values()]
        if failed and all(isinstance(each, NotPermittedError) for each in failed) and failed[0]:
            await self.close()
            raise failed[0]

    async def close(self) -> None:
        """End all connections and all `events`."""
        self._listeners.end()
        await self._agents.close()
        await self._leave(list(self._monitors))

    async def facts(self) -> HypervisorFacts:
        """Return what this connection is."""
        return HypervisorFacts(self._uri, read_only=self._read_only, local=True)

    # --- reading ------------------------------------------------------------------------------------

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return all running guests by name. QEMU that ended is gone, so there are none shut off."""
        del inactive
        async with self._turn:
            return await self._look()

    async def _look(self) -> list[Guest]:
        """Ask all, and return what they say."""
        await self._discover(PATIENCE_SECONDS)
        late = set(self._looking.values())  # since an earlier look: nobody is patient twice
        for path, monitor in self._monitors.items():
            if path not in self._looking:
                self._looking[path] = asyncio.create_task(monitor.look())
        if waiting := set(self._looking.values()) - late:
            await asyncio.wait(waiting, timeout=PATIENCE_SECONDS)
        self._take([(each, row) for each in self._monitors.values() if (row := self._row(each))])
        found = self._agents.hear(list(self._guests.values()), self._listens_to)
        return sorted(found, key=lambda guest: guest.name)

    async def guest(self, reference: str) -> Guest:
        """Return one guest by name, UUID or id, all of it as it is now."""
        owner = self._owners.get(reference)
        if owner is None or owner.machine is None:
            await self.guests()
        found = _find(reference, self._guests)
        monitor = self._owners[found.uuid]
        if monitor.trouble is not None:
            raise monitor.trouble
        try:
            async with asyncio.timeout(self._deadline_seconds):
                guest = await monitor.look(anew=True)
        except TimeoutError as error:
            self._timeouts["reading"] += 1
            what = f"reading {found.name}"
            raise failures.late(what, self._deadline_seconds, monitor.process) from error
        if guest is None:
            raise NoSuchGuestError(f"guest {found.name!r} is gone", hint=_WHO)
        return guest

    def _row(self, monitor: Monitor) -> Guest | None:
        """Return what a guest said, or what it was where it hangs."""
        task = self._looking.get(monitor.path)
        if task is None or not task.done():
            if monitor.trouble is None:
                self._timeouts["reading"] += 1
            monitor.hang(PATIENCE_SECONDS)
            return monitor.held()
        del self._looking[monitor.path]
        monitor.answer()
        return task.result()

    def _take(self, rows: Sequence[tuple[Monitor, Guest]]) -> None:
        """Note which monitor has each guest: of several one that can be asked, and the same as before."""
        before, self._owners, self._guests, self._twins = self._owners, {}, {}, {}
        for monitor, row in sorted(
            rows, key=lambda pair: (pair[0].trouble is not None, before.get(pair[1].uuid) is not pair[0])
        ):
            other = self._owners.setdefault(row.uuid, monitor)
            if other is monitor:
                self._guests[row.uuid] = row
            elif other.process != monitor.process:  # else it is one more monitor of the same guest
                self._twins[monitor.path] = HypervisorError(
                    f"{row.name} at {monitor.path} is left alone: {other.path} has a guest of the same UUID",
                    hint="give each QEMU a -uuid of its own, and a -name",
                )

    async def _discover(self, wait_seconds: float) -> None:
        """Begin with sockets that are new, leave those that are gone, and wait for the first word of each."""
        there = dict.fromkeys(sockets.found(self._pattern))
        await self._leave([path for path in self._monitors if path not in there])
        new = [path for path in there if path not in self._monitors]
        for path in new:
            monitor = Monitor(
                self._uri, path, usual_name(self._pattern, path), self._listeners.tell, self._gate
            )
            self._monitors[path] = monitor
            self._keeping[path] = asyncio.create_task(monitor.keep())
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                for path in new:
                    await self._monitors[path].settled.wait()

    async def _leave(self, paths: Sequence[str]) -> None:
        """End the connections to these sockets."""
        tasks: list[asyncio.Task[None] | asyncio.Task[Guest | None]] = []
        for path in paths:
            self._monitors.pop(path).leave()
            tasks += [self._keeping.pop(path), *filter(None, [self._looking.pop(path, None)])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- agents in guests ---------------------------------------------------------------------------

    def listen(self, to: Wanted) -> None:
        """From now on ask the agents of these guests beside all looks, which show what they told last."""
        self._listens_to = to

    async def hear(self, uuid: str) -> Heard:
        """Return what the agent in a guest tells now."""
        heard, _ = await hear(self._line(uuid))
        return heard

    @asynccontextmanager
    async def _line(self, uuid: str) -> AsyncIterator[Ask]:
        """Yield what asks the agent in a guest; raises `BallonetError`."""
        if self._read_only:
            raise RefusedError("no agent is asked over a read-only connection", hint="leave out --read-only")
        monitor = self._owners.get(uuid)
        port = monitor.machine.port if monitor and monitor.machine else None
        if monitor is None or port is None:
            raise failures.no_agent_port()
        if port.channel is Channel.DISCONNECTED:
            raise failures.no_agent()
        if not port.path:
            raise failures.no_agent_socket()
        async with talking(port.path, monitor.process) as ask:
            yield ask

    # --- changing -----------------------------------------------------------------------------------

    async def resize(
        self,
        uuid: str,
        size_bytes: int,
        *,
        live: bool = True,
        config: bool = False,
        from_bytes: int | None = None,
    ) -> None:
        """Ask a guest to get to a size now; QEMU stores nothing for its next start."""
        if config or not live:
            raise _nothing_stored("resizing")
        monitor, guest = await self._writable(uuid)
        what = f"resizing {guest.name}"
        maximum = monitor.machine.maximum_bytes if monitor.machine else None
        if size_bytes <= 0 or (maximum is not None and size_bytes > maximum):
            raise RefusedError(
                f"{what}: it can have 1 B to {exact_size(maximum or 0)}, not {size_bytes} B",
                hint=f"its maximum: ballonet show {guest.name}",
            )
        if from_bytes is not None:
            answer = await self._ask(monitor, what, "query-balloon")
            actual = known(answer.get("actual")) if isinstance(answer, dict) else None
            check_size(guest.name, actual, from_bytes)
        monitor.move(size_bytes)
        await self._ask(monitor, what, "balloon", {"value": size_bytes})

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Refuse: the maximum is QEMU's option -m."""
        await self._writable(uuid)
        raise _nothing_stored(f"setting the maximum to {size_bytes} B")

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Set how often a guest is asked for its statistics."""
        if config or not live:
            raise _nothing_stored("setting the period")
        monitor, guest = await self._writable(uuid)
        await self._poll(monitor, f"setting the period of {guest.name}", seconds)
        monitor.asked_every(seconds)

    async def refresh(self, uuid: str) -> None:
        """Ask a guest for its statistics now: QEMU asks at once when the period is switched on."""
        monitor, guest = await self._writable(uuid)
        device = monitor.machine.device if monitor.machine else None
        if device is not None and device.period_seconds:
            for seconds in (0, device.period_seconds):
                await self._poll(monitor, f"asking for the statistics of {guest.name}", seconds)

    async def _poll(self, monitor: Monitor, doing: str, seconds: int) -> None:
        if monitor.machine is not None and monitor.machine.device is None:
            raise RefusedError(f"{doing}: the guest has no balloon device", hint=failures.NO_DEVICE)
        path = monitor.machine.balloon if monitor.machine else ""
        arguments = {"path": path, "property": POLLING, "value": seconds}
        await self._ask(monitor, doing, "qom-set", arguments)

    async def _ask(
        self, monitor: Monitor, doing: str, command: str, arguments: Mapping[str, object] | None = None
    ) -> object:
        try:
            return await monitor.ask(doing, command, arguments, self._deadline_seconds)
        except DeadlineError:
            self._timeouts[doing.partition(" ")[0]] += 1
            raise

    async def _writable(self, uuid: str) -> tuple[Monitor, Guest]:
        """Return a guest by UUID and its monitor, where it may be changed."""
        if uuid not in self._owners:
            await self.guests()
        if uuid not in self._owners:
            raise NoSuchGuestError(f"the guest of UUID {uuid} is gone", hint=_WHO)
        guest = self._guests[uuid]
        if self._read_only:
            hint = "leave out --read-only"
            raise NotPermittedError(f"changing {guest.name}: the connection is read-only", hint=hint)
        return self._owners[uuid], guest

    # --- events -------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[Event]:
        """Yield what happens from this call on, first what keeps guests from being asked."""
        complaints = (monitor.complaint() for monitor in self._monitors.values())
        return self._listeners.listen(event for event in complaints if event)


def _find(reference: str, guests: Mapping[str, Guest]) -> Guest:
    """Return the guest of this name, UUID or id; raises NoSuchGuestError, or UsageError where several are."""
    if reference in guests:
        return guests[reference]
    found = [row for row in guests.values() if reference in {row.name, str(row.id)}]
    if len(found) > 1:
        hint = f"name one by its UUID: {', '.join(row.uuid for row in found)}"
        raise UsageError(f"{len(found)} guests are meant by {reference!r}", hint=hint)
    if not found:
        near = get_close_matches(reference, [row.name for row in guests.values()], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else _WHO
        raise NoSuchGuestError(f"no guest {reference!r}", hint=hint)
    return found[0]


def _allow_files() -> None:
    """Allow as many open files as this user may have: each guest takes two, and usual are 1024."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now != most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _nothing_stored(doing: str) -> RefusedError:
    return RefusedError(
        f"{doing}: a QEMU without libvirt stores nothing for its next start", hint=failures.NOTHING_STORED
    )
