"""What a new snapshot adds to what is remembered: use, growth, swap debt, and whether targets arrive."""

from dataclasses import fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot
from ballonet.policy.need import short_of_free
from ballonet.policy.settings import Settings

Column = TypeVar("Column", Floats, Bools)

# A sample is a new one when its time stamp moved by more than clocks jitter; stamps are whole seconds.
NEW_SAMPLE_SECONDS = 0.5

# Swap traffic below 16 pages a second is no distress: kernels swap a stray page now and then.
SWAP_RATE_BYTES = 16 * 4096


def learn(memory: Memory, snapshot: Snapshot, settings: Settings) -> Memory:
    """Return the memory after this snapshot; same rows, same order."""
    memory = _forget_resets(memory, snapshot)
    memory = _follow_balloon(memory, snapshot, settings)
    return _read_sample(memory, snapshot, settings)


def _forget_resets(memory: Memory, snapshot: Snapshot) -> Memory:
    """Start anew with guests that were started or reset: what they used and were told is gone."""
    born_at = snapshot.taken_at - snapshot.uptime
    # 2 s: the uptime of a process is reckoned from the wall clock, in jiffies.
    reset = (born_at > memory.born_at + 2.0) | (snapshot.swap_out < memory.swap_out)
    if not reset.any():  # as in nearly every tick
        return replace(memory, born_at=np.fmax(born_at, memory.born_at))
    blank = Memory.blank(len(snapshot))
    kept = {
        column.name: np.where(reset, getattr(blank, column.name), getattr(memory, column.name))
        for column in fields(Memory)
    }
    kept["born_at"] = np.where(np.isnan(born_at), memory.born_at, np.fmax(born_at, memory.born_at))
    return Memory(**kept)


def _follow_balloon(memory: Memory, snapshot: Snapshot, settings: Settings) -> Memory:
    """See whether `actual` follows the targets, stays where it was, or was moved by somebody else."""
    now, actual = snapshot.taken_at, snapshot.actual
    # The first sight counts as a movement: a balloon in motion must not be taken for one at rest.
    moved = ~(np.abs(actual - memory.actual) <= settings.settle_bytes / 2)
    distance = np.abs(actual - memory.target)
    there = ~(distance > settings.settle_bytes)
    nearer = distance < np.where(np.isnan(memory.nearest), np.inf, memory.nearest)
    rate = settings.stuck_rate_bytes * settings.stuck_seconds
    progress = nearer & ~(memory.nearest - distance < rate)
    # Away from a target once reached, and not by us: an administrator, or a rescue by autodeflate.
    foreign = memory.arrived & ~there
    since = now - np.maximum(memory.changed_at, memory.progress_at)
    stuck = ~memory.arrived & ~there & (since > settings.stuck_seconds) & ~foreign
    return replace(
        memory,
        actual=actual,
        moved_at=np.where(moved, now, memory.moved_at),
        arrived=there | foreign | stuck,
        target=np.where(foreign, actual, memory.target),
        changed_at=np.where(foreign, now, memory.changed_at),
        nearest=np.where(progress, distance, memory.nearest),
        progress_at=np.where(progress, now, memory.progress_at),
        foreign_until=np.where(foreign, now + settings.foreign_seconds, memory.foreign_until),
        stuck_until=np.where(stuck, now + memory.stuck_seconds, memory.stuck_until),
        stuck_seconds=np.where(
            stuck,
            np.minimum(2 * memory.stuck_seconds, settings.stuck_longest_seconds),
            np.where(there & ~memory.arrived, settings.stuck_seconds, memory.stuck_seconds),
        ),
    )


def _read_sample(memory: Memory, snapshot: Snapshot, settings: Settings) -> Memory:
    """Take in the statistics that are newer than those seen before."""
    new = (snapshot.stats_at > memory.need_at + NEW_SAMPLE_SECONDS) & ~np.isnan(snapshot.usable)
    still = memory.arrived & (snapshot.stats_at > memory.moved_at)
    counted = snapshot.autodeflate | np.where(still, snapshot.available > snapshot.actual, memory.counted)
    overhead, used = _used(memory, snapshot, still, counted)
    seconds = snapshot.stats_at - memory.need_at
    known = new & ~np.isnan(memory.used) & np.isfinite(seconds)
    rate = np.where(known, np.maximum(used - memory.used, 0.0) / np.maximum(seconds, 1.0), 0.0)
    cut = snapshot.actual < snapshot.maximum - settings.settle_bytes
    swapped_out = np.where(known, np.nan_to_num(snapshot.swap_out - memory.swap_out), 0.0)
    swapped_in = np.where(known, np.nan_to_num(snapshot.swap_in - memory.swap_in), 0.0)
    debt = _fade(memory.swap_debt, seconds, settings.debt_half_life_seconds)
    debt = np.maximum(debt + np.where(cut, swapped_out, 0.0) - swapped_in, 0.0)
    traffic = (swapped_in + swapped_out) / np.maximum(seconds, 1.0)
    swapping = cut & short_of_free(snapshot, settings) & (traffic > SWAP_RATE_BYTES)
    kept = ~np.isnan(used) & new
    reported = kept & (snapshot.stats_at > memory.promised_at + 1.0)  # stamps are whole seconds
    outlived = reported | (snapshot.taken_at > memory.promised_at + settings.promise_seconds)
    return replace(
        memory,
        counted=counted,
        overhead=np.where(new, overhead, memory.overhead),
        used=np.where(kept, used, memory.used),
        need_at=np.where(kept, snapshot.stats_at, memory.need_at),
        swap_in=np.where(kept, snapshot.swap_in, memory.swap_in),
        swap_out=np.where(kept, snapshot.swap_out, memory.swap_out),
        swap_debt=np.where(known, debt, memory.swap_debt),
        growth=np.where(
            known,
            np.maximum(rate, _fade(memory.growth, seconds, settings.growth_half_life_seconds)),
            memory.growth,
        ),
        swapping=np.where(new, swapping, memory.swapping),
        promised=np.where(outlived, np.nan, memory.promised),
    )


def _used(memory: Memory, snapshot: Snapshot, still: Bools, counted: Bools) -> tuple[Floats, Floats]:
    """Return (overhead, used) of the sample: used is the guest's size at that moment, less usable.

    Without autodeflate a guest's kernel manages `available` = size - overhead, so the sample tells the
    size that belongs to it, even while the balloon moves. Where the balloon counts as used (autodeflate,
    Windows) `available` never changes: the size is known only while the balloon is still; while it grows,
    its newest size errs on the guest's side, while it shrinks, what was used before does.
    """
    overhead = np.where(still & ~counted, snapshot.actual - snapshot.available, memory.overhead)
    by_sample = snapshot.available + overhead - snapshot.usable
    by_device = snapshot.actual - snapshot.usable
    shrinking = ~still & (memory.target < snapshot.actual)
    careful = np.where(shrinking, np.maximum(by_device, memory.used), by_device)
    return overhead, np.where(counted, np.where(still, by_device, careful), by_sample)


def told(memory: Memory, rows: NDArray[np.intp], target: Floats, now: float) -> Memory:
    """Return the memory after these rows were told to get to these sizes (bytes, one a row)."""
    grows = target > memory.actual[rows]
    return replace(
        memory,
        target=_put(memory.target, rows, target),
        arrived=_put(memory.arrived, rows, np.abs(target - memory.actual[rows]) <= 0.0),
        changed_at=_put(memory.changed_at, rows, now),
        grew_at=_put(memory.grew_at, rows, np.where(grows, now, memory.grew_at[rows])),
        nearest=_put(memory.nearest, rows, np.abs(target - memory.actual[rows])),
        progress_at=_put(memory.progress_at, rows, now),
    )


def promised(memory: Memory, rows: NDArray[np.intp], size: Floats, now: float) -> Memory:
    """Return the memory after the reflex saw that these rows need these sizes until they report again."""
    return replace(
        memory,
        promised=_put(memory.promised, rows, size),
        promised_at=_put(memory.promised_at, rows, now),
    )


def _put(column: Column, rows: NDArray[np.intp], values: Column | float) -> Column:
    """Return a copy of the column with new values in these rows."""
    changed = column.copy()
    changed[rows] = values
    return changed


def _fade(value: Floats, seconds: Floats, half_life_seconds: float) -> Floats:
    """Return the value after these seconds of exponential decay (untouched where they are unknown)."""
    known = np.where(np.isfinite(seconds), np.maximum(seconds, 0.0), 0.0)
    faded: Floats = value * 0.5 ** (known / half_life_seconds)
    return faded
