"""The tick and the reflex: facts in, a plan made, the plan carried out, and everything told."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ballonet.engine.act import Actor, Change, Outcome, broken_promise
from ballonet.engine.ports import Clock, Event, EventKind, Host, Hypervisor, Residents
from ballonet.engine.remember import Remembered
from ballonet.engine.summary import Summary
from ballonet.engine.table import Beside, Now, tabulate
from ballonet.engine.watch import Watch
from ballonet.errors import BallonetError, DeadlineError
from ballonet.facts.guest import Guest, State
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan, PlanRow
from ballonet.facts.sight import Sight
from ballonet.facts.snapshot import Floats, Snapshot
from ballonet.policy.learn import learn, promised, told
from ballonet.policy.plan import plan
from ballonet.policy.reflex import reflex
from ballonet.policy.settings import Settings

# Between two ticks while a burst waits: what others had unused comes back arrives at 500 MiB/s or so.
BURST_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class World:
    """The ports that an engine works through."""

    hypervisor: Hypervisor
    clock: Clock
    host: Host | None = None  # None: the guests run on another host
    residents: Residents | None = None


class Engine:
    """Decides and acts; `tell` is called with each thing that happened."""

    def __init__(
        self,
        world: World,
        settings: Settings,
        tell: Callable[[Happening], None],
        *,
        enforce: bool = False,
        floor_bytes: int | None = None,
        decide: Callable[[Snapshot, Memory, Settings], Plan] = plan,
    ) -> None:
        self.plan: Plan | None = None
        self.guests: dict[str, Guest] = {}
        self.summary = Summary()
        self._world = world
        self._settings = settings
        self._tell = tell
        self._enforce = enforce
        self._decide = decide
        self._floor_bytes = floor_bytes
        self._actor = Actor(world.hypervisor)
        self._remembered = Remembered()
        self._watch = Watch(world.residents) if world.residents and settings.reflex else None
        self._reset_at: dict[str, float] = {}  # epoch seconds, by UUID
        self._asked: set[tuple[str, int | None]] = set()  # whose statistics were switched on
        self._wished: dict[str, int] = {}  # what an observer was told last, by UUID
        self._free_bytes = 0.0  # what may still be handed out before the next tick
        self._last_tick_at: float | None = None

    # --- the tick -----------------------------------------------------------------------------------

    async def tick(self) -> Plan:
        """Read all guests, decide, act, and tell what was done; `HypervisorError` if it cannot read."""
        self._hear(await self._actor.collect())
        guests = [
            guest for guest in await self._world.hypervisor.guests() if guest.state is not State.SHUT_OFF
        ]
        now = Now(self._world.clock.time(), self._world.clock.monotonic())
        snapshot = tabulate(guests, now, self._beside(guests), self._floor_bytes)
        self._greet(guests)
        memory = learn(self._remembered.align(snapshot.uuids), snapshot, self._settings)
        self._remembered.memory = memory
        previous, self.plan = self.plan, self._decide(snapshot, memory, self._settings)
        self._tell_verdicts(previous, self.plan)
        self._free_bytes = self.plan.free
        self.summary.add(self.plan, self._settings.budget_bytes)
        if self._after_a_gap(now.monotonic):
            self._free_bytes = 0.0  # a suspended host or a jump: look first
        else:
            await self._carry_out(self.plan)
        await self._ask_for_statistics(guests)
        return self.plan

    def interval_seconds(self) -> float:
        """Return how long to wait for the next tick: half as long while a guest swaps.

        While a burst has not got all that it was promised, what others give back is looked for often.
        """
        memory = self._remembered.memory
        if (memory.promised > np.fmax(memory.target, memory.actual)).any():
            return BURST_SECONDS
        return self._settings.interval_seconds / (2 if memory.distress.any() else 1)

    def _after_a_gap(self, now: float) -> bool:
        """Return whether more than three ticks were missed: the host slept, or this process was stopped."""
        last, self._last_tick_at = self._last_tick_at, now
        return last is not None and now - last > 3 * self._settings.interval_seconds + 5.0

    def _beside(self, guests: list[Guest]) -> Beside:
        """Return what the host shows beside the hypervisor's facts."""
        host, residents = self._world.host, self._world.residents
        born_at = dict(self._reset_at)
        watched: frozenset[str] = frozenset()
        if residents is not None:
            residents.follow(guest.uuid for guest in guests)
            watched = frozenset(residents.read()) if self._watch else watched
            for guest in guests:
                started = residents.started_at(guest.uuid)
                if started is not None:
                    born_at[guest.uuid] = max(started, born_at.get(guest.uuid, 0.0))
        return Beside(host.memory() if host else None, watched, born_at)

    async def _carry_out(self, plan: Plan) -> None:
        """Send a plan's changes: those that shrink first, so that there is something to give."""
        rows = [row for row in plan.changes() if self._actor.is_free(plan.snapshot.uuids[row])]
        changes = [Change(row, plan.snapshot.uuids[row], int(plan.target[row])) for row in rows]
        for change in await self._send(changes, plan.snapshot):
            row = plan.row(change.row)
            if not self._enforce and not self._is_news(change):
                continue
            kind = Kind.PLANNED if row.verdict.managed else Kind.RELEASED
            self._say(kind, row.name, row.uuid, row.actual_bytes, change.target_bytes, row=row)

    def _is_news(self, change: Change) -> bool:
        """Return whether an observer has not been told this wish yet: the next tick has it again."""
        before = self._wished.get(change.uuid, 0)
        self._wished[change.uuid] = change.target_bytes
        return abs(change.target_bytes - before) > self._settings.deadband_bytes

    # --- the reflex ---------------------------------------------------------------------------------

    async def glance(self) -> bool:
        """Look at resident memory and answer a burst; return whether an early tick should follow."""
        if self._watch is None or not self._enforce:
            return False
        self._watch.look(self._world.clock.monotonic())
        if self.plan is None or self._remembered.uuids != self.plan.snapshot.uuids:
            return False
        sight = self._watch.sight(self.plan, self._remembered.memory, self._settings)
        if sight is None:
            return False
        answer = reflex(sight, self._free_bytes, self._settings)
        if not answer.wish.any():
            return False
        rows = np.flatnonzero(answer.wish)
        self._remembered.memory = promised(
            self._remembered.memory, rows, (sight.held + answer.wish)[rows], self._world.clock.monotonic()
        )
        snapshot = self.plan.snapshot
        await self._answer(snapshot, sight, answer.grant, Kind.BURST)
        await self._answer(snapshot, sight, -answer.take, Kind.LENT)
        return True

    async def _answer(self, snapshot: Snapshot, sight: Sight, step: Floats, kind: Kind) -> None:
        """Send one side of the reflex's answer (bytes to grow by, below 0 to shrink by), and tell it."""
        rows = [row for row in np.flatnonzero(step).tolist() if self._actor.is_free(snapshot.uuids[row])]
        changes = [Change(row, snapshot.uuids[row], int(sight.held[row] + step[row])) for row in rows]
        self._free_bytes -= float(np.maximum(step, 0.0).sum())
        for change in await self._send(changes, snapshot):
            row = change.row
            rate = max(0.0, float(sight.rss[row] - sight.before[row])) / sight.seconds
            self._say(
                kind,
                snapshot.names[row],
                change.uuid,
                float(sight.held[row]),
                change.target_bytes,
                rate_bytes=rate if kind is Kind.BURST else None,
            )

    # --- what both do -------------------------------------------------------------------------------

    async def _send(self, changes: list[Change], snapshot: Snapshot) -> list[Change]:
        """Check, remember and send changes; return those that the hypervisor did not refuse."""
        kept = [change for change in changes if self._keeps_promises(change, snapshot)]
        if not kept or not self._enforce or self._remembered.uuids != snapshot.uuids:
            return [] if self._enforce else kept
        self._remember({change.uuid: float(change.target_bytes) for change in kept})
        failed = self._hear(await self._actor.send(kept))
        return [change for change in kept if change.uuid not in failed]

    def _remember(self, targets: dict[str, float]) -> None:
        """Remember what guests are told, before they are told it."""
        rows = {uuid: row for row, uuid in enumerate(self._remembered.uuids) if uuid in targets}
        self._remembered.memory = told(
            self._remembered.memory,
            np.array(list(rows.values()), dtype=np.intp),
            np.array([targets[uuid] for uuid in rows]),
            self._world.clock.monotonic(),
        )

    def _keeps_promises(self, change: Change, snapshot: Snapshot) -> bool:
        broken = broken_promise(change, snapshot)
        if broken:
            self._say(Kind.BROKEN, snapshot.names[change.row], change.uuid, text=broken)
        return not broken

    def _hear(self, outcomes: list[Outcome]) -> set[str]:
        """Tell of failed changes; return whose they were.

        What was refused did not happen; what was not answered in time still may.
        """
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        actual = dict(zip(self._remembered.uuids, self._remembered.memory.actual.tolist(), strict=True))
        refused = [item.change.uuid for item in failed if not isinstance(item.error, DeadlineError)]
        self._remember({uuid: actual[uuid] for uuid in refused if uuid in actual})
        for outcome in failed:
            guest = self.guests.get(outcome.change.uuid)
            name = guest.name if guest else outcome.change.uuid
            self._say(Kind.FAILED, name, outcome.change.uuid, text=str(outcome.error))
        return {outcome.change.uuid for outcome in failed}

    async def _ask_for_statistics(self, guests: list[Guest]) -> None:
        """Switch statistics on where nobody did: once a guest and start, and said."""
        seconds = max(1, int(self._settings.interval_seconds / 2))
        for guest in guests:
            asked = (guest.uuid, guest.id)
            running = guest.state is State.RUNNING and guest.job is None
            if guest.device and guest.device.period_seconds == 0 and running and asked not in self._asked:
                self._asked.add(asked)
                self._say(Kind.PERIOD, guest.name, guest.uuid, text=str(seconds))
                if self._enforce:
                    await self._set_period(guest, seconds)

    async def _set_period(self, guest: Guest, seconds: int) -> None:
        try:
            await self._world.hypervisor.set_period(guest.uuid, seconds, live=True)
        except BallonetError as error:
            self._say(Kind.FAILED, guest.name, guest.uuid, text=str(error))

    # --- what is told -------------------------------------------------------------------------------

    def hear(self, event: Event) -> bool:
        """Take in what the hypervisor reports by itself; return whether a tick should follow at once."""
        if event.kind is EventKind.REBOOTED:
            now = self._world.clock.time()
            # Of a reset that was asked for libvirt tells twice, 20 ms apart: when asked, and when done.
            if now - self._reset_at.get(event.uuid, 0.0) > 1.0:
                self._say(Kind.REBOOTED, event.name, event.uuid)
            self._reset_at[event.uuid] = now
        if event.kind is EventKind.LOST:
            self._say(Kind.FAILED, "", text="the connection to the hypervisor broke")
        if event.kind is EventKind.RECONNECTED:
            self._say(Kind.RECOVERED, "", text="connected to the hypervisor again")
        return event.kind in {EventKind.STARTED, EventKind.STOPPED, EventKind.REBOOTED, EventKind.RECONNECTED}

    def _greet(self, guests: list[Guest]) -> None:
        """Tell who came and who went."""
        present = {guest.uuid: guest for guest in guests}
        for uuid, guest in present.items():
            if uuid not in self.guests:
                self._say(Kind.CAME, guest.name, uuid)
        for uuid, guest in self.guests.items():
            if uuid not in present:
                self._say(Kind.WENT, guest.name, uuid)
                self._reset_at.pop(uuid, None)
        self.guests = present

    def _tell_verdicts(self, before: Plan | None, after: Plan) -> None:
        """Tell whose verdict changed; at first sight only of those that are not managed."""
        known = dict(zip(before.snapshot.uuids, before.verdict.tolist(), strict=True)) if before else {}
        for index, (uuid, code) in enumerate(zip(after.snapshot.uuids, after.verdict.tolist(), strict=True)):
            row = after.row(index)
            if known.get(uuid) != code and (uuid in known or not row.verdict.managed):
                self._say(Kind.VERDICT, row.name, uuid, row=row)

    def _say(
        self,
        kind: Kind,
        name: str,
        uuid: str = "",
        from_bytes: float | None = None,
        to_bytes: float | None = None,
        *,
        row: PlanRow | None = None,
        rate_bytes: float | None = None,
        text: str = "",
    ) -> None:
        happening = Happening(
            at=self._world.clock.time(),
            kind=kind,
            name=name,
            uuid=uuid,
            from_bytes=from_bytes,
            to_bytes=to_bytes,
            row=row,
            rate_bytes=rate_bytes,
            text=text,
            written=self._enforce,
        )
        self.summary.count(happening)
        self._tell(happening)
