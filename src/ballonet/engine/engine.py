"""The tick and the reflex: facts in, a plan made, the plan carried out, and everything told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballonet.engine.act import PROMISES, Actor, Changes, broken_promises
from ballonet.engine.ask import Asker
from ballonet.engine.ports import BulkHypervisor, Clock, Event, EventKind, Host, Hypervisor, Residents
from ballonet.engine.remember import Remembered
from ballonet.engine.residents import Followed
from ballonet.engine.summary import Summary
from ballonet.engine.table import Beside, Now, side_by_side, snapshot_of
from ballonet.engine.watch import PASS_SECONDS, Watch, room_seconds
from ballonet.errors import BallonetError, DeadlineError
from ballonet.facts.columns import Columns
from ballonet.facts.guest import State
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.host import HostState
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan, PlanRow
from ballonet.facts.sight import Sight
from ballonet.facts.snapshot import Codes, Floats, Snapshot
from ballonet.facts.verdict import CODES
from ballonet.policy.learn import learn, promised, told
from ballonet.policy.plan import plan
from ballonet.policy.reflex import reflex
from ballonet.policy.settings import Settings

# Between two ticks while a burst waits: what others had unused comes back arrives at 500 MiB/s or so.
BURST_SECONDS = 0.1


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
        self.summary = Summary()
        self._world = world
        self._settings = settings
        self._tell = tell
        self._enforce = enforce
        self._decide = decide
        self._floor_bytes = floor_bytes
        self._actor = Actor(world.hypervisor)
        self._asker = Asker(world.hypervisor, world.clock)
        self._remembered = Remembered()
        self._bulk = world.hypervisor if isinstance(world.hypervisor, BulkHypervisor) else None
        self._followed = Followed(world.residents) if world.residents else None
        self._watch = Watch(self._followed) if self._followed and settings.reflex else None
        self._known: Snapshot | None = None  # the last one: who was there
        self._reset_at: dict[str, float] = {}  # epoch seconds, by UUID
        self._asked: set[tuple[str, float]] = set()  # whose statistics were switched on
        self._wished: dict[str, int] = {}  # what an observer was told last, by UUID
        self._free_bytes = 0.0  # what may still be handed out before the next tick
        self._last_tick_at: float | None = None

    # --- the tick -----------------------------------------------------------------------------------

    async def tick(self) -> Plan:
        """Read all guests, decide, act, and tell what was done; `HypervisorError` if it cannot read."""
        self._hear(await self._actor.collect())
        columns = await self._columns()
        now = Now(self._world.clock.time(), self._world.clock.monotonic())
        snapshot = snapshot_of(columns, now, self._beside(columns.uuids), self._floor_bytes)
        self._greet(snapshot)
        memory = learn(self._remembered.align(snapshot.uuids), snapshot, self._settings)
        self._remembered.memory = memory
        previous, self.plan = self.plan, self._decide(snapshot, memory, self._settings)
        self._tell_verdicts(previous, self.plan)
        if self.plan.state is not (previous.state if previous else HostState.PLENTY):
            self._say(Kind.STATE, "", text=self.plan.state.sentence)
        self._free_bytes = self.plan.free
        self.summary.add(self.plan, self._settings.budget_bytes)
        if self._after_a_gap(now.monotonic):
            self._free_bytes = 0.0  # a suspended host or a jump: look first
        else:
            await self._carry_out(self.plan)
        await self._ask_for_statistics(columns)
        if self._promises_unmet():
            self._ask_donors(self.plan.snapshot)
        return self.plan

    @property
    def told(self) -> Floats:
        """Return the bytes that each guest of the last plan was told to have; NaN: nothing was."""
        return self._remembered.memory.target

    async def _columns(self) -> Columns:
        """Return the guests that run, side by side."""
        if self._bulk:
            return await self._bulk.columns()
        guests = await self._world.hypervisor.guests()
        return side_by_side([guest for guest in guests if guest.state is not State.SHUT_OFF])

    def interval_seconds(self) -> float:
        """Return how long to wait for the next tick: half as long while a guest swaps.

        While a burst has not got all that it was promised, what others give back is looked for often.
        """
        if self._promises_unmet():
            return BURST_SECONDS
        return self._settings.interval_seconds / (2 if self._remembered.memory.distress.any() else 1)

    def _promises_unmet(self) -> bool:
        """Return whether a burst has not got all that it was promised."""
        memory = self._remembered.memory
        return bool((memory.promised > np.fmax(memory.target, memory.actual)).any())

    def _after_a_gap(self, now: float) -> bool:
        """Return whether more than three ticks were missed: the host slept, or this process was stopped."""
        last, self._last_tick_at = self._last_tick_at, now
        return last is not None and now - last > 3 * self._settings.interval_seconds + 5.0

    def _beside(self, uuids: tuple[str, ...]) -> Beside:
        """Return what the host shows beside the hypervisor's facts."""
        memory = self._world.host.memory() if self._world.host else None
        if self._followed is None:
            return Beside(memory, None, self._with_resets(uuids, np.full(len(uuids), np.nan)))
        self._followed.follow(uuids)
        if self._watch:
            self._watch.look(self._world.clock.monotonic())
        watched = self._watch.seen() if self._watch else None
        return Beside(memory, watched, self._with_resets(uuids, self._followed.started_at()))

    def _with_resets(self, uuids: tuple[str, ...], born_at: Floats) -> Floats:
        """Return when each guest began anew: with its process, or when it was reset since."""
        if not self._reset_at:
            return born_at
        reset_at = np.array([self._reset_at.get(uuid, np.nan) for uuid in uuids], dtype=np.float64)
        return np.fmax(born_at, reset_at)

    async def _carry_out(self, plan: Plan) -> None:
        """Send a plan's changes: those that shrink first, so that there is something to give."""
        rows = np.array(plan.changes(), dtype=np.intp)
        if not len(rows):
            return
        sent = await self._send(Changes.of(plan.snapshot, rows, plan.target[rows]))
        if not self._enforce:
            sent = sent.only(
                np.array([self._is_news(*wish) for wish in sent.sizes().items()], dtype=np.bool_)
            )
        for row, size in zip(plan.rows(sent.rows), sent.sizes().values(), strict=True):
            kind = Kind.PLANNED if row.verdict.managed else Kind.RELEASED
            self._say(kind, row.name, row.uuid, row.actual_bytes, size, row=row)

    def _is_news(self, uuid: str, size_bytes: int) -> bool:
        """Return whether an observer has not been told this wish yet: the next tick has it again."""
        before = self._wished.get(uuid, 0)
        self._wished[uuid] = size_bytes
        return abs(size_bytes - before) > self._settings.deadband_bytes

    # --- the reflex ---------------------------------------------------------------------------------

    @property
    def glances(self) -> bool:
        """Return whether anything is done between ticks at all."""
        return self._watch is not None and self._enforce

    def calm_seconds(self) -> float:
        """Return for how long glances would answer nothing, where that is known ahead."""
        even = self._followed.even_seconds() if self._followed else 0.0
        if even <= PASS_SECONDS or self._watch is None or self._followed is None:
            return 0.0
        rise = self._followed.rise()
        if not (rise >= self._settings.reflex_rate_bytes).any():
            return even
        if self.plan is None or not np.isfinite(rise).all():
            return 0.0
        sight = self._watch.sight(self.plan, self._remembered.memory, self._settings)
        return 0.0 if sight is None else min(even, room_seconds(sight, rise, self._settings))

    async def glance(self) -> bool:
        """Look at resident memory and answer a burst; return whether an early tick should follow."""
        if self._watch is None or not self._enforce:
            return False
        self._watch.look(self._world.clock.monotonic())
        if self.plan is None or self._remembered.uuids != self.plan.snapshot.uuids:
            return False
        growth = self._watch.growth()
        if growth is None or not (growth >= self._settings.reflex_rate_bytes).any():
            return False  # slower growth is the tick's business: no need to lay out all else that is known
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
        # Asked while there is still something to hand out for another second, they answer in time.
        if float(np.nan_to_num(growth)[rows].sum()) > self._free_bytes:
            self._ask_donors(snapshot)
        return True

    def _ask_donors(self, snapshot: Snapshot) -> None:
        """Ask those that do not burst for what they have unused now, the largest first."""
        if not self._enforce or not self._settings.asks or self.plan is None:
            return
        may_give = (self.plan.verdict == CODES["managed"]) & np.isnan(self._remembered.memory.promised)
        rows = [row for row in np.argsort(-snapshot.actual, kind="stable").tolist() if may_give[row]]
        self._asker.ask(snapshot.uuids[row] for row in rows)

    async def _answer(self, snapshot: Snapshot, sight: Sight, step: Floats, kind: Kind) -> None:
        """Send one side of the reflex's answer (bytes to grow by, below 0 to shrink by), and tell it."""
        rows = np.flatnonzero(step)
        self._free_bytes -= float(np.maximum(step, 0.0).sum())
        sent = await self._send(Changes.of(snapshot, rows, (sight.held + step)[rows]))
        for row, (uuid, size) in zip(sent.rows.tolist(), sent.sizes().items(), strict=True):
            rate = max(0.0, float(sight.rss[row] - sight.before[row])) / sight.seconds
            self._say(
                kind,
                snapshot.names[row],
                uuid,
                float(sight.held[row]),
                size,
                rate_bytes=rate if kind is Kind.BURST else None,
            )

    # --- what both do -------------------------------------------------------------------------------

    async def _send(self, changes: Changes) -> Changes:
        """Check, remember and send changes; return those that the hypervisor did not refuse."""
        if not len(changes):
            return changes
        kept = self._promised(self._actor.freely(changes))
        if not self._enforce or not len(kept):
            return kept
        if self._remembered.uuids != kept.snapshot.uuids:
            return kept.only(np.zeros(len(kept), dtype=np.bool_))
        self._remember(kept.rows, kept.target)
        failed = self._hear(await self._actor.send(kept))
        if not failed:
            return kept
        return kept.only(np.array([uuid not in failed for uuid in kept.sizes()], dtype=np.bool_))

    def _promised(self, changes: Changes) -> Changes:
        """Return the changes that keep all promises; tell of the others."""
        broken = broken_promises(changes)
        for index in np.flatnonzero(broken).tolist():
            row = changes.rows[index]
            text = f"{PROMISES[broken[index]]} ({changes.target[index]:.0f} bytes)"
            self._say(Kind.BROKEN, changes.snapshot.names[row], changes.snapshot.uuids[row], text=text)
        return changes.only(broken == 0)

    def _remember(self, rows: NDArray[np.intp], target: Floats) -> None:
        """Remember what guests are told, before they are told it."""
        now = self._world.clock.monotonic()
        self._remembered.memory = told(self._remembered.memory, rows, target, now)

    def _hear(self, failed: Mapping[str, BallonetError]) -> set[str]:
        """Tell of failed changes; return whose they were.

        What was refused did not happen; what was not answered in time still may.
        """
        if not failed:
            return set()
        refused = {uuid for uuid, error in failed.items() if not isinstance(error, DeadlineError)}
        uuids = self._remembered.uuids
        rows = np.array([row for row, uuid in enumerate(uuids) if uuid in refused], dtype=np.intp)
        self._remember(rows, self._remembered.memory.actual[rows])
        names = dict(zip(self._known.uuids, self._known.names, strict=True)) if self._known else {}
        for uuid, error in failed.items():
            self._say(Kind.FAILED, names.get(uuid, uuid), uuid, text=str(error))
        return set(failed)

    async def _ask_for_statistics(self, columns: Columns) -> None:
        """Switch statistics on where nobody did: once a guest and start, and said."""
        seconds = max(1, int(self._settings.interval_seconds / 2))
        unasked = columns.device & (columns.period == 0) & columns.running & ~columns.busy
        for row in np.flatnonzero(unasked).tolist():
            name, asked = columns.names[row], (columns.uuids[row], float(columns.number[row]))
            if asked not in self._asked:
                self._asked.add(asked)
                self._say(Kind.PERIOD, name, columns.uuids[row], text=str(seconds))
                if self._enforce:
                    await self._set_period(name, columns.uuids[row], seconds)

    async def _set_period(self, name: str, uuid: str, seconds: int) -> None:
        try:
            await self._world.hypervisor.set_period(uuid, seconds, live=True)
        except BallonetError as error:
            self._say(Kind.FAILED, name, uuid, text=str(error))

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

    def _greet(self, after: Snapshot) -> None:
        """Tell who came and who went."""
        before, self._known = self._known, after
        if before is not None and before.uuids == after.uuids:
            return
        known, present = frozenset(before.uuids if before else ()), frozenset(after.uuids)
        for uuid, name in zip(after.uuids, after.names, strict=True):
            if uuid not in known:
                self._say(Kind.CAME, name, uuid)
        for uuid, name in zip(before.uuids, before.names, strict=True) if before else ():
            if uuid not in present:
                self._say(Kind.WENT, name, uuid)
                self._reset_at.pop(uuid, None)

    def _tell_verdicts(self, before: Plan | None, after: Plan) -> None:
        """Tell whose verdict changed; at first sight only of those that are not managed."""
        for row in after.rows(np.flatnonzero(after.verdict != _verdicts_in_order(before, after))):
            self._say(Kind.VERDICT, row.name, row.uuid, row=row)

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


def _verdicts_in_order(before: Plan | None, after: Plan) -> Codes:
    """Return each guest's verdict in the plan before; who is new was managed, as far as is known."""
    if before is None:
        return _as_expected(after.verdict)
    if before.snapshot.uuids == after.snapshot.uuids:
        return before.verdict
    known = dict(zip(before.snapshot.uuids, before.verdict.tolist(), strict=True))
    found = np.array([known.get(uuid, -1) for uuid in after.snapshot.uuids], dtype=np.int8)
    return np.where(found < 0, _as_expected(after.verdict), found).astype(np.int8)


def _as_expected(verdict: Codes) -> Codes:
    """Return the verdict itself of guests that are managed, and -1 of others: that is worth a word."""
    return np.where(verdict >= CODES["stale"], verdict, -1).astype(np.int8)
