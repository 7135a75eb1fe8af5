"""What the API asks of the service: questions answered by models, and what people want done."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from ballonet import __version__
from ballonet.engine.by_hand import Asker
from ballonet.engine.counts import Counts
from ballonet.engine.engine import Engine
from ballonet.errors import NoSuchGuestError, NotRunningError
from ballonet.facts.happening import Kind
from ballonet.facts.request import ALL
from ballonet.service import answers, models, past, report
from ballonet.service.connection import Connection
from ballonet.service.events import Question
from ballonet.service.history import History, Subject
from ballonet.service.overview import guest_rows
from ballonet.service.recent import EventLog
from ballonet.service.span import HistoryAsked, ReportAsked, SparklinesAsked

LAST_CHANGES = 10
CHANGES = frozenset({Kind.PLANNED, Kind.BURST, Kind.LENT, Kind.RELEASED, Kind.ASKED})
FOLLOW_SECONDS = 0.5  # between two looks for new events: as late as a line may be
LATE_TICKS = 3.0  # a service whose last tick is older than this, and five seconds, is not ready


class Service:
    """Answers questions, and has done what people want, over one or more engines with the same requests."""

    def __init__(
        self,
        connections: Sequence[Connection],
        log: EventLog,
        history: History | None = None,
        counts: Counts | None = None,
    ) -> None:
        """Take what is asked; the counts are those of what was done for it."""
        self.history = history or History()
        self.counts = counts or Counts()
        self.compat_metrics = False  # whether metrics come by other exporters' names, too
        self._connections = list(connections)
        first = self._connections[0].engine
        if any(each.engine.requests is not first.requests for each in self._connections):
            raise ValueError("engines of one service share their requests")
        self._clock, self._requests = first.clock, first.requests
        self._log = log
        self._started_at = answers.moment(self._clock.time())
        self._reload = models.SettingsReload(
            at=self._started_at, succeeded=True, error=None, in_force_since=self._started_at
        )
        self._token: models.Token | None = None
        self._closing = False
        self._news = asyncio.Event()  # replaced at each tick: who waits for it is woken once

    def ticked(self) -> None:
        """Let those who watch know that there is another decision."""
        self._news.set()
        self._news = asyncio.Event()

    def reloaded(self, error: str | None = None) -> None:
        """Remember that settings were read again; with an error, that those before are still in force."""
        at = answers.moment(self._clock.time())
        self._reload = models.SettingsReload(
            at=at,
            succeeded=error is None,
            error=error,
            in_force_since=at if error is None else self._reload.in_force_since,
        )

    def opened(self, token: models.Token) -> None:
        """Remember where this is served on TCP."""
        self._token = token

    def close(self) -> None:
        """End what follows events or watches, so that nobody waits for it."""
        self._closing = True
        self._news.set()

    @property
    def engines(self) -> Sequence[Engine]:
        """Return the engines."""
        return [each.engine for each in self._connections]

    @property
    def timeouts(self) -> Mapping[str, int]:
        """Return how many calls to hypervisors got no answer in time, by what they were to do."""
        found = Counter[str]()
        for each in self._connections:
            found.update(each.timeouts)
        return found

    # --- questions ----------------------------------------------------------------------------------

    def readiness(self) -> models.Readiness:
        """Return whether the guests of all hypervisors were looked at a moment ago."""
        for each in self._connections:
            engine = each.engine
            if engine.plan is None:
                return models.Readiness(ready=False, reason=f"no guest of {each.uri} was looked at yet")
            age = engine.clock.monotonic() - engine.plan.snapshot.taken_at
            if age > LATE_TICKS * engine.settings.interval_seconds + 5.0:
                return models.Readiness(
                    ready=False, reason=f"the guests of {each.uri} were last looked at {age:.0f} s ago"
                )
        return models.Readiness(ready=True, reason=None)

    def status(self) -> models.Status:
        """Return what is being done."""
        engines = self.engines
        paused = self._requests.paused
        return models.Status(
            version=__version__,
            started_at=self._started_at,
            mode="enforce" if all(engine.enforces for engine in engines) else "observe",
            paused=None if paused is None else answers.hold(paused),
            host=answers.host_memory(engines),
            hypervisors=[
                answers.hypervisor_status(each.uri, each.engine, each.unanswered)
                for each in self._connections
            ],
            holds=self.holds().holds,
            leases=[answers.lease(lease) for lease in self._requests.leases],
            leased_bytes=self._requests.leased_bytes,
            settings=self._reload,
        )

    def token(self) -> models.Token:
        """Return what lets clients over TCP change things; `NotRunningError` where nobody is served so."""
        if self._token is None:
            raise NotRunningError(
                "this service is reached on its socket only", hint="start it with --web 127.0.0.1:9779"
            )
        return self._token

    def plan(self) -> models.Plan:
        """Return the last decisions."""
        return models.Plan(
            hypervisors=[
                answers.hypervisor_plan(each.uri, each.engine, each.plan, each.uri_of)
                for each in self._connections
            ]
        )

    def overview(self) -> models.Overview:
        """Return the whole at the last tick; raises `BallonetError` before there is one."""
        rows = [row for each in self._connections for row in guest_rows(each.engine, each.plan, each.uri_of)]
        status = self.status()
        return models.Overview(
            at=answers.last_tick(self._connections[0].engine, self._connections[0].plan).at,
            tick=sum(each.engine.summary.ticks for each in self._connections),
            status=status,
            guests=rows,
        )

    async def watch(self) -> AsyncIterator[models.Overview]:
        """Yield the whole now, and after each tick, until the service closes."""
        while not self._closing:
            news = self._news
            yield self.overview()
            await news.wait()

    async def why(self, reference: str) -> models.Why:
        """Return why a guest has the size that it has; raises `NoSuchGuestError`."""
        connection, row = await self._find(reference)
        uuid = connection.plan.snapshot.uuids[row]
        changes = self._log.events(Question(uuid=uuid, kinds=CHANGES, limit=LAST_CHANGES))
        held = next((hold for hold in self._requests.holds if hold.uuid == uuid), None)
        return answers.why(connection.uri_of(uuid), connection.engine, connection.plan, row, changes, held)

    def holds(self) -> models.Holds:
        """Return who is held, everybody included."""
        return models.Holds(holds=[answers.hold(hold) for hold in self._requests.holds])

    def room(self) -> models.Room:
        """Return what is kept free for guests to come."""
        return models.Room(
            leases=[answers.lease(lease) for lease in self._requests.leases],
            leased_bytes=self._requests.leased_bytes,
            most_bytes=max(each.by_hand.most_room_bytes() for each in self._connections),
        )

    # --- events -------------------------------------------------------------------------------------

    async def events(self, question: Question, guest: str | None) -> models.Events:
        """Return the events that are asked for; raises `NoSuchGuestError` for a guest never heard of."""
        found = self._log.events(replace(question, uuid=await self._uuid(guest)))
        return models.Events(events=[answers.event(record) for record in found])

    async def follow(self, question: Question, guest: str | None) -> AsyncIterator[models.Event]:
        """Yield the same, and then each event as it comes, until the service closes."""
        return self._follow(replace(question, uuid=await self._uuid(guest)))

    async def _follow(self, question: Question) -> AsyncIterator[models.Event]:
        seen = self._newest()
        found = self._log.events(question)
        while not self._closing:
            for record in found:
                seen = max(seen, record.id)
                yield answers.event(record)
            await asyncio.sleep(FOLLOW_SECONDS)
            found = self._log.events(replace(question, after_id=seen))

    async def stream(self, after_id: int | None) -> AsyncIterator[tuple[list[models.Event], models.Overview]]:
        """Yield what happened after an event, and the whole: now, after each tick, and when more happens.

        It ends when the service closes. Both are read when they are asked for: who is slow misses wholes, but
        no events.
        """
        newest = self._newest()
        # An id that is not given yet is from before a restart that forgot its events.
        seen = newest if after_id is None else after_id if after_id <= newest else 0
        while not self._closing:
            news = self._news
            records = self._log.events(Question(after_id=seen))
            seen = records[-1].id if records else seen
            yield [answers.event(record) for record in records], self.overview()
            while not news.is_set() and self._newest() == seen:
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), FOLLOW_SECONDS)

    def _newest(self) -> int:
        """Return the id of the last event; 0: there is none."""
        return max((record.id for record in self._log.events(Question(limit=1))), default=0)

    async def _uuid(self, reference: str | None) -> str | None:
        """Return a guest's UUID, also of one that is gone and left events."""
        if reference is None:
            return None
        try:
            connection, row = await self._find(reference)
        except NoSuchGuestError:
            by_name, by_uuid = Question(name=reference, limit=1), Question(uuid=reference, limit=1)
            left = self._log.events(by_name) or self._log.events(by_uuid)
            if not left:
                raise
            return left[-1].uuid
        return connection.plan.snapshot.uuids[row]

    # --- history ------------------------------------------------------------------------------------

    async def guest_history(self, reference: str, asked: HistoryAsked) -> models.GuestHistory:
        """Return what a guest, also one that is gone, had and did; raises `NoSuchGuestError`."""
        try:
            connection, row = await self._find(reference)
        except NoSuchGuestError:
            guest = self.history.find(reference)
            if guest is None:
                raise
        else:
            table = connection.plan.snapshot
            guest = Subject(table.uuids[row], table.names[row])
        return past.guest_history(guest, await self.history.guest(guest.uuid, asked.span(self._clock.time())))

    async def host_history(self, asked: HistoryAsked) -> models.HostHistory:
        """Return what the host had."""
        return past.host_history(await self.history.host(asked.span(self._clock.time())))

    async def sparklines(self, asked: SparklinesAsked) -> models.Sparklines:
        """Return the sizes of all guests."""
        return await past.sparklines(self.history, asked.span(self._clock.time()))

    async def report(self, asked: ReportAsked) -> models.Report:
        """Return what it came to."""
        span = asked.span(self._clock.time())
        host, names, reckoning = await self.history.host(span), self.history.names(), report.Reckoning()
        async for table in self.history.guests(span, host.step_seconds):
            reckoning.add(table)
        plans = [(each.plan, each.uri_of) for each in self._connections]
        return models.Report(
            asked_since=answers.moment(span.since),
            since=answers.moment(min(span.until, max(span.since, self.history.begun_at))),
            until=answers.moment(span.until),
            observed_seconds=float(np.nansum(host.column("seconds"))),
            writes=all(each.engine.writes for each in self._connections),
            **report.of_guests(reckoning.guests(names), plans),
        )

    # --- what people want done ----------------------------------------------------------------------

    async def pause(self, asked: models.PauseAsked, who: str) -> models.Hold:
        """Leave a guest, or everybody, as it is."""
        asker = Asker(who, asked.why)
        if asked.guest is None:
            return answers.hold(self._connections[0].by_hand.pause(ALL, asked.for_seconds, asker))
        connection, uuid = await self._known(asked.guest)
        return answers.hold(connection.by_hand.pause(uuid, asked.for_seconds, asker))

    async def resume(self, asked: models.ResumeAsked, who: str) -> models.Holds:
        """End what a guest, also one that is gone, or everybody is held for; return what ended."""
        kept = {word for hold in self._requests.holds for word in (hold.uuid, hold.name, hold.id)}
        connection, reference = self._connections[0], ALL
        if asked.guest is not None:
            reference = asked.guest
            if reference not in kept:
                connection, reference = await self._known(reference)
        ended = connection.by_hand.resume(reference, Asker(who))
        return models.Holds(holds=[answers.hold(hold) for hold in ended])

    async def release(self, asked: models.ReleaseAsked, who: str) -> models.Holds:
        """Give a guest, or all of them, all memory back that is free, and hold it so."""
        asker = Asker(who, asked.why)
        if asked.guest is not None:
            connection, uuid = await self._known(asked.guest)
            held = await connection.by_hand.release(uuid, asker)
        else:
            held = [hold for each in self._connections for hold in await each.by_hand.release(ALL, asker)]
        return models.Holds(holds=[answers.hold(hold) for hold in held])

    async def set(self, asked: models.SetAsked, who: str) -> models.Hold:
        """Have a guest resized, and held so; raises `RefusedError` with the promise that forbids it."""
        connection, uuid = await self._known(asked.guest)
        asker = Asker(who, asked.why)
        return answers.hold(await connection.by_hand.set(uuid, asked.size_bytes, asked.for_seconds, asker))

    async def make_room(self, asked: models.RoomAsked, who: str) -> models.Lease:
        """Free host memory and keep it free; raises `RefusedError` and `NotReachedError`."""
        roomiest = max(self._connections, key=lambda each: each.by_hand.most_room_bytes())
        lease = await roomiest.by_hand.make_room(
            asked.size_bytes,
            timeout_seconds=asked.timeout_seconds,
            hold_seconds=asked.hold_seconds,
            guest=asked.guest or "",
            asker=Asker(who),
        )
        return answers.lease(lease)

    def drop_room(self, lease_id: str) -> models.Lease:
        """End a lease; raises `NoSuchLeaseError`."""
        return answers.lease(self._connections[0].by_hand.drop(lease_id))

    # --- finding guests -----------------------------------------------------------------------------

    async def _known(self, reference: str) -> tuple[Connection, str]:
        connection, row = await self._find(reference)
        return connection, connection.plan.snapshot.uuids[row]

    async def _find(self, reference: str) -> tuple[Connection, int]:
        """Return where a guest is, by name, UUID or id; raises `NoSuchGuestError`."""
        for each in self._connections:
            row = each.row(reference)
            if row is not None:
                return each, row
        if reference.isdecimal():  # only the hypervisor knows ids: they change with each start
            for each in self._connections:
                row = await self._by_id(each, reference)
                if row is not None:
                    return each, row
        raise NoSuchGuestError(f"no guest {reference!r} runs here", hint="see who is there: ballonet plan")

    @staticmethod
    async def _by_id(connection: Connection, reference: str) -> int | None:
        try:
            return connection.row((await connection.hypervisor.guest(reference)).uuid)
        except NoSuchGuestError:
            return None
