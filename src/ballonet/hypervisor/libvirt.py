"""libvirt behind the `Hypervisor` port: the only file that imports libvirt and that knows KiB.

One bulk call reads all guests; XML is read when a guest starts, and now and then. Sizes are live for
`guest`; in the bulk call they are libvirt's copy, which QEMU's throttled events keep at most 1 s behind.
"""

import asyncio
import functools
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from ballonet.engine.ports import Event, EventKind, HypervisorFacts
from ballonet.errors import DeadlineError, HypervisorError, NoSuchGuestError
from ballonet.facts.guest import Guest, State, Stored
from ballonet.facts.statistics import Statistic, Statistics
from ballonet.hypervisor.domain_xml import Definition, read_definition
from ballonet.hypervisor.failures import connection_failure, failure
from ballonet.hypervisor.readings import BULK_NAMES, SINGLE_NAMES, known, statistics_of
from ballonet.hypervisor.threads import Threads

# Inside this process (the embedded driver) libvirt would log to standard error what we raise and say.
os.environ.setdefault("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null")
try:
    import libvirt
except ImportError:  # an extra: it compiles against the host's libvirt
    libvirt = None

Result = TypeVar("Result")

KIB = 1024
XML_SECONDS = 60.0  # others may edit a running guest's devices or its period, rarely
BUSY_SECONDS = 0.05  # our own resize holds a domain's job for some 1 ms
JOB_DEADLINE_SECONDS = 0.5
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # between two tries to connect again
SILENT_SECONDS, SILENT_TIMES = (
    5,
    5,
)  # a connection that is silent for 30 s is dead, as in libvirt's own default

_STATES = (
    State.UNKNOWN,
    State.RUNNING,
    State.RUNNING,  # "blocked": it runs
    State.PAUSED,
    State.SHUTTING_DOWN,
    State.SHUT_OFF,
    State.CRASHED,
    State.SUSPENDED,
)

# virDomainJobOperation, as far as a job of that kind keeps its hands on the guest's memory.
_JOBS = {
    1: "start",
    2: "save",
    3: "restore",
    4: "migration in",
    5: "migration out",
    6: "snapshot",
    7: "snapshot revert",
    8: "dump",
    9: "backup",
    10: "snapshot delete",
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of a domain, and when."""

    id: int
    read_at: float
    definition: Definition


class LibvirtHypervisor:
    """Guests of one libvirt connection; made by `open`."""

    def __init__(self, uri: str, *, read_only: bool, deadline_seconds: float) -> None:
        self._uri = uri
        self._read_only = read_only
        self._deadline_seconds = deadline_seconds
        self._threads = Threads()
        self._connection: Any = None
        self._failures = 0
        self._retry_at = 0.0
        self._definitions: dict[str, _Known] = {}
        self._seen: dict[str, Guest] = {}  # running guests as last read
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, uri: str, *, read_only: bool = False, deadline_seconds: float = 5.0) -> Self:
        """Connect. Raises UsageError, NotPermittedError or HypervisorError, each with what to do."""
        if libvirt is None:
            raise HypervisorError(
                "libvirt-python is not installed", hint="pip install 'ballonet[libvirt]' (needs libvirt-dev)"
            )
        _start_event_loop()
        hypervisor = cls(uri, read_only=read_only, deadline_seconds=deadline_seconds)
        await hypervisor._connect()
        return hypervisor

    async def close(self) -> None:
        """End the connection and all `events`; guests keep running."""
        for listener in self._listeners:
            listener.put_nowait(None)
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._threads.run(connection.close, "closing the connection", self._deadline_seconds)

    # --- reading ------------------------------------------------------------------------------------

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return all running guests by name, and those shut off if `inactive`."""
        rows = await self._bulk()
        if any(row.job and not self._was_busy(row) for row in rows):
            await asyncio.sleep(BUSY_SECONDS)
            rows = await self._bulk()
        rows = [await self._with_job(row) if row.job else row for row in rows]
        self._seen = {row.uuid: row for row in rows}
        self._definitions = {uuid: item for uuid, item in self._definitions.items() if uuid in self._seen}
        if inactive:
            rows += await self._call(self._read_inactive, "listing guests that are shut off")
        return sorted(rows, key=lambda row: row.name)

    async def guest(self, reference: str) -> Guest:
        """Return one guest by name, UUID or id, its sizes live and its stored configuration with it."""
        domain = await self._lookup(reference)
        return await self._call(lambda: self._read_one(domain), f"reading {reference}")

    async def facts(self) -> HypervisorFacts:
        """Return what this connection is."""
        return await self._call(self._read_facts, "asking for versions")

    async def _bulk(self) -> list[Guest]:
        """Read all at once; a guest that hangs is passed over by the second try."""
        try:
            return await self._call(self._read_all, "reading all guests")
        except DeadlineError:
            # The first call is stuck inside the guest that hangs, and holds that guest's job: this one
            # does not wait for jobs.
            return await self._call(self._read_all, "reading all guests again")

    def _read_all(self) -> list[Guest]:
        """Read all running guests in one call (in a thread)."""
        what = (
            libvirt.VIR_DOMAIN_STATS_STATE
            | libvirt.VIR_DOMAIN_STATS_BALLOON
            | libvirt.VIR_DOMAIN_STATS_BLOCK
            | libvirt.VIR_DOMAIN_STATS_VCPU
        )
        flags = (
            libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
            | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        )
        connection = self._connection
        records = connection.getAllDomainStats(what, flags)
        # The test driver's records have no balloon group.
        single = not any("balloon.current" in record for _, record in records)
        read = self._from_single if single else self._from_record
        return _present(functools.partial(read, *pair) for pair in records)

    def _from_record(self, domain: Any, record: Mapping[str, Any]) -> Guest:
        """Build a row from a record of the bulk call."""
        definition = self._definition(domain)
        uuid = domain.UUIDString()
        answered = "balloon.rss" in record or "balloon.last-update" in record
        maximum = _bytes(record.get("balloon.maximum")) or definition.maximum_bytes
        fields = {name.removeprefix("balloon."): value for name, value in record.items()}
        before = self._seen.get(uuid)
        sample = _translate(BULK_NAMES, fields, maximum)
        if not answered and before is not None:
            sample = before.statistics
        return replace(
            self._frame(domain, record.get("state.state", 0), definition),
            job=None if answered else "busy",
            maximum_bytes=maximum,
            actual_bytes=_bytes(record.get("balloon.current")),
            statistics=sample,
            **_devices(record),
        )

    def _from_single(self, domain: Any, record: Mapping[str, Any]) -> Guest:
        """Build a row by asking one domain: for drivers whose bulk call has no balloon group."""
        definition = self._definition(domain)
        return self._with_stats(self._frame(domain, record.get("state.state", 0), definition), domain)

    def _with_stats(self, guest: Guest, domain: Any) -> Guest:
        """Add what one domain says when asked: its sizes are live."""
        fields = domain.memoryStats()
        maximum = _bytes(domain.maxMemory()) or guest.maximum_bytes
        actual = _bytes(fields.get("actual"))
        sample = _translate(SINGLE_NAMES, fields, maximum)
        return replace(
            guest, maximum_bytes=maximum, actual_bytes=actual or guest.actual_bytes, statistics=sample
        )

    def _read_one(self, domain: Any) -> Guest:
        """Read one guest, running or not (in a thread)."""
        self._definitions.pop(domain.UUIDString(), None)
        state, _ = domain.state()
        definition = self._definition(domain)
        guest = self._frame(domain, state, definition)
        if domain.isActive():
            guest = self._with_stats(guest, domain)
            vcpus = domain.info()[3]
            guest = replace(guest, vcpus=vcpus)
        return replace(guest, stored=_stored(domain))

    def _read_inactive(self) -> list[Guest]:
        """Read the guests that are shut off (in a thread)."""
        domains = self._connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE)
        return _present(functools.partial(self._off, domain) for domain in domains)

    def _off(self, domain: Any) -> Guest:
        return self._frame(domain, libvirt.VIR_DOMAIN_SHUTOFF, read_definition(domain.XMLDesc()))

    def _frame(self, domain: Any, state: int, definition: Definition) -> Guest:
        """Return the part of a row that its definition fills."""
        return Guest(
            name=domain.name(),
            uuid=domain.UUIDString(),
            id=domain.ID() if domain.ID() >= 0 else None,
            state=_STATES[state] if state < len(_STATES) else State.UNKNOWN,
            read_at=time.time(),
            maximum_bytes=definition.maximum_bytes,
            actual_bytes=definition.current_bytes,
            device=definition.device,
            obstacles=definition.obstacles,
        )

    def _definition(self, domain: Any) -> Definition:
        """Return what a domain's XML says, read anew when it was started anew or is a minute old."""
        uuid, now = domain.UUIDString(), time.monotonic()
        item = self._definitions.get(uuid)
        if item is None or item.id != domain.ID() or now - item.read_at > XML_SECONDS:
            item = _Known(domain.ID(), now, read_definition(domain.XMLDesc()))
            self._definitions[uuid] = item
        return item.definition

    def _was_busy(self, row: Guest) -> bool:
        before = self._seen.get(row.uuid)
        return before is not None and before.job is not None

    async def _with_job(self, row: Guest) -> Guest:
        """Find the word for what holds a guest; "busy" where it does not say."""

        def ask() -> str:
            statistics = self._connection.lookupByUUIDString(row.uuid).jobStats()
            return _JOBS.get(statistics.get("operation", 0), "busy")

        try:
            return replace(row, job=await self._call(ask, f"the job of {row.name}", JOB_DEADLINE_SECONDS))
        except HypervisorError:
            return row

    def _read_facts(self) -> HypervisorFacts:
        kind = self._connection.getType()
        version = getattr(self._connection, "getVersion", int)()
        return HypervisorFacts(
            uri=self._uri,
            hypervisor=f"{kind} {_dotted(version)}",
            library=f"libvirt {_dotted(self._connection.getLibVersion())}",
            read_only=self._read_only,
            local=not urlsplit(self._uri).netloc,
        )

    # --- changing -----------------------------------------------------------------------------------

    async def resize(self, uuid: str, size_bytes: int, *, live: bool = True, config: bool = False) -> None:
        """Ask a guest to get to a size now, and/or store it for its next start."""
        # The flags are always explicit: without them libvirt would write the configuration too, or need
        # rights for it.
        flags = _affect(live=live, config=config)
        await self._change(uuid, "resizing", lambda domain: domain.setMemoryFlags(size_bytes // KIB, flags))

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Store the boot-time maximum; a stored size above it comes down with it."""
        flags = libvirt.VIR_DOMAIN_MEM_MAXIMUM | libvirt.VIR_DOMAIN_AFFECT_CONFIG
        await self._change(
            uuid, "setting the maximum of", lambda domain: domain.setMemoryFlags(size_bytes // KIB, flags)
        )

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Set how often a guest is asked for its statistics."""
        flags = _affect(live=live, config=config)
        self._definitions.pop(uuid, None)
        await self._change(
            uuid, "setting the period of", lambda domain: domain.setMemoryStatsPeriod(seconds, flags)
        )

    async def start(self, xml: str) -> str:
        """Start a guest that is stored nowhere; return its UUID. For trying things, not part of the port."""
        domain = await self._call(lambda: self._connection.createXML(xml), "starting a guest", 30.0)
        uuid: str = domain.UUIDString()
        return uuid

    async def destroy(self, uuid: str) -> None:
        """End a guest as if its power was cut."""
        await self._change(uuid, "ending", lambda domain: domain.destroy())

    async def _change(self, uuid: str, doing: str, change: Callable[[Any], object]) -> None:
        guest = self._seen.get(uuid)
        what = f"{doing} {guest.name if guest else uuid}"
        await self._call(lambda: change(self._connection.lookupByUUIDString(uuid)), what)

    async def _lookup(self, reference: str) -> Any:
        """Return a domain by name, UUID or id."""
        found = await self._call(lambda: self._find(reference), f"looking for {reference!r}")
        if found is not None:
            return found
        domains = await self._call(self._connection.listAllDomains, "listing guests")
        near = get_close_matches(reference, [domain.name() for domain in domains], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "see who is there: ballonet guests --all"
        raise NoSuchGuestError(f"no guest {reference!r}", hint=hint)

    def _find(self, reference: str) -> Any:
        lookups: list[Callable[[], Any]] = [
            lambda: self._connection.lookupByName(reference),
            lambda: self._connection.lookupByUUIDString(reference),
        ]
        if reference.isdigit():
            lookups.insert(0, lambda: self._connection.lookupByID(int(reference)))
        for lookup in lookups:
            try:
                return lookup()
            except libvirt.libvirtError as error:
                if error.get_error_code() not in _NOT_FOUND:
                    raise
        return None

    # --- the connection -----------------------------------------------------------------------------

    async def _call(self, call: Callable[[], Result], what: str, deadline: float | None = None) -> Result:
        """Run a libvirt call in a thread, connected; its errors in our words."""
        await self._reconnect()
        try:
            return await self._threads.run(call, what, deadline or self._deadline_seconds)
        except libvirt.libvirtError as error:
            if self._is_dead():
                await self._lose()
                raise HypervisorError(
                    f"the connection to {self._uri} broke", hint="is its daemon running?"
                ) from error
            raise failure(error.get_error_code(), error.get_error_message() or str(error), what) from error

    def _is_dead(self) -> bool:
        """Return whether the connection broke: asked of libvirt's own state, no message is sent."""
        return self._connection is None or not self._connection.isAlive()

    async def _lose(self) -> None:
        """Let go of a broken connection, and say so to who listens."""
        if self._connection is not None:
            self._connection = None
            self._tell(Event(EventKind.LOST))

    async def _reconnect(self) -> None:
        """Connect again where the connection broke: at once, then at growing intervals."""
        if self._connection is not None:
            return
        left = self._retry_at - time.monotonic()
        if left > 0:
            raise HypervisorError(f"not connected to {self._uri}", hint=f"trying again in {left:.0f} s")
        await self._connect()
        self._tell(Event(EventKind.RECONNECTED))

    async def _connect(self) -> None:
        opener = libvirt.openReadOnly if self._read_only else libvirt.open
        what = f"connecting to {self._uri}"
        try:
            # ssh may ask the network; a local daemon may have to be started by its socket.
            connection = await self._threads.run(lambda: opener(self._uri), what, 30.0)
        except libvirt.libvirtError as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
            self._failures += 1
            text = error.get_error_message() or str(error)
            raise connection_failure(error.get_error_code(), text, self._uri) from error
        self._failures = 0
        self._connection = connection
        self._definitions.clear()
        await self._threads.run(lambda: self._register(connection), what, self._deadline_seconds)

    # --- events -------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[Event]:
        """Yield what happens from now on."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._listeners.discard(queue)

    def _register(self, connection: Any) -> None:
        """Ask for events, and for a sign of life from a connection over a network."""
        for number, callback in (
            (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._on_lifecycle),
            (libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, self._on_reboot),
            (libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, self._on_balloon),
        ):
            connection.domainEventRegisterAny(None, number, callback, None)
        try:
            connection.setKeepAlive(SILENT_SECONDS, SILENT_TIMES)
        except libvirt.libvirtError:
            return  # a driver inside this process has no connection to keep alive

    def _on_lifecycle(self, _connection: Any, domain: Any, event: int, _detail: int, _opaque: Any) -> None:
        kinds = {
            libvirt.VIR_DOMAIN_EVENT_STARTED: EventKind.STARTED,
            libvirt.VIR_DOMAIN_EVENT_STOPPED: EventKind.STOPPED,
            libvirt.VIR_DOMAIN_EVENT_CRASHED: EventKind.STOPPED,
            libvirt.VIR_DOMAIN_EVENT_SUSPENDED: EventKind.PAUSED,
            libvirt.VIR_DOMAIN_EVENT_RESUMED: EventKind.RESUMED,
        }
        self._post(domain, kinds.get(event, EventKind.CHANGED))

    def _on_reboot(self, _connection: Any, domain: Any, _opaque: Any) -> None:
        self._post(domain, EventKind.REBOOTED)

    def _on_balloon(self, _connection: Any, domain: Any, actual_kib: int, _opaque: Any) -> None:
        self._post(domain, EventKind.BALLOON, actual_kib * KIB)

    def _post(self, domain: Any, kind: EventKind, actual_bytes: int | None = None) -> None:
        """Hand an event over from libvirt's thread."""
        event = Event(kind, domain.UUIDString(), domain.name(), actual_bytes)
        try:
            self._loop.call_soon_threadsafe(self._tell, event)
        except RuntimeError:
            return  # the program ends: its loop is closed

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener.put_nowait(event)


_NOT_FOUND = frozenset({42, 8, 1})  # no such domain; what is no UUID is an invalid argument or internal error


@functools.cache
def _start_event_loop() -> None:
    """Run libvirt's event loop in a thread, once a process and before the first connection."""
    libvirt.registerErrorHandler(lambda _opaque, _error: None, None)  # it would print what we raise
    libvirt.virEventRegisterDefaultImpl()

    def turn() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=turn, daemon=True, name="libvirt events").start()


def _translate(
    names: Mapping[str, Statistic], fields: Mapping[str, Any], maximum_bytes: int | None
) -> Statistics:
    """Return the sample in our names and units."""
    values = {
        names[name].key: value * KIB if names[name].unit == "bytes" else value
        for name, value in fields.items()
        if name in names and known(value) is not None
    }
    return statistics_of(values, maximum_bytes)


def _bytes(kib: int | None) -> int | None:
    """Return libvirt's KiB in bytes."""
    value = known(kib)
    return None if value is None else value * KIB


def _devices(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return disk reads and processor time of a record, summed over disks and processors."""

    def total(group: str, field: str) -> int | None:
        values = [
            value
            for name, value in record.items()
            if name.startswith(f"{group}.") and name.endswith(f".{field}")
        ]
        return sum(values) if values else None

    read_ns, vcpu_ns = total("block", "rd.times"), total("vcpu", "time")
    return {
        "disk_reads_total": total("block", "rd.reqs"),
        "disk_read_seconds_total": None if read_ns is None else read_ns / 1e9,
        "vcpus": record.get("vcpu.current"),
        "vcpu_seconds_total": None if vcpu_ns is None else vcpu_ns / 1e9,
    }


def _stored(domain: Any) -> Stored | None:
    """Return a domain's stored configuration; a transient one has none."""
    if not domain.isPersistent():
        return None
    definition = read_definition(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    period = definition.device.period_seconds if definition.device else 0
    return Stored(definition.maximum_bytes, definition.current_bytes, period)


def _present(reads: Iterable[Callable[[], Guest]]) -> list[Guest]:
    """Return what was read, without the guests that vanished between two calls."""
    rows = []
    for read in reads:
        try:
            rows.append(read())
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
    return rows


def _affect(*, live: bool, config: bool) -> int:
    return (libvirt.VIR_DOMAIN_AFFECT_LIVE if live else 0) | (
        libvirt.VIR_DOMAIN_AFFECT_CONFIG if config else 0
    )


def _dotted(version: int) -> str:
    """Return 9000000 as "9.0.0"."""
    return f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"
