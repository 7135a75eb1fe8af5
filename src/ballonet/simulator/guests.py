"""Simulated Linux guests, all at once: where their memory is, and what a step of time does to it.

One row a guest, one column a fact; sizes are bytes, rates are per second. Programs have a hot part of their
memory that they touch all the time and a cold one that they never do; files likewise.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.evolve import evolve
from ballonet.facts.snapshot import Bools, Floats, anybody, clip
from ballonet.simulator.kernel import PAGE, SLAB, available, overhead, watermarks
from ballonet.units import GIB, KIB, MIB

Seconds: TypeAlias = float | Floats
"""How long a step is: the same for all guests, or as long for each as may be."""

READ_AHEAD = 128 * KIB  # what one request moves of what lies together
# What the balloon of a plain QEMU moves: measured on KVM, pages that were touched.
INFLATE_RATE = 0.95 * GIB
DEFLATE_RATE = 2.3 * GIB
SWAP_OUT_RATE = 400 * MIB  # at most
SWAP_WRITE = (
    2 * 4096
)  # what one request writes to swap: pages that lie together there are seldom dropped together
FREE_SECONDS = 1.0  # free page reporting waits 2 s, and then has most within one
TOUCH_RATE = 0.5 * GIB  # how fast one processor takes fresh pages
# Where reclaim looks first: files that were read once, while they are more than this share of the cache.
COLD_FILE_SHARE = 0.35
# Then this share comes from cold programs, while cold files are left; all of it when none are.
COLD_ANON_SHARE = 0.3
# It writes more of them to swap than it needs; the rest stays as swap cache until it does.
SWAP_GULP = 2.6
# When cold files are gone this much of the hot ones goes before swap cache does.
LUKEWARM_SHARE = 0.06
# Of what is hot files go first: of pages that are touched as often, one of programs for four of files.
HOT_ANON_WEIGHT = 0.26
READ_SECONDS = 200e-6  # a page of a file, from a disk in no hurry
SWAP_SECONDS = 500e-6  # a page of a program: it comes in, and another one has to go


@dataclass(frozen=True, slots=True)
class Make:
    """What a guest is: columns that do not change, and `of` reckons those that follow from others."""

    maximum: Floats
    swap: Floats  # size of its swap; 0: none
    requests: Floats  # a second that its disk serves
    vcpus: Floats
    deflates: Bools  # autodeflate
    reports_free: Bools  # free page reporting: what is freed leaves the host
    recent: Bools  # it tells its OOM kills, stalls and scans: Linux 6.12
    overhead: Floats  # what its kernel keeps for itself
    least: Floats  # its watermarks: min, low and high
    low: Floats
    high: Floats

    @classmethod
    def of(
        cls,
        *,
        maximum: Floats,
        swap: Floats,
        requests: Floats,
        vcpus: Floats,
        deflates: Bools,
        reports_free: Bools,
        recent: Bools,
    ) -> Self:
        """Return guests of which this is known."""
        kernel = overhead(maximum), *watermarks(maximum)
        return cls(maximum, swap, requests, vcpus, deflates, reports_free, recent, *kernel)

    def only(self, rows: NDArray[np.intp]) -> Self:
        """Return these guests."""
        return type(self)(*[column[rows] for column in _MAKE(self)])

    def __len__(self) -> int:
        return len(self.maximum)


_MAKE = attrgetter(*(field.name for field in fields(Make)))


@dataclass(frozen=True, slots=True)
class Load:
    """What a guest's programs want in a step: columns."""

    hot_anon: Floats
    cold_anon: Floats
    hot_file: Floats
    anon_rate: Floats  # pages of the hot part touched a second
    file_rate: Floats  # pages of the hot file read a second
    stream: Floats  # bytes a second that are read once and never again
    workers: Floats | float  # programs that do this side by side; each waits for its own misses


@dataclass(frozen=True)
class State:
    """Where a guest's memory is; counters run from its boot, in pages."""

    actual: Floats
    hot: Floats  # anonymous memory, resident
    cold: Floats
    hot_swapped: Floats
    cold_swapped: Floats
    file: Floats  # page cache: what is read again
    cold_file: Floats  # page cache: what is not
    swap_cache: Floats  # in swap, and not yet freed
    resident: Floats  # the QEMU process on the host
    swap_in: Floats
    swap_out: Floats
    major_faults: Floats
    disk_reads: Floats
    direct: Floats  # pages that programs had to reclaim for themselves
    oom_kills: Floats

    @classmethod
    def of(cls, columns: Iterable[Floats]) -> Self:
        """Return the state with these columns, in the order of its fields; as `evolve` saves time."""
        new = object.__new__(cls)
        new.__dict__.update(zip(STATE_NAMES, columns, strict=True))
        return new

    @classmethod
    def booted(cls, make: Make) -> Self:
        """Return guests with nothing in them but their kernel."""
        columns = {field.name: np.zeros(len(make)) for field in fields(cls)}
        return cls(**columns | {"actual": make.maximum.copy(), "resident": make.overhead + SLAB})

    def cache(self) -> Floats:
        """Return the page cache."""
        return self.file + self.cold_file

    def swapped(self) -> Floats:
        """Return what lies in swap."""
        return self.hot_swapped + self.cold_swapped

    def free(self, make: Make) -> Floats:
        """Return MemFree; below 0 is what a step could not find."""
        used = SLAB + self.hot + self.cold + self.cache() + self.swap_cache
        return self.actual - make.overhead - used

    def usable(self, make: Make) -> Floats:
        """Return MemAvailable as Linux reckons it."""
        return available(self.free(make), self.cache(), make.low, make.high)


STATE_NAMES = tuple(field.name for field in fields(State))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step did to the guest's programs."""

    anon_misses: Floats  # pages a second that came back from swap
    file_misses: Floats  # pages a second that were read again
    anon_speed: Floats  # of the touches wanted the share that was done, 0..1
    file_speed: Floats


def step(make: Make, state: State, load: Load, target: Floats, seconds: Seconds) -> tuple[State, Outcome]:
    """Return the guests after `seconds`, and what their programs met with."""
    state = _release(state, load)
    state, outcome = _touch(make, state, load, seconds)
    state = _grow(make, state, load, seconds)
    state = _balloon(make, state, target, seconds)
    free = state.free(make)
    low = free < make.low
    if anybody(low):
        state = _reclaim(make, state, load, np.where(low, make.high - free, 0.0))
        free = state.free(make)
    if anybody(free < 0.0):
        state = _out_of_memory(make, state, np.maximum(-free, 0.0))
        free = state.free(make)
    return evolve(state, resident=_resident(make, state, free, seconds)), outcome


def _resident(make: Make, state: State, free: Floats, seconds: Seconds) -> Floats:
    """Return what the host holds: pages once touched that neither balloon nor reporting gave back."""
    used = state.actual - free
    leaving = np.where(make.reports_free, np.maximum(state.resident - used, 0.0), 0.0)
    kept = state.resident - leaving * np.minimum(1.0, seconds / (2 * FREE_SECONDS))
    resident: Floats = np.minimum(np.maximum(kept, used), state.actual)
    return resident


def _release(state: State, load: Load) -> State:
    """Let go of what programs do not want any more, resident and swapped alike."""
    hot_held, cold_held = state.hot + state.hot_swapped, state.cold + state.cold_swapped
    less = (load.hot_anon < hot_held) | (load.cold_anon < cold_held) | (load.hot_file < state.file)
    if not anybody(less):
        return state
    hot, cold = _share(load.hot_anon, hot_held), _share(load.cold_anon, cold_held)
    return evolve(
        state,
        hot=state.hot * hot,
        hot_swapped=state.hot_swapped * hot,
        cold=state.cold * cold,
        cold_swapped=state.cold_swapped * cold,
        # A file that is read no more stays in the cache, and turns cold.
        file=np.minimum(state.file, load.hot_file),
        cold_file=state.cold_file + np.maximum(state.file - load.hot_file, 0.0),
    )


def _share(wanted: Floats, held: Floats) -> Floats:
    """Return which share of what is held is wanted, at most 1."""
    return np.minimum(1.0, np.divide(wanted, held, out=np.ones(held.shape), where=held > 0))


def _touch(make: Make, state: State, load: Load, seconds: Seconds) -> tuple[State, Outcome]:
    """Bring back what hot accesses miss, as fast as programs ask for it and the disk serves it."""
    missing = np.maximum(load.hot_file - state.file, 0.0)
    streamed = np.minimum(load.stream, make.requests * READ_AHEAD) * seconds
    if not anybody(missing + state.hot_swapped != 0.0):
        nothing, whole = np.zeros(len(make)), np.ones(len(make))
        if anybody(streamed > 0.0):
            cold_file, disk_reads = state.cold_file + streamed, state.disk_reads + streamed / READ_AHEAD
            state = evolve(state, cold_file=cold_file, disk_reads=disk_reads)
        return state, Outcome(nothing, nothing, whole, whole)
    anon = load.anon_rate * _part(state.hot_swapped, state.hot + state.hot_swapped)
    file = load.file_rate * _part(missing, load.hot_file)
    # A program that waits for a miss touches nothing: the more it misses, the less it asks for.
    workers = np.maximum(load.workers, 1.0)
    anon_speed = 1.0 / (1.0 + anon * SWAP_SECONDS / workers)
    file_speed = 1.0 / (1.0 + file * READ_SECONDS / workers)
    served = np.minimum(1.0, make.requests / np.maximum(anon * anon_speed + file * file_speed, 1.0))
    anon_speed = np.where(anon > 0, anon_speed * served, 1.0)
    file_speed = np.where(file > 0, file_speed * served, 1.0)
    anon = np.minimum(anon * anon_speed, state.hot_swapped / PAGE / seconds)
    file = np.minimum(file * file_speed, missing / PAGE / seconds)
    came, read = anon * PAGE * seconds, file * PAGE * seconds
    moved = evolve(
        state,
        hot=state.hot + came,
        hot_swapped=state.hot_swapped - came,
        file=state.file + read,
        cold_file=state.cold_file + streamed,
        swap_in=state.swap_in + came / PAGE,
        major_faults=state.major_faults + came / PAGE,
        disk_reads=state.disk_reads + (came + read) / PAGE + streamed / READ_AHEAD,
    )
    return moved, Outcome(anon, file, anon_speed, file_speed)


def _part(some: Floats, whole: Floats) -> Floats:
    """Return which part some is of the whole; 0 of nothing."""
    return np.divide(some, whole, out=np.zeros(whole.shape), where=whole > 0)


def _grow(make: Make, state: State, load: Load, seconds: Seconds) -> State:
    """Take the fresh pages that programs want, as fast as processors touch them."""
    lacking_hot = load.hot_anon - state.hot - state.hot_swapped
    lacking_cold = load.cold_anon - state.cold - state.cold_swapped
    if not anybody(np.maximum(lacking_hot, lacking_cold) > 0.0):
        return state
    most = TOUCH_RATE * np.minimum(make.vcpus, 2.0) * seconds
    # When nothing is free the growth waits for pages that are swapped out.
    out = np.minimum(SWAP_OUT_RATE, make.requests * SWAP_WRITE) * seconds
    free = np.maximum(state.free(make), 0.0)
    most = np.minimum(most, free + state.cache() + out)
    hot = clip(lacking_hot, 0.0, most)
    cold = clip(lacking_cold, 0.0, most - hot)
    direct = np.maximum(hot + cold - free, 0.0) / PAGE
    return evolve(state, hot=state.hot + hot, cold=state.cold + cold, direct=state.direct + direct)


def _balloon(make: Make, state: State, target: Floats, seconds: Seconds) -> State:
    """Move the balloon; inflating takes free pages, and what reclaim gave, but none below the min mark."""
    wish = clip(target, 0.0, make.maximum) - state.actual
    if not anybody(wish != 0.0):
        return state
    within = np.maximum(state.free(make) - make.least, 0.0) + np.maximum(make.high - make.least, 0.0)
    down = np.minimum(np.maximum(-wish, 0.0), np.minimum(INFLATE_RATE * seconds, _reachable(state, within)))
    up = np.minimum(np.maximum(wish, 0.0), DEFLATE_RATE * seconds)
    return evolve(state, actual=state.actual + up - down)


def _reachable(state: State, within: Floats) -> Floats:
    """Return what the balloon can take: the driver's own allocations make the kernel reclaim."""
    return within + state.cache() + state.hot + state.cold


def _reclaim(make: Make, state: State, load: Load, short: Floats) -> State:
    """Free so many pages, coldest first: up to the high mark where they fell below the low one."""
    swap_left = np.maximum(make.swap - state.swapped(), 0.0)
    easy = clip(state.cold_file - COLD_FILE_SHARE * state.cache(), 0.0, short)
    short, cold_file = short - easy, state.cold_file - easy
    wish = np.where(cold_file > 0, COLD_ANON_SHARE, 1.0) * short
    written = np.minimum(np.minimum(state.cold, swap_left), SWAP_GULP * wish)
    swap_cache = state.swap_cache + written
    file_part = np.minimum(cold_file, short - np.minimum(wish, swap_cache))
    short = short - file_part
    last = (swap_cache > 0) & (cold_file <= file_part)
    lukewarm = np.where(last, clip(state.file - (1 - LUKEWARM_SHARE) * load.hot_file, 0.0, short), 0.0)
    freed = np.minimum(swap_cache, short - lukewarm)
    state = evolve(state, file=state.file - lukewarm)
    hot_file, hot = _hot_parts(state, load, short - lukewarm - freed, swap_left - written)
    return evolve(
        state,
        cold_file=cold_file - file_part,
        file=state.file - hot_file,
        cold=state.cold - written,
        cold_swapped=state.cold_swapped + written,
        swap_cache=swap_cache - freed,
        hot=state.hot - hot,
        hot_swapped=state.hot_swapped + hot,
        swap_out=state.swap_out + (written + hot) / PAGE,
    )


def _hot_parts(state: State, load: Load, short: Floats, swap_left: Floats) -> tuple[Floats, Floats]:
    """Return what is taken of hot files and of hot programs, the more of each the less it is touched."""
    file_weight = np.where(state.file > 0, clip(_part(state.file, 0.25 * load.hot_file), 0.15, 1.0), 0.0)
    touched = _part(load.anon_rate, load.hot_anon)
    read = _part(load.file_rate, load.hot_file)
    often = np.where(read > 0, clip(_part(touched, read), 0.01, 100.0), 100.0)
    anon_weight = np.where(state.hot > 0, HOT_ANON_WEIGHT / often, 0.0)
    most = np.minimum(state.hot, swap_left)
    hot = np.minimum(most, short * _part(anon_weight, anon_weight + file_weight))
    file = np.minimum(state.file, short - hot)
    return file, np.minimum(most, short - file)


def _out_of_memory(make: Make, state: State, lacking: Floats) -> State:
    """Where pages could not be found: the balloon lets go (autodeflate), or half of the programs die."""
    rescued = np.where(make.deflates, np.minimum(lacking, make.maximum - state.actual), 0.0)
    killed = lacking - rescued > MIB
    kept = np.where(killed, 0.5, 1.0)
    return evolve(
        state,
        actual=state.actual + rescued,
        hot=state.hot * kept,
        cold=state.cold * kept,
        hot_swapped=state.hot_swapped * kept,
        cold_swapped=state.cold_swapped * kept,
        oom_kills=state.oom_kills + killed,
    )
