"""The promises of the safety case that a resize can break, one function each: what is wrong, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from ballonet.facts.guest import State
from ballonet.torture.known import PAGE, Known, Moment, Sample, hard_floor_bytes, reserve_bytes
from ballonet.torture.seen import Rules
from ballonet.units import MIB

BOOT_SECONDS = 120.0
BLIND_SECONDS = 30.0
FRESH_SECONDS = 15.0
FRESH_PERIODS = 3.0
FUTURE_SECONDS = 1.0  # stamps are whole seconds


@dataclass(frozen=True, slots=True)
class Resize:
    """One resize that is about to reach the hypervisor, and what was known before it."""

    known: Known
    size_bytes: int
    cause: str  # what the journal says: "planned", "burst", "lent", "asked"
    now: Moment
    looked: Moment  # when guests were last looked at
    rules: Rules  # in force at that look
    held: bool  # somebody asked for it to be left as it is

    @property
    def actual(self) -> int:
        """Return the size that it was last seen to have."""
        return self.known.guest.actual_bytes or 0

    @property
    def maximum(self) -> int:
        """Return the most that it can have."""
        return self.known.guest.maximum_bytes or 0

    @property
    def stays(self) -> bool:
        """Return whether it is only told to stay where it is: one that did not follow."""
        return abs(self.size_bytes - self.actual) < PAGE

    @property
    def shrinks(self) -> bool:
        """Return whether it is to give something."""
        return self.size_bytes <= self.actual - PAGE

    @property
    def by_itself(self) -> bool:
        """Return whether the service wants it, and no person."""
        return self.cause != "asked"

    def size(self, name: str) -> int | None:
        """Return a size of its last sample; None where that is absent or absurd."""
        return self.known.sample.size(name, self.maximum) if self.known.sample else None

    @property
    def fresh_seconds(self) -> float:
        """Return how old statistics may be to take memory on them."""
        device = self.known.guest.device
        return max(FRESH_SECONDS, FRESH_PERIODS * (device.period_seconds if device else 0))


def below(act: Resize) -> str:
    """G1: no target below the hard floor, and none that takes below the floor."""
    if act.size_bytes < hard_floor_bytes(act.maximum) - PAGE:
        return "below the hard floor"
    floor = max(act.rules.floor_share * act.maximum, hard_floor_bytes(act.maximum))
    floor = min(floor, act.maximum, max(act.rules.ceiling_share * act.maximum, hard_floor_bytes(act.maximum)))
    return "shrinks below the floor" if act.shrinks and act.size_bytes < floor - PAGE else ""


def above(act: Resize) -> str:
    """G2: no target above the maximum, and none that grows above the ceiling."""
    if act.size_bytes > act.maximum:
        return "above the maximum"
    ceiling = max(act.rules.ceiling_share * act.maximum, hard_floor_bytes(act.maximum))
    grows = act.size_bytes > act.actual + PAGE
    return "grows above the ceiling" if grows and act.size_bytes > ceiling + PAGE else ""


def blindly(act: Resize) -> str:
    """G3: no shrink on statistics that are absent, absurd, stale, or older than our last change."""
    sample = act.known.sample
    if sample is None:
        return "shrinks without statistics"
    if None in {act.size("unused_bytes"), act.size("usable_bytes")}:
        return "shrinks on statistics that are incomplete or absurd"
    at = act.looked if act.cause == "planned" else act.now
    age = act.looked.epoch - sample.stamp + (at.mono - act.looked.mono)  # the clock may have been set since
    if age > act.fresh_seconds + 0.5:
        return f"shrinks on statistics {age:.1f} s old"
    if at.mono - sample.seen_at > act.fresh_seconds + 0.5:
        return f"shrinks on statistics that were there {at.mono - sample.seen_at:.1f} s ago"
    if act.looked.epoch - sample.stamp < -FUTURE_SECONDS - 0.5:
        return "shrinks on statistics from the future"
    return "shrinks on statistics that were there before its last change" if _were_before(act, sample) else ""


def _were_before(act: Resize, sample: Sample) -> bool:
    """Return whether these statistics were there before its last change.

    A new process has both from the clock that wrote them, and cannot know that it was set since.
    """
    if sample.seen_at == float("inf") and sample.stamp + FUTURE_SECONDS > act.known.told_epoch:
        return False
    sent_at = act.looked.mono - (act.looked.epoch - sample.stamp)
    return min(sample.seen_at, sent_at + FUTURE_SECONDS) <= act.known.told_at


def suffering(act: Resize) -> str:
    """G4: no shrink of a guest in distress."""
    return "shrinks a guest that loses its time to swap" if act.known.suffers else ""


def too_much(act: Resize) -> str:
    """G5: no shrink beyond 60 % of what is unused beyond the reserve, and a bite or half the cache."""
    unused, usable = act.size("unused_bytes") or 0, act.size("usable_bytes") or 0
    spare, cache = max(unused - reserve_bytes(act.maximum), 0), max(usable - unused, 0)
    small = max(0.06 * act.actual, min(32 * MIB, 0.03 * act.maximum), 0.01 * act.actual)
    cap = spare if act.cause == "lent" else 0.6 * spare + max(small, 0.5 * cache)
    step = act.actual - act.size_bytes
    return f"shrinks by {step / MIB:.1f} MiB, and may by {cap / MIB:.1f}" if step > cap + 2 * PAGE else ""


def too_soon(act: Resize) -> str:
    """G6: no new shrink before the last change arrived, or was given up."""
    return "" if act.known.arrived else "shrinks while its last change is under way"


def untouchable(act: Resize) -> str:
    """G7: who cannot or must not be resized is not."""
    guest = act.known.guest
    if guest.state is not State.RUNNING or guest.device is None or guest.obstacles:
        return "writes to a guest that cannot be resized"
    return "writes to an excluded guest" if act.rules.excluded == guest.name else ""


def unmanaged(act: Resize) -> str:
    """G7, Q2: nor does the service by itself touch who is held, busy, booting, unknown, blind or moved."""
    guest, sample = act.known.guest, act.known.sample
    if act.held:
        return "writes to a guest that is held"
    if guest.job is not None:
        return "writes to a guest that a job holds"
    if guest.actual_bytes is None or guest.maximum_bytes is None:
        return "writes to a guest of unknown size"
    if act.known.born_mono is not None and act.looked.mono - act.known.born_mono < BOOT_SECONDS - 1.0:
        return f"writes to a guest that began anew {act.looked.mono - act.known.born_mono:.1f} s ago"
    if act.stays:
        return ""
    if sample is None or act.looked.epoch - sample.stamp > BLIND_SECONDS + 0.5:
        return "writes to a guest whose statistics stopped"
    if act.looked.mono < act.known.foreign_until - 0.5:
        return "Q2: writes to a guest that somebody else resized a moment ago"
    return ""


def twice(act: Resize) -> str:
    """H6: the reflex takes only what was unused, and never twice from the same sample."""
    sample = act.known.sample
    again = act.cause == "lent" and sample is not None and sample.stamp == act.known.lent_stamp
    return "takes twice on the same sample" if again else ""


_ALWAYS: tuple[tuple[str, Callable[[Resize], str]], ...] = (("G1", below), ("G2", above), ("G7", untouchable))
_BY_ITSELF: tuple[tuple[str, Callable[[Resize], str]], ...] = (("G7", unmanaged),)
_OF_SHRINKS: tuple[tuple[str, Callable[[Resize], str]], ...] = (
    ("G3", blindly),
    ("G4", suffering),
    ("G5", too_much),
    ("G6", too_soon),
    ("H6", twice),
)


def broken(act: Resize) -> tuple[str, str] | None:
    """Return the first promise that a resize breaks, and how."""
    rules = _ALWAYS if not act.stays else (("G7", untouchable),)
    if act.by_itself:
        rules += _BY_ITSELF + (_OF_SHRINKS if act.shrinks else ())
    for promise, judge in rules:
        if text := judge(act):
            named, _, rest = text.partition(": ")
            return (named, rest) if rest and len(named) == 2 else (promise, text)
    return None
