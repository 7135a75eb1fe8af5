"""The tick and the reflex: facts in, a plan made, the plan carried out, and everything told."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from ballonet.engine.act import Changes
from ballonet.engine.ask import Asker, donors
from ballonet.engine.ends import end_requests, use_lease
from ballonet.engine.limits import LimitsOf, usual
from ballonet.engine.periods import Periods
from ballonet.engine.ports import (
    BulkHypervisor,
    Clock,
    Event,
    EventKind,
    Host,
    Hypervisor,
    Journal,
    Residents,
)
from ballonet.engine.remember import Learned, Targets, by_this_clock
from ballonet.engine.requests import Requests
from ballonet.engine.resets import Resets
from ballonet.engine.residents import Followed
from ballonet.engine.sender import ASKED_SECONDS, Sender
from ballonet.engine.stamps import Stamps
from ballonet.engine.summary import Summary
from ballonet.engine.table import Beside, Now, side_by_side, snapshot_of
from ballonet.engine.tell import Teller
from ballonet.engine.watch import PASS_SECONDS, Watch, room_seconds
from ballonet.facts.columns import Columns
from ballonet.facts.guest import State
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.host import HostState
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.sight import Sight
from ballonet.facts.snapshot import Floats, Snapshot, anybody
from ballonet.policy.learn import learn, promised
from ballonet.policy.plan import plan
from ballonet.policy.reflex import reflex
from ballonet.policy.settings import Settings

# Between two ticks while a burst waits: what others had unused comes back arrives at 500 MiB/s or so.
BURST_SECONDS = 0.1
# A wall clock that went so much from the monotonic one between two ticks was set, and with it what the
# ages of statistics and of guests are reckoned from.
SET_SECONDS = 2.0


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
        limits: LimitsOf = usual,
        decide: Callable[[Snapshot, Memory, Settings], Plan] = plan,
        requests: Requests | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.plan: Plan | None = None
        self.tick_seconds = 0.0  # how long the last tick took
        self.wake = asyncio.Event()  # set: the next tick follows soon
        self.requests = requests or Requests(world.clock)
        self._world = world
        self._settings = settings
        self._teller = Teller(world.clock, tell, Summary())
        self._teller.writes = enforce
        self._enforce = enforce
        self._decide = decide
        self._limits = limits
        self._asker = Asker(world.hypervisor, world.clock)
        self._periods = Periods(world.hypervisor, self._teller)
        self._resets = Resets(world.clock)
        self._stamps = Stamps()
        ports = world.hypervisor, world.clock, self._teller, journal, self.requests, self._resets
        self._sender = Sender(*ports, trusts=decide is not plan)
        self._bulk = world.hypervisor if isinstance(world.hypervisor, BulkHypervisor) else None
        self._followed = Followed(world.residents) if world.residents else None
        self._watch = Watch(self._followed) if self._followed and settings.reflex else None
        self._known: Snapshot | None = None  # the last one: who was there
        self._wished: dict[str, int] = {}  # what an observer was told last, by UUID
        self._free_bytes = 0.0  # what may still be handed out before the next tick
        self._looked: Now | None = None  # when guests were last read
        self._only_looks = False  # it is not known yet what became of them in a gap

    # --- the tick -----------------------------------------------------------------------------------

    async def tick(self) -> Plan:
        """Read all guests, decide, act, and tell what was done; `HypervisorError` if it cannot read."""
        begun = self.clock.monotonic()
        await self._sender.collect()
        end_requests(self.requests, self._teller)
        self._teller.writes = self.writes
        columns = await self._columns()
        now = self._now()
        snapshot = snapshot_of(columns, now, self._beside(columns, now), self._limits(columns))
        self._resets.forget(self._teller.greet(self._known, snapshot))
        self._known = snapshot
        law = self._law()
        past = self._sender.remembered.align(snapshot.uuids, snapshot.actual)
        self._sender.follow(past, learn(past, snapshot, law), snapshot)
        previous, self.plan = self.plan, self._decide(snapshot, self.memory, law)
        self._teller.verdicts(previous, self.plan)
        if self.plan.state is not (previous.state if previous else HostState.PLENTY):
            self._teller.say(Kind.STATE, "", text=self.plan.state.sentence)
        self._free_bytes = self.plan.free
        self.summary.add(self.plan, self._settings.budget_bytes)
        self._only_looks = self._after_a_gap(now)
        if self._only_looks:
            self._free_bytes = 0.0  # a suspended host or a jump: look first
        else:
            await self._carry_out(self.plan)
        await self._periods.switch_on(
            columns, snapshot.excluded | snapshot.held, self._settings.interval_seconds
        )
        if self._promises_unmet():
            self._ask_donors()
        self.tick_seconds = self.clock.monotonic() - begun
        return self.plan

    @property
    def summary(self) -> Summary:
        """Return what was done so far."""
        return self._teller.summary

    @summary.setter
    def summary(self, summary: Summary) -> None:
        self._teller.summary = summary

    def say(self, kind: Kind, name: str, uuid: str, text: str) -> None:
        """Tell of what somebody asked for."""
        self._teller.say(kind, name, uuid, text=text)

    def learned(self) -> dict[str, dict[str, float]]:
        """Return what was learned of each guest and is worth knowing after a restart, by UUID."""
        return self._sender.remembered.learned(self._now().drift)

    def recall(self, learned: Learned, targets: Targets, *, same_boot: bool = False) -> None:
        """Know again what was learned before a restart, and what guests were told: see `Remembered`."""
        now = self._now()
        known = by_this_clock(learned, now.drift, same_boot=same_boot)
        born_at = {uuid: values["born_at"] for uuid, values in known.items() if "born_at" in values}
        self._resets.recall({uuid: at for uuid, at in born_at.items() if at <= now.monotonic})
        self._sender.remembered.recall(known, targets, now.drift, now.monotonic)

    def _now(self) -> Now:
        return Now(self.clock.time(), self.clock.monotonic())

    @property
    def clock(self) -> Clock:
        """Return the clock that it goes by."""
        return self._world.clock

    @property
    def settings(self) -> Settings:
        """Return the settings that it goes by."""
        return self._settings

    @property
    def free_bytes(self) -> float:
        """Return what may still be handed out before the next tick; below 0: more is held than there is."""
        return self._free_bytes if self.plan is None else min(self._free_bytes, self.plan.free)

    @property
    def enforces(self) -> bool:
        """Return whether guests are resized while nothing is paused."""
        return self._enforce

    @property
    def writes(self) -> bool:
        """Return whether guests are resized, and not only observed."""
        return self._enforce and self.requests.paused is None

    def change(self, settings: Settings, limits: LimitsOf, *, enforce: bool) -> None:
        """Go on with other settings from the next tick on, which comes soon."""
        self._settings, self._limits, self._enforce = settings, limits, enforce
        self.wake.set()  # it was to come at the interval of before, up to a minute later

    @property
    def memory(self) -> Memory:
        """Return what is remembered of the guests, in the rows' order of the last plan."""
        return self._sender.remembered.memory

    def _law(self) -> Settings:
        """Return the settings, with what is kept free for guests to come."""
        law, leased = self._settings, float(self.requests.leased_bytes)
        return law if leased == law.leased_bytes else replace(law, leased_bytes=leased)

    @property
    def told(self) -> Floats:
        """Return the bytes that each guest of the last plan was told to have; NaN: nothing was."""
        return self.memory.target

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
        return self._settings.interval_seconds / (2 if anybody(self.memory.distress) else 1)

    def _promises_unmet(self) -> bool:
        """Return whether a burst has not got all that it was promised."""
        return anybody(self.memory.promised > np.fmax(self.memory.target, self.memory.actual))

    def _after_a_gap(self, now: Now) -> bool:
        """Return whether ticks were missed since the last one, or somebody set the wall clock."""
        last, self._looked = self._looked, now
        return last is not None and (self._missed(last, now) or abs(now.drift - last.drift) > SET_SECONDS)

    def _missed(self, last: Now, now: Now) -> bool:
        """Return whether more than three ticks were: the host slept, or this process was stopped."""
        return now.monotonic - last.monotonic > 3 * self._settings.interval_seconds + 5.0

    def _knows(self) -> bool:
        """Return whether the last look tells how things are: ticks go on, and it was not that after a gap."""
        last = self._looked
        return last is not None and not (self._only_looks or self._missed(last, self._now()))

    def _beside(self, columns: Columns, now: Now) -> Beside:
        """Return what the host shows beside the hypervisor's facts, and when these were sent."""
        uuids = columns.uuids
        memory = self._world.host.memory() if self._world.host else None
        if self._followed:
            self._followed.follow(uuids)
        born_at = self._followed.started_at() if self._followed else np.full(len(uuids), np.nan)
        if self._watch:
            self._watch.look(self._world.clock.monotonic())
        watched, risen = (self._watch.seen(), self._watch.risen) if self._watch else (None, None)
        sent_at = self._stamps.sent_at(uuids, columns.last_update, now)
        born_at = self._resets.since(uuids, born_at)
        return Beside(memory, watched, risen, born_at, self.requests.held(uuids), sent_at)

    async def _carry_out(self, plan: Plan) -> None:
        """Send a plan's changes: those that shrink first, so that there is something to give."""
        rows = np.array(plan.changes(), dtype=np.intp)
        if not len(rows):
            return
        sent = await self._sender.send(
            Changes.of(plan.snapshot, rows, plan.target[rows]), Kind.PLANNED, writes=self.writes
        )
        if not self.writes:
            sent = sent.only(
                np.array([self._is_news(*wish) for wish in sent.sizes().items()], dtype=np.bool_)
            )
        for row, size in zip(plan.rows(sent.rows), sent.sizes().values(), strict=True):
            kind = Kind.PLANNED if row.verdict.managed else Kind.RELEASED
            self._teller.say(kind, row.name, row.uuid, row.actual_bytes, size, row=row)

    def _is_news(self, uuid: str, size_bytes: int) -> bool:
        """Return whether an observer has not been told this wish yet: the next tick has it again."""
        before = self._wished.get(uuid, 0)
        self._wished[uuid] = size_bytes
        return abs(size_bytes - before) > self._settings.deadband_bytes

    # --- the reflex ---------------------------------------------------------------------------------

    @property
    def glances(self) -> bool:
        """Return whether anything is done between ticks at all."""
        return self._watch is not None

    def calm_seconds(self) -> float:
        """Return for how long glances would answer nothing, where that is known ahead."""
        if not self.writes:
            return self._settings.interval_seconds  # nor would they soon after: ticks look, too
        even = self._followed.even_seconds() if self._followed else 0.0
        if even <= PASS_SECONDS or self._watch is None or self._followed is None:
            return 0.0
        rise = self._followed.rise()
        if not anybody(rise >= self._settings.reflex_rate_bytes):
            return even
        if self.plan is None or not np.isfinite(rise).all():
            return 0.0
        sight = self._watch.sight(self.plan, self.memory, self._settings)
        return 0.0 if sight is None else min(even, room_seconds(sight, rise, self._settings))

    async def glance(self) -> bool:
        """Look at resident memory and answer a burst; return whether an early tick should follow."""
        if self._watch is None or not self.writes:
            return False
        self._watch.look(self._world.clock.monotonic())
        if self.plan is None:
            return False
        if not self._knows():
            return False  # what was free then is nobody's to give
        growth = self._watch.growth()
        if growth is None or not anybody(growth >= self._settings.reflex_rate_bytes):
            return False  # slower growth is the tick's business: no need to lay out all else that is known
        sight = self._watch.sight(self.plan, self.memory, self._settings)
        if sight is None:
            return False
        # Of who was reset since the last look that look tells nothing; it has no driver yet to give it to.
        reborn = self._resets.after(self.plan.snapshot.taken_at, self.plan.snapshot.uuids)
        sight = replace(sight, cut=sight.cut & ~reborn, spare=np.where(reborn, 0.0, sight.spare))
        answer = reflex(sight, self._free_bytes, self._settings)
        if not anybody(answer.bursts):
            return False
        rows = np.flatnonzero(answer.promise)
        promises = (sight.held + answer.promise)[rows]
        self._sender.remembered.memory = promised(self.memory, rows, promises, self.clock.monotonic())
        snapshot = self.plan.snapshot
        await self._answer(snapshot, sight, answer.grant, Kind.BURST)
        if self._knows():  # the answers to that may have taken their time
            await self._answer(snapshot, sight, -answer.take, Kind.LENT)
        # Asked while there is still something to hand out for another second, they answer in time.
        if float(np.nan_to_num(growth)[answer.bursts].sum()) > self._free_bytes:
            self._ask_donors()
        return True

    def _ask_donors(self) -> None:
        """Ask those that do not burst for what they have unused now."""
        if self.writes and self._settings.asks and self.plan is not None:
            self._asker.ask(donors(self.plan, self.memory))

    async def _answer(self, snapshot: Snapshot, sight: Sight, step: Floats, kind: Kind) -> None:
        """Send one side of the reflex's answer (bytes to grow by, below 0 to shrink by), and tell it."""
        rows = np.flatnonzero(step)
        self._free_bytes -= float(np.maximum(step, 0.0).sum())
        sent = await self._sender.send(
            Changes.of(snapshot, rows, (sight.held + step)[rows]), kind, writes=self.writes
        )
        for row, (uuid, size) in zip(sent.rows.tolist(), sent.sizes().items(), strict=True):
            rate = max(0.0, float(sight.rss[row] - sight.before[row])) / sight.seconds
            self._teller.say(
                kind,
                snapshot.names[row],
                uuid,
                float(sight.held[row]),
                size,
                rate_bytes=rate if kind is Kind.BURST else None,
            )

    # --- what both do -------------------------------------------------------------------------------

    async def hear_of(self, uuids: Iterable[str]) -> None:
        """Wait for what these guests have not answered yet; ticks may come meanwhile, with other plans."""
        await self._sender.collect(uuids, ASKED_SECONDS)

    async def resize(self, changes: Changes, who: str) -> Changes:
        """Have guests resized for somebody, within all promises; return those that the hypervisor took.

        They must be decided from the last plan.
        """
        self._free_bytes -= float(
            np.maximum(changes.target - changes.snapshot.actual[changes.rows], 0.0).sum()
        )
        sent = await self._sender.send(changes, Kind.ASKED, writes=self.writes)
        for row, (uuid, size) in zip(sent.rows.tolist(), sent.sizes().items(), strict=True):
            before = float(changes.snapshot.actual[row])
            self._teller.say(Kind.ASKED, changes.snapshot.names[row], uuid, before, size, text=who)
        return sent

    # --- what is told -------------------------------------------------------------------------------

    def hear(self, event: Event) -> bool:
        """Take in what the hypervisor reports by itself; return whether a tick should follow at once."""
        if event.kind is EventKind.REBOOTED and self._resets.heard(event.uuid):
            self._teller.say(Kind.REBOOTED, event.name, event.uuid)
        if event.kind is EventKind.STARTED:
            use_lease(self.requests, self._teller, event)
        if event.kind in {EventKind.LOST, EventKind.TWIN}:
            text = event.text or "the connection to the hypervisor broke"
            self._teller.say(Kind.FAILED, event.name, event.uuid, text=text)
        if event.kind is EventKind.RECONNECTED:
            text = event.text or "connected to the hypervisor again"
            self._teller.say(Kind.RECOVERED, event.name, event.uuid, text=text)
        return event.kind in {EventKind.STARTED, EventKind.STOPPED, EventKind.REBOOTED, EventKind.RECONNECTED}
