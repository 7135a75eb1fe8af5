"""What a new snapshot adds to what is remembered."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.evolve import evolve
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot, anybody, everybody, or_else
from ballonet.policy.decay import elapsed
from ballonet.policy.need import short_of_free
from ballonet.policy.pressure import read_host
from ballonet.policy.probe import probe
from ballonet.policy.reads import read_disks
from ballonet.policy.sample import read_sample
from ballonet.policy.settings import Settings

Column = TypeVar("Column", Floats, Bools)

STANDING_SECONDS = (
    3.0  # libvirt tells a size up to a second late: so the second look may be the first true one
)
STARTING_SECONDS = 30.0  # a balloon moves by itself when its driver starts: measured, 12 s after a reset


def learn(memory: Memory, snapshot: Snapshot, settings: Settings) -> Memory:
    """Return the memory after this snapshot; same rows, same order."""
    memory = _forget_resets(memory, snapshot)
    memory = _follow_balloon(memory, snapshot, settings)
    memory = read_sample(memory, snapshot, settings)
    seconds = elapsed(snapshot.taken_at - memory.looked_at)
    memory = read_disks(memory, snapshot, seconds, settings)
    memory = probe(memory, snapshot, seconds, settings)
    return evolve(memory, host=read_host(memory.host, snapshot, settings))


def _forget_resets(memory: Memory, snapshot: Snapshot) -> Memory:
    """Start anew with guests that were started or reset: what they used and were told before is gone.

    When they were told it is not: that may have been after a reset of which only a counter tells, later.
    """
    born_at = snapshot.taken_at - snapshot.uptime
    # 2 s: the uptime of a process is reckoned from the wall clock, in jiffies.
    dated = born_at > memory.born_at + 2.0
    reset = dated | (snapshot.swap_out < memory.swap_out)
    if not anybody(reset):  # as in nearly every tick
        return evolve(memory, born_at=np.fmax(born_at, memory.born_at))
    blank = Memory.blank(len(snapshot))
    kept = {name: np.where(reset, getattr(blank, name), getattr(memory, name)) for name in Memory.columns()}
    since = dated & (memory.changed_at > born_at)  # as after a kill before the reset was written down
    for name in ("target", "arrived", "nearest", "progress_at"):
        kept[name] = np.where(since, getattr(memory, name), kept[name])
    kept["changed_at"] = np.minimum(memory.changed_at, snapshot.taken_at)
    kept["born_at"] = np.where(np.isnan(born_at), memory.born_at, np.fmax(born_at, memory.born_at))
    return Memory(host=memory.host, **kept)


def _follow_balloon(memory: Memory, snapshot: Snapshot, settings: Settings) -> Memory:
    """See whether `actual` follows the targets, stays where it was, or was moved by somebody else."""
    now, actual = snapshot.taken_at, snapshot.actual
    # The first sight counts as a movement: a balloon in motion must not be taken for one at rest.
    rests = np.abs(actual - memory.actual) <= settings.settle_bytes / 2
    distance = np.abs(actual - memory.target)
    unseen = np.isnan(actual)  # on its way or there, it stays so
    there = np.where(unseen, memory.arrived, ~(distance > settings.settle_bytes))
    if everybody(memory.arrived & there & rests):  # as in most ticks
        return evolve(memory, actual=actual)
    nearer = distance < np.where(np.isnan(memory.nearest), np.inf, memory.nearest)
    rate = settings.stuck_rate_bytes * settings.stuck_seconds
    progress = nearer & ~(memory.nearest - distance < rate)
    # Away from a target once reached, or on the way to it away or past it, and not by us: an administrator,
    # or a rescue by autodeflate. Who was rescued may need more; it is not somebody's wish.
    past = (actual - memory.target) * (memory.actual - memory.target) < 0.0
    away = distance > memory.nearest + 2.0 * settings.settle_bytes
    foreign = ~there & (memory.arrived | (past & ~np.isnan(memory.nearest)) | away)
    # Who was told nothing by us keeps its size, but for the time in which its kernel starts.
    starts = snapshot.uptime < STARTING_SECONDS
    stirs = np.abs(actual - memory.actual) > settings.settle_bytes / 2
    stood = now - memory.moved_at > STANDING_SECONDS
    foreign |= np.isnan(memory.target) & stirs & stood & ~starts
    had = np.where(np.isnan(memory.target), memory.actual, memory.target)
    rescued = snapshot.autodeflate & (actual > had) & short_of_free(snapshot, 1.0)
    since = now - np.maximum(memory.changed_at, memory.progress_at)
    stuck = ~memory.arrived & ~there & ~unseen & (since > settings.stuck_seconds) & ~foreign
    return evolve(
        memory,
        actual=actual,
        moved_at=np.where(rests, memory.moved_at, now),
        arrived=there | foreign | stuck,
        target=np.where(foreign, actual, memory.target),
        changed_at=np.where(foreign, now, memory.changed_at),
        nearest=np.where(progress, distance, memory.nearest),
        progress_at=np.where(progress, now, memory.progress_at),
        grew_at=np.where(foreign & rescued, now, memory.grew_at),
        foreign_until=np.where(foreign & ~rescued, now + settings.foreign_seconds, memory.foreign_until),
        stuck_until=np.where(stuck, now + memory.stuck_seconds, memory.stuck_until),
        stuck_seconds=np.where(
            stuck,
            np.minimum(2 * memory.stuck_seconds, settings.stuck_longest_seconds),
            np.where(there & ~memory.arrived, settings.stuck_seconds, memory.stuck_seconds),
        ),
    )


def told(memory: Memory, rows: NDArray[np.intp], target: Floats, now: float) -> Memory:
    """Return the memory after these rows were told to get to these sizes (bytes, one a row)."""
    step = target - memory.actual[rows]
    grows, bite = step > 0.0, -step - or_else(memory.spare[rows])
    return evolve(
        memory,
        target=_put(memory.target, rows, target),
        arrived=_put(memory.arrived, rows, np.abs(step) <= 0.0),
        changed_at=_put(memory.changed_at, rows, now),
        grew_at=_put(memory.grew_at, rows, np.where(grows, now, memory.grew_at[rows])),
        bitten_at=_put(memory.bitten_at, rows, np.where(bite > 0.0, now, memory.bitten_at[rows])),
        bite=_put(memory.bite, rows, np.where(bite > 0.0, bite, memory.bite[rows])),
        # Of one that was on its way nobody knows where it is: the next look will tell.
        nearest=_put(memory.nearest, rows, np.where(memory.arrived[rows], np.abs(step), np.nan)),
        progress_at=_put(memory.progress_at, rows, now),
    )


def promised(memory: Memory, rows: NDArray[np.intp], size: Floats, now: float) -> Memory:
    """Return the memory after the reflex saw that these rows need these sizes until they report again."""
    return evolve(
        memory,
        promised=_put(memory.promised, rows, size),
        promised_at=_put(memory.promised_at, rows, now),
    )


def _put(column: Column, rows: NDArray[np.intp], values: Column | float) -> Column:
    """Return a copy of the column with new values in these rows."""
    changed = column.copy()
    changed[rows] = values
    return changed
