"""What a guest's newest statistics say: its use and growth, its swap debt, and whether it is in distress."""

import numpy as np

from ballonet.facts.evolve import evolve
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot, anybody, choose, everybody, or_else
from ballonet.policy.decay import elapsed, fade
from ballonet.policy.heard import heard
from ballonet.policy.need import is_cut, reserve, short_of_free
from ballonet.policy.settings import Settings
from ballonet.policy.verdicts import ROUNDING_SECONDS

PAGE = 4096

# A sample is a new one when its time stamp moved by more than clocks jitter.
NEW_SAMPLE_SECONDS = 0.05

# Swap traffic below 16 pages a second is no distress: kernels swap a stray page now and then.
SWAP_RATE_BYTES = 16 * PAGE


def read_sample(memory: Memory, snapshot: Snapshot, settings: Settings) -> Memory:
    """Take in the statistics that are newer than those seen before.

    Those from the future tell nothing: all that are sent until then would seem old.
    """
    new = (snapshot.stats_at > memory.need_at + NEW_SAMPLE_SECONDS) & ~np.isnan(snapshot.usable)
    new &= snapshot.stats_age >= -ROUNDING_SECONDS
    still = memory.arrived & (snapshot.stats_at > memory.moved_at)
    counted = _counted(memory, snapshot, still, settings)
    overhead, used = _used(memory, snapshot, still, counted)
    since = snapshot.stats_at - memory.need_at
    compared = new & np.isfinite(since)
    known = compared & ~np.isnan(memory.used)
    seconds = elapsed(since)
    # Where it is not known yet what is used, counters are: the next sample tells whether it lacks memory.
    kept = new & ~(np.isnan(used) & ~np.isnan(memory.used))
    settled = still & (snapshot.stats_at > memory.changed_at)
    distress, worse = _distress(memory, snapshot, compared, settled, settings)
    rate = np.where(known, np.maximum(used - memory.used, 0.0) / np.maximum(seconds, 1.0), 0.0)
    growth = np.fmax(rate, fade(memory.growth, seconds, settings.growth_half_life_seconds))
    return evolve(
        memory,
        counted=counted,
        overhead=choose(new, overhead, memory.overhead),
        used=choose(kept, used, memory.used),
        need_at=choose(kept, snapshot.stats_at, memory.need_at),
        swap_debt=choose(known, _debt(memory, snapshot, seconds, settings), memory.swap_debt),
        margin=choose(known, _margin(memory, snapshot, seconds, distress, settings), memory.margin),
        growth=choose(known, growth, memory.growth),
        distress=choose(new, distress, memory.distress),
        worse=choose(new, worse, memory.worse),
        spare=choose(new, np.maximum(snapshot.unused - reserve(snapshot), 0.0), memory.spare),
        promised=_promised(memory, snapshot, kept, settings),
        **{name: choose(kept, getattr(snapshot, name), getattr(memory, name)) for name in _LAST},
    )


_LAST = ("available", "swap_in", "swap_out", "oom_kills", "alloc_stalls", "direct_scans")


def _promised(memory: Memory, snapshot: Snapshot, kept: Bools, settings: Settings) -> Floats:
    """Return what is still promised to bursts: until the guest reports again, or in time."""
    if everybody(np.isnan(memory.promised)):  # as in most ticks
        return memory.promised
    reported = kept & (snapshot.stats_at > memory.promised_at + 1.0)  # stamps are whole seconds
    outlived = reported | (snapshot.taken_at > memory.promised_at + settings.promise_seconds)
    return np.where(outlived, np.nan, memory.promised)


def _counted(memory: Memory, snapshot: Snapshot, still: Bools, settings: Settings) -> Bools:
    """Return whose balloon counts as used: its kernel has more than the guest, while the balloon is still.

    So has one whose `available` stayed where it was although its size was changed in between: else a guest
    that is resized at every tick, for want of knowing this, would never be still.
    """
    larger = snapshot.available > snapshot.actual
    if not anybody(larger):
        return snapshot.autodeflate | (memory.counted & ~still)
    unmoved = np.abs(snapshot.available - memory.available) <= settings.settle_bytes
    resized = (memory.changed_at >= memory.need_at) & memory.arrived
    resized &= snapshot.stats_at > memory.changed_at + settings.reaction_seconds
    known = (resized & unmoved & larger) | memory.counted
    return snapshot.autodeflate | np.where(still, larger, known)


def _used(memory: Memory, snapshot: Snapshot, still: Bools, counted: Bools) -> tuple[Floats, Floats]:
    """Return (overhead, used) of the sample: used is the guest's size at that moment, less usable.

    Without autodeflate a guest's kernel manages `available` = size - overhead, so the sample tells the
    size that belongs to it, even while the balloon moves. Where the balloon counts as used (autodeflate,
    Windows) `available` never changes: the size is known only while the balloon is still; while it grows,
    its newest size errs on the guest's side, while it shrinks, what was used before does.
    """
    overhead = np.where(still & ~counted, snapshot.actual - snapshot.available, memory.overhead)
    by_sample = snapshot.available + overhead - snapshot.usable
    if not anybody(counted):
        return overhead, by_sample
    by_device = snapshot.actual - snapshot.usable
    shrinking = ~still & (memory.target < snapshot.actual)
    careful = np.where(shrinking, np.maximum(by_device, memory.used), by_device)
    return overhead, np.where(counted, np.where(still, by_device, careful), by_sample)


def _risen(memory: Memory, snapshot: Snapshot, name: str) -> Floats:
    """Return by how much a counter rose since the sample before; 0 where that is unknown."""
    risen: Floats = or_else(getattr(snapshot, name) - getattr(memory, name))
    return risen


def _debt(memory: Memory, snapshot: Snapshot, seconds: Floats, settings: Settings) -> Floats:
    """Return S, bytes: what was swapped out while the guest was cut less what came back, fading."""
    out = np.where(is_cut(snapshot, settings), _risen(memory, snapshot, "swap_out"), 0.0)
    debt = fade(memory.swap_debt, seconds, settings.debt_half_life_seconds)
    return np.maximum(debt + out - _risen(memory, snapshot, "swap_in"), 0.0)


def _margin(
    memory: Memory, snapshot: Snapshot, seconds: Floats, distress: Bools, settings: Settings
) -> Floats:
    """Return how much must be usable in each guest, bytes: more than with what it was in distress, fading."""
    if not anybody(distress | (memory.margin > 0.0)):
        return memory.margin
    enough = snapshot.usable + settings.cushion_floor_share * snapshot.maximum
    least = fade(memory.margin, seconds, settings.debt_half_life_seconds)
    return np.where(distress, np.maximum(least, enough), least)


def _distress(
    memory: Memory, snapshot: Snapshot, known: Bools, settled: Bools, settings: Settings
) -> tuple[Bools, Floats]:
    """Return who lacks memory since the sample before, and for how many samples how badly.

    Only a guest that is cut and short of free memory can: swapping in with memory free is healing. A little
    swap traffic, and waits for memory (alloc stalls, direct scans, PSI), count once its last change has
    arrived: inflating causes them, and what was given must show first. What came back from swap counts at
    once, the others of a time that began after the change.
    """
    cut = is_cut(snapshot, settings)
    killed = known & (_risen(memory, snapshot, "oom_kills") > 0.0) & cut
    able = known & cut & short_of_free(snapshot, settings.swapping_free_reserves)
    # With cache left to drop it does not lack memory for its programs, whatever its kernel prefers to swap.
    able &= snapshot.usable < settings.swapping_usable_reserves * reserve(snapshot)
    if not anybody(able | killed):  # as in most ticks
        return able, np.zeros(len(snapshot))
    seconds = np.maximum(snapshot.stats_at - memory.need_at, 1.0)
    came, went = (_risen(memory, snapshot, name) for name in ("swap_in", "swap_out"))
    waits = (_risen(memory, snapshot, "alloc_stalls") > 0.0) | (
        _risen(memory, snapshot, "direct_scans") > 0.0
    )
    # What was swapped out since a sample before the change, inflating swapped out.
    caused = memory.need_at < memory.changed_at
    traffic = came + np.where(caused, 0.0, went)
    lacks = settled & ((traffic / seconds > SWAP_RATE_BYTES) | (waits & ~caused))
    lacks |= heard(snapshot, memory, settings).pressure > settings.pressure_share
    busy = np.maximum(or_else(memory.busy, 1.0), 1.0)
    lost = came / PAGE * settings.swap_in_seconds / seconds / busy
    worse = (able & (lost > settings.worse_share)) | killed
    return (able & lacks) | worse, np.where(worse, memory.worse + 1.0, 0.0)
