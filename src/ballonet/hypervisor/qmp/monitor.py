"""One guest's monitor: connected to for as long as its socket is there, whatever happens to it."""

import asyncio
import os
import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from ballonet.engine.ports import Event, EventKind
from ballonet.errors import BallonetError
from ballonet.facts.guest import Guest
from ballonet.hypervisor.qmp import failures, process, rows
from ballonet.hypervisor.qmp.client import (
    Client,
    ConnectError,
    EventListener,
    ExecuteError,
    Message,
    QMPError,
    Runstate,
    command,
)
from ballonet.hypervisor.qmp.machine import Machine, read_machine, uuid_of
from ballonet.hypervisor.readings import known

GREETING_SECONDS = 1.0  # QEMU greets within some ms, and within some 0.1 s on a busy host
# Between two tries to connect: a socket whose QEMU ended stays until another takes its place.
RETRY_SECONDS = (1.0, 1.0, 2.0, 5.0)
# Others may add devices, or change a period, rarely: no event tells that. All is read again after half
# to all of this, by chance: it takes seven times a look's commands, and hundreds began at the same time.
MACHINE_SECONDS = 120.0
MOVING_SECONDS = 5.0  # how long a resized guest is asked for its size; else QEMU's events, 1 s apart, tell it

# What happens to a guest, and what else is a reason to look at all of it again.
_KINDS = {
    "RESET": EventKind.REBOOTED,
    "STOP": EventKind.PAUSED,
    "SUSPEND": EventKind.PAUSED,
    "RESUME": EventKind.RESUMED,
    "WAKEUP": EventKind.RESUMED,
}
_CHANGES = frozenset(
    {"SHUTDOWN", "POWERDOWN", "MIGRATION", "GUEST_PANICKED", "GUEST_CRASHLOADED", "DEVICE_DELETED"}
    | {"MEMORY_DEVICE_SIZE_CHANGE", "ACPI_DEVICE_OST", "WATCHDOG", "BLOCK_IO_ERROR"}
    | {"VSERPORT_CHANGE"}  # an agent came or went: at ports with an id, the others are looked at now and then
)


class Monitor:
    """A socket at which QEMU listens; `keep` connects to it, again and again, until it is cancelled."""

    def __init__(
        self, uri: str, path: str, usual_name: str, tell: Callable[[Event], None], gate: asyncio.Semaphore
    ) -> None:
        self._uri = uri
        self.path = path
        self.actual_bytes: int | None = None  # as QEMU's last answer or event says
        self.machine: Machine | None = None  # None: it never said
        self.trouble: BallonetError | None = None  # why it cannot be asked; None: it can, or nobody is there
        self.settled = asyncio.Event()  # it is known whether it can be asked
        self.process: int | None = None  # who listens
        self._usual_name = usual_name
        self._tell = tell
        self._gate = gate  # who has passed it is being asked for all that there is, for the first time
        self._client: Client | None = None
        self._number = 0  # of this run of the guest: its process, or what is as good
        self._last: Guest | None = None
        self._read_until = 0.0  # monotonic seconds for which the machine is good
        self._stale = False  # something happened to it since
        self._hang: BallonetError | None = None
        self._moving_to = 0
        self._moving_until = 0.0

    # --- the connection -----------------------------------------------------------------------------

    async def keep(self) -> None:
        """Connect, follow what happens until the connection ends, and so on."""
        tries = 0
        while True:
            began = time.monotonic()
            try:
                await self._session()
            except (FileNotFoundError, ConnectionError):
                self._end(None)  # nobody listens: QEMU ended, or has not begun
            except OSError as error:
                self._end(failures.unreachable(self.path, error))
            except BallonetError as error:
                self._end(error)
            tries = 0 if time.monotonic() - began > GREETING_SECONDS else min(tries + 1, len(RETRY_SECONDS))
            await asyncio.sleep(RETRY_SECONDS[max(tries - 1, 0)])

    async def _session(self) -> None:
        """Connect and stay until the connection ends; raises why it could not begin, or ended badly."""
        client = Client()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as connection:
            connection.connect(self.path)  # at once, or not at all: BlockingIOError where others wait for it
            self.process = process.listener(connection)
            self._number = self.process or os.stat(self.path).st_ino  # noqa: PTH116 - in memory
            listener = EventListener()
            client.register_listener(listener)
            try:
                await self._begin(client, connection)
                await self._follow(client, listener)
            except ConnectionError:
                pass  # why it ended, the client says
            finally:
                self._client = None
                [failure] = await asyncio.gather(client.disconnect(), return_exceptions=True)
        if isinstance(failure, Exception) and not isinstance(failure, EOFError | ConnectionError):
            raise failures.garbled(self.path)  # of what it was told, the client understood nothing
        raise ConnectionResetError

    async def _begin(self, client: Client, connection: socket.socket) -> None:
        """Wait until it is known which guest that is, however long; after a while say why it is not."""
        greeting = asyncio.create_task(self._greet(client, connection))
        try:
            async with self._gate:
                await asyncio.wait({greeting}, timeout=GREETING_SECONDS)
            if not greeting.done():
                greeted = self._client is not None
                why = self._late(GREETING_SECONDS) if greeted else failures.silent(self.path, self.process)
                self._be_in(why)
            await greeting
        finally:
            greeting.cancel()
            await asyncio.gather(greeting, return_exceptions=True)

    async def _greet(self, client: Client, connection: socket.socket) -> None:
        """Wait for the greeting, and find out which guest that is."""
        try:
            await client.connect(connection)
        except ConnectError as error:
            if isinstance(error.exc, OSError | EOFError):
                raise ConnectionResetError from error
            raise failures.garbled(self.path) from error
        self._client = client
        before, machine = self.machine, await self._read(client)
        if before is not None and before.uuid != machine.uuid:
            self._tell(Event(EventKind.STOPPED, before.uuid, before.name))
            before = None
        self.machine = machine
        self._be_in(None)
        if before is None:
            self._last = None
            self._tell(Event(EventKind.STARTED, machine.uuid, machine.name))

    async def _read(self, client: Client) -> Machine:
        """Read the machine; raises ConnectionResetError where the connection ends meanwhile."""

        async def ask(command: str, arguments: Mapping[str, object] | None = None) -> object:
            try:
                return await client.execute(command, arguments)
            except ExecuteError:
                return None
            except QMPError as error:
                raise ConnectionResetError from error

        share = random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        self._stale, self._read_until = False, time.monotonic() + MACHINE_SECONDS * share
        machine = await read_machine(ask, self.path, self._usual_name, self.process)
        self.actual_bytes = machine.actual_bytes
        return machine

    async def _follow(self, client: Client, listener: EventListener) -> None:
        """Take in events until the connection ends."""
        hearing = asyncio.create_task(self._hear(listener))
        try:
            while client.runstate is Runstate.RUNNING:
                await client.runstate_changed()
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _hear(self, listener: EventListener) -> None:
        async for event in listener:
            self._take(event)

    def _take(self, message: Message) -> None:
        """Take one event of QEMU's in."""
        name, data, machine = message.get("event"), message.get("data"), self.machine
        if machine is None or not isinstance(name, str):
            return
        kind = _KINDS.get(name, EventKind.CHANGED)
        if name == "BALLOON_CHANGE":
            if (actual := _actual(data)) is None:
                return
            self.actual_bytes = actual
            self._tell(Event(EventKind.BALLOON, machine.uuid, machine.name, actual))
        elif name in _KINDS or name in _CHANGES:
            self._stale = True
            self._tell(Event(kind, machine.uuid, machine.name))

    def _end(self, trouble: BallonetError | None) -> None:
        """Take in that the connection ended: without trouble the guest did, else it only cannot be asked."""
        machine = self.machine
        if trouble is None:
            self.machine = self._last = None
            if machine is not None:
                self._tell(Event(EventKind.STOPPED, machine.uuid, machine.name))
        self._be_in(trouble)

    def _be_in(self, trouble: BallonetError | None) -> None:
        """Note why it cannot be asked, or that it can, and tell that it changed."""
        before, self.trouble = self.trouble, trouble
        self.settled.set()
        if trouble is not None:
            complaint = self.complaint()
            if complaint is not None and (before is None or before.message != trouble.message):
                self._tell(complaint)
        elif before is not None and self.machine is not None:
            text = "its monitor answers"
            self._tell(Event(EventKind.RECONNECTED, self.machine.uuid, self.machine.name, text=text))

    def complaint(self) -> Event | None:
        """Return what is to be told of why it cannot be asked; None where it can."""
        guest = self.held()
        if self.trouble is None or guest is None:
            return None
        text = f"{self.trouble.message} ({self.trouble.hint})"
        return Event(EventKind.LOST, guest.uuid, guest.name, text=text)

    def leave(self) -> None:
        """Take in that its socket is gone, and so is the guest."""
        self._end(None)

    def hang(self, seconds: float) -> None:
        """Note that it was asked and said nothing for so long."""
        if self.trouble is None:
            self._hang = self._late(seconds)
            self._be_in(self._hang)

    def _late(self, seconds: float) -> BallonetError:
        return failures.late(f"reading {self.name}", seconds, self.process)

    def answer(self) -> None:
        """Note that what was asked last was answered."""
        if self.trouble is not None and self.trouble is self._hang:
            self._be_in(None)

    # --- asking -------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Return what the guest is called, as far as anybody says."""
        return self.machine.name if self.machine else self._usual_name

    async def ask(
        self, doing: str, command: str, arguments: Mapping[str, object] | None, deadline_seconds: float
    ) -> object:
        """Return QEMU's answer; raises DeadlineError, RefusedError or HypervisorError in our words."""
        client = self._client
        if client is None or self.machine is None:
            raise self.trouble or failures.interrupted(doing)
        try:
            async with asyncio.timeout(deadline_seconds):
                return await client.execute(command, arguments)
        except TimeoutError as error:
            raise failures.late(doing, deadline_seconds, self.process) from error
        except ExecuteError as error:
            raise failures.refusal(error, doing) from error
        except QMPError as error:
            raise failures.interrupted(doing) from error

    async def look(self, *, anew: bool = False) -> Guest | None:
        """Return the guest as it is, None where none is there; it waits for as long as QEMU does.

        With `anew` all is read; else sizes are those that QEMU's events tell.
        """
        client, machine = self._client, self.machine
        if client is None or machine is None:
            return self.held()
        try:
            if anew or self._stale or time.monotonic() > self._read_until:
                self.machine = machine = await self._read(client)
            asked_at = time.time()
            stats, blocks, size = await self._answers(client, machine)
        except (QMPError, ConnectionError):
            return self.held()
        if self._moving_until and (known_size := _actual(size)) is not None:
            self.actual_bytes = known_size
        told = rows.Told(asked_at, self.actual_bytes, stats, blocks)
        self._last = rows.row(self._uri, machine, self._number, told, self._last)
        return self._last

    async def _answers(self, client: Client, machine: Machine) -> tuple[object, object, object]:
        """Return what the guest says, what its disks did, and its size where that may be on its way."""
        commands = [command("query-blockstats")]
        if machine.device is not None:
            commands.append(command("qom-get", path=machine.balloon, property="guest-stats"))
        if moving := self._is_moving():
            commands.append(command("query-balloon"))
        blocks, *more = await client.ask_all(commands)
        size = more.pop() if moving else None
        if machine.device is not None and more[0] is None:
            self._stale = True  # the device was unplugged a moment ago
        return more[0] if more else None, blocks, size

    def held(self) -> Guest | None:
        """Return the guest as it was, if there is one, with a job that says that it cannot be asked."""
        if self._last is not None:
            return replace(self._last, job=rows.NO_ANSWER)
        if self.trouble is None:
            return None
        line = [] if self.process is None else process.words(self.process)
        told = process.option(line, "name").partition(",")[0].removeprefix("guest=")
        name = told or self._usual_name
        uuid = uuid_of(process.option(line, "uuid"), name, self._usual_name, self.path)
        return rows.unknown(self._uri, name, uuid, self._number)

    def move(self, size_bytes: int) -> None:
        """Look for the guest's live size for a while: it was told another."""
        self._moving_to, self._moving_until = size_bytes, time.monotonic() + MOVING_SECONDS

    def _is_moving(self) -> bool:
        if self.actual_bytes == self._moving_to or time.monotonic() > self._moving_until:
            self._moving_until = 0.0
        return self._moving_until > 0.0

    def asked_every(self, seconds: int) -> None:
        """Note the guest's new period."""
        if self.machine is not None and self.machine.device is not None:
            self.machine = replace(self.machine, device=replace(self.machine.device, period_seconds=seconds))


def _actual(answer: object) -> int | None:
    return known(answer.get("actual")) if isinstance(answer, dict) else None
