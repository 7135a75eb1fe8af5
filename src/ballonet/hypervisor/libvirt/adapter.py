"""libvirt as a `Hypervisor`: one bulk call reads all guests, calls for one guest do the rest.

Sizes are live for `guest`; in the bulk call they are libvirt's own copy, which QEMU's throttled events
keep at most 1 s behind, but for guests that were just resized.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

from ballonet.engine.ports import Event, HypervisorFacts, Wanted, check_size, nobody
from ballonet.errors import BallonetError, DeadlineError, HypervisorError, NoSuchGuestError
from ballonet.facts.agent import Heard
from ballonet.facts.guest import Guest
from ballonet.facts.uri import host_of
from ballonet.hypervisor.agents import Agents, hear
from ballonet.hypervisor.libvirt import rows
from ballonet.hypervisor.libvirt.agent_line import AT_ONCE, NEW_AT_ONCE, AgentLine
from ballonet.hypervisor.libvirt.connection import KIB, Connection, libvirt
from ballonet.hypervisor.libvirt.definition import read_definition
from ballonet.hypervisor.libvirt.moves import Moves

BUSY_SECONDS = 0.05  # our own resize holds a domain's job for some 1 ms
JOB_SECONDS = 0.5  # to ask what holds a domain: it is a word, not worth waiting for
JOBS_SECONDS = 1.0  # to ask of all: a hundred that hang at once must not keep a tick for a minute
START_SECONDS = 30.0

_WHO = "see who is there: ballonet guests --all"


class LibvirtHypervisor:
    """Guests of one libvirt connection; made by `open`, or by `at` where it may come later."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._definitions = rows.Definitions()
        self._opened = connection.opened
        self._seen: dict[str, Guest] = {}  # running guests as last read
        self._line = AgentLine(connection.uri, read_only=connection.read_only)
        self._agents = Agents(self._line.to, at_once=AT_ONCE, new_at_once=NEW_AT_ONCE)
        self._listens_to: Wanted = nobody
        self._moves = Moves()

    @classmethod
    async def open(cls, uri: str, *, read_only: bool = False, deadline_seconds: float = 5.0) -> Self:
        """Connect. Raises UsageError, NotPermittedError or HypervisorError, each with what to do."""
        hypervisor = cls.at(uri, read_only=read_only, deadline_seconds=deadline_seconds)
        await hypervisor.connect()
        return hypervisor

    @classmethod
    def at(cls, uri: str, *, read_only: bool = False, deadline_seconds: float = 5.0) -> Self:
        """Return one that is not connected yet: its first call connects, or fails as `connect` does."""
        return cls(Connection(uri, read_only=read_only, deadline_seconds=deadline_seconds))

    @property
    def timeouts(self) -> Mapping[str, int]:
        """Return how many calls got no answer in time, by what they were to do."""
        return self._connection.timeouts

    async def connect(self) -> None:
        """Connect. Raises UsageError, NotPermittedError or HypervisorError, each with what to do."""
        await self._connection.open()
        if urlsplit(self._connection.uri).path == "/embed":
            # The embedded driver comes back to running guests beside this, and each is busy until it has.
            with suppress(DeadlineError):
                await self._connection.call(_wait_for_all, "coming back to the guests")

    async def close(self) -> None:
        """End the connection; guests keep running."""
        await self._agents.close()
        with suppress(BallonetError):  # one that hangs keeps nobody
            await self._line.close()
        await self._connection.close()

    def events(self) -> AsyncIterator[Event]:
        """Yield what happens from now on, until the connection is closed by us."""
        return self._connection.events()

    async def facts(self) -> HypervisorFacts:
        """Return what this connection is."""
        uri = self._connection.uri
        return HypervisorFacts(uri, read_only=self._connection.read_only, local=not host_of(uri))

    # --- reading ------------------------------------------------------------------------------------

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return all running guests by name, and those shut off if `inactive`."""
        found = await self._bulk()
        if any(guest.job and self._last_job(guest) is None for guest in found):
            await asyncio.sleep(BUSY_SECONDS)
            found = await self._bulk()
        until = time.monotonic() + JOBS_SECONDS
        told = [await self._with_job(guest, until) if guest.job else guest for guest in found]
        found = [guest for guest in told if guest is not None]
        self._seen = {guest.uuid: guest for guest in found}
        self._definitions.keep(self._seen)
        self._moves.keep(self._seen)
        found = self._agents.hear(found, self._listens_to)
        if inactive:
            found += await self._connection.call(_read_inactive, "listing guests that are shut off")
        return sorted(found, key=lambda guest: guest.name)

    async def guest(self, reference: str) -> Guest:
        """Return one guest by name, UUID or id, its sizes live and its stored configuration with it."""

        def read(raw: Any) -> Guest | list[str]:
            try:
                return look(raw)
            except libvirt.libvirtError as error:
                if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
                    raise
            return look(raw)  # it ended between two calls: a new look-up finds it shut off

        def look(raw: Any) -> Guest | list[str]:
            domain = _find(raw, reference)
            if domain is None:
                return [domain.name() for domain in raw.listAllDomains()]
            guest = rows.from_domain(domain, read_definition(domain.XMLDesc()))
            return replace(guest, stored=rows.stored(domain))

        seen = self._seen.get(reference)
        found = await self._connection.call(read, f"reading {seen.name if seen else reference}")
        if isinstance(found, Guest):
            if found.id is not None:
                self._seen.setdefault(found.uuid, found)
            return found
        if seen:
            raise NoSuchGuestError(f"guest {seen.name!r} is gone", hint=_WHO)
        near = get_close_matches(reference, found, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else _WHO
        raise NoSuchGuestError(f"no guest {reference!r}", hint=hint)

    def listen(self, to: Wanted) -> None:
        """From now on ask the agents of these guests beside all looks, which show what they told last."""
        self._listens_to = to

    async def hear(self, uuid: str) -> Heard:
        """Return what the agent in a guest tells now."""
        heard, _ = await hear(self._line.to(uuid))
        return heard

    async def _bulk(self) -> list[Guest]:
        """Read all at once; a guest that hangs is passed over by the second try."""
        try:
            return await self._connection.call(self._read_all, "reading all guests")
        except DeadlineError:
            # The first call is stuck inside the guest that hangs, and holds that guest's job: this one
            # does not wait for jobs.
            return await self._connection.call(self._read_all, "reading all guests again")

    def _read_all(self, raw: Any) -> list[Guest]:
        """Read all running guests in one call (in a thread)."""
        if self._opened != self._connection.opened:
            self._definitions, self._opened = rows.Definitions(), self._connection.opened
        what = (
            libvirt.VIR_DOMAIN_STATS_STATE
            | libvirt.VIR_DOMAIN_STATS_BALLOON
            | libvirt.VIR_DOMAIN_STATS_BLOCK
            | libvirt.VIR_DOMAIN_STATS_VCPU
        )
        asked_at = time.time()
        active = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
        records = raw.getAllDomainStats(what, active | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT)
        # The test driver's records have no balloon group.
        bulky = any("balloon.current" in record for _, record in records)
        return rows.present(
            partial(self._read_row, domain, record if bulky else None, asked_at) for domain, record in records
        )

    def _read_row(self, domain: Any, record: dict[str, Any] | None, asked_at: float) -> Guest:
        definition = self._definitions.of(domain)
        if record is None:
            return rows.from_domain(domain, definition)
        before = self._seen.get(domain.UUIDString())
        guest = rows.from_record(domain, record, definition, before, asked_at)
        return self._moves.follow(guest, before, domain)

    def _last_job(self, guest: Guest) -> str | None:
        before = self._seen.get(guest.uuid)
        return before.job if before else None

    async def _with_job(self, guest: Guest, until: float) -> Guest | None:
        """Find the word for what holds a guest, once and if it can be had by then: a hung one never says.

        None: it has ended, which is a job while it lasts.
        """
        last = self._last_job(guest)
        if last is not None:
            return replace(guest, job=last)
        if time.monotonic() > until:
            return guest
        what = f"reading the job of {guest.name}"
        try:
            word = await self._connection.call(
                lambda raw: rows.job(raw.lookupByUUIDString(guest.uuid)), what, JOB_SECONDS
            )
        except NoSuchGuestError:
            return None
        except HypervisorError:
            return guest
        return replace(guest, job=word)

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
        """Ask a guest to get to a size now, and/or store it for its next start."""
        flags = _affect(live=live, config=config)
        if live:
            self._moves.begin(uuid, size_bytes)

        def change(domain: Any) -> None:
            if from_bytes is not None:
                check_size(domain.name(), rows.live_size(domain), from_bytes)
            domain.setMemoryFlags(size_bytes // KIB, flags)

        await self._change(uuid, "resizing", change)

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Store the boot-time maximum; a stored size above it comes down with it."""
        flags = libvirt.VIR_DOMAIN_MEM_MAXIMUM | libvirt.VIR_DOMAIN_AFFECT_CONFIG
        await self._change(
            uuid, "setting the maximum of", lambda domain: domain.setMemoryFlags(size_bytes // KIB, flags)
        )

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Set how often a guest is asked for its statistics."""
        flags = _affect(live=live, config=config)
        await self._change(
            uuid, "setting the period of", lambda domain: domain.setMemoryStatsPeriod(seconds, flags)
        )
        self._definitions.forget(uuid)

    async def refresh(self, uuid: str) -> None:
        """Ask a guest for its statistics now: QEMU asks at once when the period is switched on."""

        def ask(domain: Any) -> None:
            definition = self._definitions.of(domain)
            if definition.device and definition.device.period_seconds:
                domain.setMemoryStatsPeriod(0, libvirt.VIR_DOMAIN_AFFECT_LIVE)
                domain.setMemoryStatsPeriod(definition.device.period_seconds, libvirt.VIR_DOMAIN_AFFECT_LIVE)

        await self._change(uuid, "asking for the statistics of", ask)

    async def start(self, xml: str) -> str:
        """Start a guest that is stored nowhere; return its UUID. For trying things, not part of the port."""

        def create(raw: Any) -> str:
            uuid: str = raw.createXML(xml).UUIDString()
            return uuid

        return await self._connection.call(create, "starting a guest", START_SECONDS)

    async def destroy(self, uuid: str) -> None:
        """End a guest as if its power was cut. For trying things, not part of the port."""
        await self._change(uuid, "ending", lambda domain: domain.destroy(), START_SECONDS)

    async def _change(
        self, uuid: str, doing: str, change: Callable[[Any], object], deadline: float | None = None
    ) -> None:
        guest = self._seen.get(uuid)
        what = f"{doing} {guest.name if guest else uuid}"
        await self._connection.call(lambda raw: change(raw.lookupByUUIDString(uuid)), what, deadline)


# No such domain; what is no UUID is an invalid argument, or an internal error, by version.
_NOT_FOUND = frozenset({42, 8, 1})


def _find(raw: Any, reference: str) -> Any:
    """Return a domain by id, name or UUID (in a thread); None where there is none."""
    lookups = [partial(raw.lookupByName, reference), partial(raw.lookupByUUIDString, reference)]
    if reference.isdigit():
        lookups.insert(0, partial(raw.lookupByID, int(reference)))
    for lookup in lookups:
        try:
            return lookup()
        except libvirt.libvirtError as error:
            if error.get_error_code() not in _NOT_FOUND:
                raise
    return None


def _wait_for_all(raw: Any) -> None:
    """Wait until no guest is busy (in a thread): so does a call that is not told not to."""
    raw.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_BALLOON, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE)


def _read_inactive(raw: Any) -> list[Guest]:
    """Read the guests that are shut off (in a thread)."""
    domains = raw.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE)
    return rows.present(
        partial(lambda domain: rows.from_domain(domain, read_definition(domain.XMLDesc())), domain)
        for domain in domains
    )


def _affect(*, live: bool, config: bool) -> int:
    """Return explicit flags: without them libvirt would write the configuration too, or ask for rights to."""
    return (libvirt.VIR_DOMAIN_AFFECT_LIVE if live else 0) | (
        libvirt.VIR_DOMAIN_AFFECT_CONFIG if config else 0
    )
