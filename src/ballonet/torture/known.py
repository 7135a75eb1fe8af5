"""What the checker knows of one guest: what was last reported, and what it was told, as the ports saw it.

It is reckoned from the wire and the words of the promises, with nothing of the engine's or the policy's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ballonet.facts.act import Act
from ballonet.facts.guest import Guest
from ballonet.units import MIB

PAGE = 4096
NEAR_BYTES = 2 * MIB  # a balloon is where it was told to be
GIVEN_UP_SECONDS = 10.0  # after so long one that does not follow may be taken for stuck
FOREIGN_SECONDS = 60.0  # for so long somebody else's change is respected
_SWAP_IN_SECONDS = 250e-6  # what a page from swap costs
_SUFFERS_SHARE = 0.02  # of its time


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds of both clocks."""

    mono: float
    epoch: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Statistics as they came over the wire, and when they were first seen (monotonic seconds).

    Infinite where a process before saw them first: the next one cannot know, and goes by the stamp.
    """

    wire: Mapping[str, int]
    stamp: float
    seen_at: float

    def size(self, name: str, maximum_bytes: int) -> int | None:
        """Return one of its sizes; None for what is missing, a sentinel, negative or more than there is."""
        value = self.wire.get(name)
        return value if value is not None and 0 <= value <= 1.1 * maximum_bytes else None


def reserve_bytes(maximum_bytes: int) -> int:
    """Return what a guest cannot use anyway: clamp(7.5 % of its maximum, 48 MiB, 256 MiB)."""
    return int(min(max(0.075 * maximum_bytes, 48 * MIB), 256 * MIB))


def hard_floor_bytes(maximum_bytes: int) -> int:
    """Return the size below which nothing may ever be told: its kernel, its page table and that reserve."""
    return min(maximum_bytes, 48 * MIB + maximum_bytes // 64 + reserve_bytes(maximum_bytes))


@dataclass(slots=True)
class Known:
    """One guest, by its UUID."""

    guest: Guest
    sample: Sample | None = None
    born_mono: float | None = None  # when it was started or reset, as far as that was told
    told: int | None = None  # bytes; None: nothing is under way, and nothing is known to be so
    told_at: float = float("-inf")  # monotonic seconds of the last change of ours
    told_epoch: float = float("-inf")  # the same, as the journal has it
    told_before: tuple[int | None, float, bool] = (None, float("-inf"), True)
    unsure: int | None = None  # bytes that it had as a change failed that may have happened all the same
    granted: int = 0  # bytes: the most that it was told since the last look, whatever became of that
    arrived: bool = True
    arrived_at: float = float("-inf")  # monotonic seconds of the look that showed it
    nearest: float = float("inf")
    foreign_until: float = float("-inf")
    suffers: bool = False
    lent_stamp: float | None = None
    moves: list[tuple[float, int, int]] = field(default_factory=list)  # when, from how much, to how much

    def begin_anew(self, written: Act | None, now: Moment) -> None:
        """Let go of what a new process cannot know, whose journal has this as the last act.

        It has nothing to compare the next sample with, and takes what was written but not sent for under way;
        nor does it know of a clock that was set since the last change, and may take that for given up.
        """
        self.suffers = False
        given_up = not self.arrived and now.epoch - self.told_epoch > GIVEN_UP_SECONDS
        if given_up or (written is not None and written.to_bytes != self.told):
            self.told, self.arrived, self.nearest = None, True, float("inf")
        if self.sample is not None:
            self.sample = replace(self.sample, seen_at=float("inf"))

    def forget_arrival(self, looked: Moment) -> None:
        """Take in that nobody wrote down what this look showed."""
        if self.told is not None and self.arrived_at == looked.mono:
            self.arrived = False

    def turns(self, since: float) -> int:
        """Return how often it went the other way from then on, by what is worth a change.

        That is 1 % of its size, or 32 MiB, or 3 % of its maximum where that is less. Below that is no swing:
        whose kernel goes on to swap out what is cold is given a little of it back.
        """
        small = min(32 * MIB, 0.03 * (self.guest.maximum_bytes or 0))
        found, way, low, high = 0, 0, float("inf"), 0.0
        for size in (size for at, *both in self.moves if at >= since for size in both):
            low, high, band = min(low, size), max(high, size), max(0.01 * size, small)
            if way <= 0 and size - low > band:
                found, way, high = found - way, 1, size
            elif way >= 0 and high - size > band:
                found, way, low = found + way, -1, size
        return found

    # --- looks ----------------------------------------------------------------------------------------

    def look(self, guest: Guest, wire: Mapping[str, int], started_at: float, now: Moment) -> None:
        """Take in what one look shows; its process started at these epoch seconds."""
        before, self.guest, self.granted = self.guest, guest, 0
        stamp, last = guest.statistics.last_update, self.sample
        if stamp is None:
            self.sample = None
        elif last is None or last.stamp != stamp:
            self.sample = Sample(wire, stamp, now.mono)
            self.suffers = last is not None and self._suffers(last, self.sample)
            if last is not None and self._fell("swap_out_bytes_total", last, self.sample):
                self.forget()
        else:
            self.sample = Sample(wire, stamp, last.seen_at)
        if self.unsure is not None and guest.actual_bytes is not None:
            if guest.actual_bytes == self.unsure:  # it did not
                self.told_at = self.told_before[1]
            self.unsure = None
        if guest.id != before.id:
            self.reset(now.mono - (now.epoch - started_at))
        if guest.actual_bytes is not None:
            self._follow(guest.actual_bytes, before.actual_bytes, now)

    def reset(self, at: float) -> None:
        """Take in that it was started anew, or reset, at this monotonic second."""
        self.born_mono = at
        self.forget()

    def forget(self) -> None:
        """Nothing is claimed any more of what it was told."""
        self.told, self.arrived, self.nearest = None, True, float("inf")
        self.foreign_until, self.suffers = float("-inf"), False

    def _follow(self, actual: int, before: int | None, now: Moment) -> None:
        """See whether it goes where it was told to, or was moved by somebody else."""
        if self.told is None:
            return
        distance = abs(actual - self.told)
        if distance <= NEAR_BYTES:
            self.arrived_at = self.arrived_at if self.arrived else now.mono
            self.arrived = True
        elif self.arrived:
            rescued = self.guest.device is not None and self.guest.device.autodeflate and actual > self.told
            if not rescued:
                self.foreign_until = now.mono + FOREIGN_SECONDS
            self.told = actual
        elif before is not None and self._was_moved(actual, before, distance):
            self.told, self.arrived = None, True  # by whom, nobody can tell
        self.nearest = min(self.nearest, distance)
        if not self.arrived and now.mono - self.told_at > GIVEN_UP_SECONDS:
            self.told, self.arrived = None, True  # it may be taken for stuck: nothing is claimed of it

    def _was_moved(self, actual: int, before: int, distance: float) -> bool:
        """Return whether one that was on its way went away from there, or past it."""
        past = self.told is not None and (actual - self.told) * (before - self.told) < 0
        return past or distance > self.nearest + NEAR_BYTES

    def _suffers(self, last: Sample, new: Sample) -> bool:
        """Return whether it lost much of its time to its swap since the sample before, cut as it is."""
        maximum, actual = self.guest.maximum_bytes, self.guest.actual_bytes
        if maximum is None or actual is None or actual > maximum - 2 * NEAR_BYTES:
            return False
        unused, usable = new.size("unused_bytes", maximum), new.size("usable_bytes", maximum)
        came = new.wire.get("swap_in_bytes_total", 0) - last.wire.get("swap_in_bytes_total", 0)
        if unused is None or usable is None or last.size("usable_bytes", maximum) is None:
            return False
        if new.stamp < last.stamp:  # one of them is of a clock that was wrong: nobody knows how long it took
            return False
        reserve = reserve_bytes(maximum)
        short = unused < 1.6 * reserve and usable < 2.0 * reserve
        seconds = max(new.stamp - last.stamp, 1.0) * max(self.guest.vcpus or 1, 1)
        return short and came / PAGE * _SWAP_IN_SECONDS / seconds > _SUFFERS_SHARE

    @staticmethod
    def _fell(name: str, last: Sample, new: Sample) -> bool:
        return new.wire.get(name, 0) < last.wire.get(name, 0)

    # --- acts -----------------------------------------------------------------------------------------

    def tell(self, size_bytes: int, now: Moment) -> None:
        """Take in that it is told a size."""
        self.told_before = self.told, self.told_at, self.arrived
        actual = self.guest.actual_bytes
        self.told, self.told_at, self.told_epoch = size_bytes, now.mono, now.epoch
        self.granted = max(self.granted, size_bytes)
        # Of one that was on its way nobody knows where it is: the next look will tell.
        way = abs(actual - size_bytes) if actual is not None else float("inf")
        self.nearest = way if self.arrived else float("inf")
        self.arrived = way < PAGE

    def doubt(self) -> None:
        """Take in that nobody knows before the next look whether it was."""
        self.told, self.arrived, self.unsure = None, True, self.guest.actual_bytes

    def untell(self) -> None:
        """Take in that it was not."""
        self.told, self.told_at, self.arrived = self.told_before

    def held_bytes(self) -> int:
        """Return what it has, or was told that it may; its maximum where that is unknown."""
        actual = self.guest.actual_bytes
        if actual is None:
            return self.guest.maximum_bytes or 0
        return actual if self.told is None or self.arrived else max(actual, self.told)
