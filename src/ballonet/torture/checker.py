"""The checker: holds the service to its promises by what went over its ports, and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ballonet.errors import DeadlineError, HypervisorError
from ballonet.facts.act import Act
from ballonet.facts.host import HostMemory
from ballonet.torture.clock import TroubledClock
from ballonet.torture.known import PAGE, Known, Moment
from ballonet.torture.promises import Resize, broken
from ballonet.torture.record import Record
from ballonet.torture.seen import Look, Rules
from ballonet.units import MIB

GAP_TICKS = 3.0
GAP_SECONDS = 5.0
SET_SECONDS = 2.0  # a wall clock that went so far from the other was set
TICK_SECONDS = 3.5  # from the hypervisor's answer to the end of its tick: a second for resizes, two asked for
PERIOD_SECONDS = (
    5.0  # beside that: each guest's statistics are switched on once, with the call's own deadline
)
SILENT_SECONDS = 20.0  # beside its interval: for so long no tick may fail to begin


@dataclass(frozen=True, slots=True)
class Failure:
    """A promise that was broken: when (monotonic seconds), to whom, how, and the log up to there."""

    promise: str
    at: float
    guest: str
    text: str
    lines: tuple[str, ...]


@dataclass(slots=True)
class Done:
    """What was seen to be done in a run: a service that does nothing keeps all promises, too."""

    looks: int = 0
    grows: int = 0
    shrinks: int = 0
    bursts: int = 0
    lent: int = 0
    asked: int = 0


class Checker:
    """Sees all processes of one run through; keeps the first failure."""

    def __init__(self, clock: TroubledClock, record: Record, rules: Rules) -> None:
        self.failure: Failure | None = None
        self.on_failure: Callable[[], object] = lambda: None
        self.done = Done()
        self.rules = rules
        self.journal: Callable[[str], Act | None] = lambda _: None  # a guest's last act, from the file
        self.holds: dict[str, float] = {}  # by UUID, epoch seconds; "": everybody
        self.leases: dict[str, tuple[int, float, str]] = {}  # by id: bytes, until, for whom
        self.disk_full: Callable[[], bool] = lambda: False
        self.starting = False  # a new process, which has not looked yet
        self._clock = clock
        self._record = record
        self._rules_then = rules
        self._known: dict[str, Known] = {}
        self._listed: tuple[str, ...] = ()
        self._looked: Moment | None = None
        self._look_first = False
        self._free: float | None = None  # bytes that could be handed out at the last look
        self._spent = 0.0
        self._heard_of: set[str] = set()  # whose reset may not be written down yet
        self._ticked_on: set[str] = set()  # whose is
        self._written_for = 0  # looks at the last tick that was written down
        self._fed_for = 0  # looks at the last time that the watchdog was fed
        self._asked_at: float | None = None  # loop seconds: a tick began
        self._answered_at = 0.0
        self._periods = 0  # how many were set since

    @property
    def _now(self) -> Moment:
        return Moment(self._clock.monotonic(), self._clock.time())

    def fail(self, promise: str, guest: str, text: str) -> None:
        """Keep the first failure."""
        self._record.note(f"BROKEN {promise} {guest}: {text}")
        if self.failure is None:
            self.failure = Failure(promise, self._clock.monotonic(), guest, text, self._record.last())
            self.on_failure()

    # --- looks ----------------------------------------------------------------------------------------

    def process_began(self) -> None:
        """Begin with a new process, which has no look before its first."""
        self.starting, self._asked_at = True, self._clock.loop_seconds()
        for uuid, known in self._known.items():
            known.begin_anew(self.journal(uuid), self._now)
            # What nobody could write down yet nobody can know.
            if uuid in self._heard_of:
                known.born_mono = None
            if self.done.looks != self._written_for:
                known.foreign_until = float("-inf")
                if self._looked is not None:
                    known.forget_arrival(self._looked)

    def process_ended(self) -> None:
        """Nobody ticks until the next one begins."""
        self._asked_at = None

    def asked_for_guests(self) -> None:
        """Time a tick; what is over by then is over, also when the wall clock is set back later."""
        self._asked_at = self._answered_at = self._clock.loop_seconds()
        now = self._now.epoch
        self.holds = {uuid: until for uuid, until in self.holds.items() if now < until}
        self.leases = {key: lease for key, lease in self.leases.items() if now < lease[1]}

    def looked(self, look: Look) -> None:
        """Take in what the service was shown."""
        now, before = self._now, self._looked
        interval = max(self.rules.interval_seconds, self._rules_then.interval_seconds)
        self._look_first = False
        if before is not None and not self.starting:
            gap = now.mono - before.mono > GAP_TICKS * interval + GAP_SECONDS
            drift = (now.epoch - before.epoch) - (now.mono - before.mono)
            self._look_first = gap or abs(drift) > SET_SECONDS
        self.starting, self._looked, self._rules_then = False, now, self.rules
        self._answered_at, self._periods = self._clock.loop_seconds(), 0
        self.done.looks += 1
        self._heard_of -= self._ticked_on
        self._ticked_on = set()
        for guest in look.guests:
            known = self._known.get(guest.uuid)
            if known is None:
                known = self._known[guest.uuid] = Known(guest)
                began = now.mono - (now.epoch - look.started_at[guest.uuid])
                known.born_mono = began
            known.look(guest, look.wire[guest.uuid], look.started_at[guest.uuid], now)
        gone = set(self._known) - {guest.uuid for guest in look.guests}
        for uuid in gone:
            self._known.pop(uuid)
        self._listed = tuple(guest.uuid for guest in look.guests)
        self._free, self._spent = None, 0.0
        self._record.note(
            "looked "
            + " ".join(
                f"{each.name}={each.actual_bytes}@{each.statistics.last_update}" for each in look.guests
            )
        )

    def host(self, memory: HostMemory) -> None:
        """Reckon what can be handed out: nobody holds it, no reserve, no lease."""
        known = [self._known[uuid] for uuid in self._listed]
        held = sum(each.held_bytes() for each in known)
        untouched = 0.0
        for each in known:
            rss = each.guest.statistics.rss_bytes
            if rss is not None:
                untouched += max(each.held_bytes() - rss, 0)
        rules, now = self._rules_then, self._now
        leased = sum(size for size, until, _ in self.leases.values() if now.epoch < until)
        of_host = memory.available_bytes + memory.arc_shrinkable_bytes - untouched - rules.reserve_bytes
        self._free = min(rules.budget_bytes - held, of_host) - leased
        self._record.note(f"free {self._free:.0f}")

    def next_look_seconds(self) -> float:
        """Return in how many seconds the next look is due; 0 where it is late, or there was none yet."""
        if self._looked is None or self.starting:
            return 0.0
        return max(self._looked.mono + self._rules_then.interval_seconds - self._clock.monotonic(), 0.0)

    # --- acts -----------------------------------------------------------------------------------------

    def resize(self, uuid: str, size_bytes: int) -> None:
        """Judge what is about to be sent."""
        now, known, act = self._now, self._known.get(uuid), self.journal(uuid)
        self._record.note(f"resize {uuid} {size_bytes} {act.cause if act else '?'}")
        self._writes(f"resizes to {size_bytes}", uuid)
        if act is None or act.to_bytes != size_bytes:
            self.fail("S4", uuid, f"{size_bytes} bytes are sent, and the journal has {act}")
        if known is None or self._looked is None:
            self.fail("G7", uuid, "writes to a guest that is not listed")
            return
        cause = act.cause if act else "?"
        held = now.epoch < self.holds.get(uuid, float("-inf"))
        resize = Resize(known, size_bytes, cause, now, self._looked, self._rules_then, held)
        found = broken(resize)
        if found is not None:
            self.fail(found[0], uuid, found[1])
        if resize.by_itself:
            self._looks_first(resize, uuid)
        if not resize.stays:
            self._fits(resize, uuid)
        self._count(resize)
        if resize.cause == "lent" and known.sample is not None:
            known.lent_stamp = known.sample.stamp
        known.tell(size_bytes, now)

    def _fits(self, act: Resize, uuid: str) -> None:
        """H1, H2, H3: what is granted since the last look fits in what was free then."""
        grant = act.size_bytes - max(act.actual, act.known.held_bytes(), act.known.granted)
        if grant <= PAGE or self._free is None:
            return
        self._spent += grant
        free = max(self._free, 0.0)
        if self._spent > free + 16 * PAGE:
            self.fail(
                "H1", uuid, f"{self._spent / MIB:.1f} MiB are granted, and {free / MIB:.1f} MiB were free"
            )

    def _looks_first(self, act: Resize, uuid: str) -> None:
        """S6: after a gap, or with a clock that was set, the first look is only a look."""
        since = act.now.mono - act.looked.mono
        interval = max(self.rules.interval_seconds, act.rules.interval_seconds)
        if self._look_first:
            self.fail("S6", uuid, "writes at the first look after a gap or with a clock that was set")
        elif since > GAP_TICKS * interval + GAP_SECONDS:
            self.fail("S6", uuid, f"writes {since:.0f} s after the last look")

    def _count(self, act: Resize) -> None:
        self.done.bursts += act.cause == "burst"
        self.done.lent += act.cause == "lent"
        self.done.asked += act.cause == "asked"
        self.done.shrinks += act.shrinks
        self.done.grows += not act.shrinks and not act.stays
        if act.shrinks or not act.stays:
            act.known.moves.append((act.now.mono, act.actual, act.size_bytes))

    def answered(self, uuid: str, size_bytes: int, error: Exception | None) -> None:
        """Take in what the hypervisor says: what it refused did not happen, all else may."""
        word = "done" if error is None else type(error).__name__
        self._record.note(f"answered {uuid} {size_bytes} {word}")
        known = self._known.get(uuid)
        if known is None or error is None or isinstance(error, DeadlineError):
            return
        if type(error) is HypervisorError:
            known.doubt()
        else:
            known.untell()

    def other_write(self, what: str, uuid: str) -> None:
        """Judge any other change."""
        self._record.note(f"{what} {uuid}")
        self._periods += what.startswith("period")
        self._writes(f"sets {what}", uuid)

    def _writes(self, what: str, uuid: str) -> None:
        """S2: who observes, or is paused, writes nothing."""
        if not self.rules.enforce:
            self.fail("S2", uuid, f"{what} while it only observes")
        if self._now.epoch < self.holds.get("", float("-inf")):
            self.fail("S2", uuid, f"{what} while it is paused")

    # --- what the service is told and tells -----------------------------------------------------------

    def reset(self, uuid: str) -> None:
        """Take in that a guest was reset."""
        self._record.note(f"reset {uuid}")
        if uuid in self._known:
            self._known[uuid].reset(self._now.mono)
            self._heard_of.add(uuid)

    def started(self, name: str) -> None:
        """Take in that a guest was started: a lease of its own, or of anybody's, may be used up."""
        self._record.note(f"started {name}")
        self.leases = {key: lease for key, lease in self.leases.items() if lease[2] not in {name, ""}}

    def fed(self) -> None:
        """S8: the watchdog is fed by a tick that ended, once."""
        if self.done.looks == self._fed_for:
            self.fail("S8", "", "the watchdog is fed though no tick ended")
        self._fed_for = self.done.looks
        if not self.disk_full():  # it is written down next
            self._ticked_on, self._written_for = set(self._heard_of), self.done.looks

    def ticked(self) -> None:
        """H4, H5: a tick ends soon after the hypervisor answered, whoever hangs."""
        seconds = self._clock.loop_seconds() - self._answered_at
        if seconds > TICK_SECONDS + PERIOD_SECONDS * self._periods:
            self.fail("H5", "", f"a tick ended {seconds:.1f} s after the hypervisor's answer")

    def watch(self) -> None:
        """H5: ticks go on."""
        if self._asked_at is None:
            return
        silent = self._clock.loop_seconds() - self._asked_at
        interval = max(self.rules.interval_seconds, self._rules_then.interval_seconds)
        if silent > interval + SILENT_SECONDS:
            self.fail("H5", "", f"no tick for {silent:.0f} s")

    def settled(self, since: float) -> None:
        """Q1: who had nothing happen to it since this monotonic second turned at most once."""
        for uuid, known in sorted(self._known.items()):
            turns = known.turns(since)
            if turns > 1:
                self.fail("Q1", uuid, f"turned {turns} times under constant load")

    def names(self) -> Sequence[str]:
        """Return the UUIDs that are listed."""
        return self._listed
