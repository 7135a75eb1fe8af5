"""How much page cache is worth keeping: not to be known from a look, so a little is taken, and watched.

A bite that makes a guest read more is given back twice; what it had then is known to be in use (`kept`).
Whether its reads were for want of memory shows when it has it back: if they do not fall, it streams, and
its memory may be taken again.
"""

import numpy as np

from ballonet.facts.evolve import evolve
from ballonet.facts.host import HostState
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot, anybody, choose
from ballonet.policy.decay import fade
from ballonet.policy.heard import tells
from ballonet.policy.need import cache, cushion, is_cut, reclaims, reserve, short_of_free
from ballonet.policy.pressure import LEVELS
from ballonet.policy.reads import reads_more
from ballonet.policy.settings import Settings


def probe(memory: Memory, snapshot: Snapshot, seconds: Floats, settings: Settings) -> Memory:
    """Return the memory with trials begun, judged and ended, holds set, and what is kept fading."""
    settled = memory.arrived & (snapshot.stats_at > memory.changed_at)
    # A bite of cache may make the kernel swap instead.
    bitten = snapshot.taken_at - memory.bitten_at < settings.blame_seconds
    harmed = settled & ((memory.lost > settings.harm_share) | (memory.distress & bitten))
    memory = _fade(memory, snapshot, seconds, harmed, settings)
    judged = _judge(memory, snapshot, settled, harmed, settings)
    judged = _trim(judged, snapshot, settled, settings)
    begins = harmed | (settled & _fills(memory, snapshot, settings))
    return _begin(judged, snapshot, begins & (memory.trial == 0.0), settings)


def _fills(memory: Memory, snapshot: Snapshot, settings: Settings) -> Bools:
    """Return who will soon have to drop what it reads, while the host has plenty."""
    if memory.host.state is not HostState.PLENTY:
        return np.zeros(len(snapshot), np.bool_)
    soon = short_of_free(snapshot, settings.filling_reserves)
    return soon & is_cut(snapshot, settings) & reads_more(memory, settings) & ~memory.distress


def _fade(memory: Memory, snapshot: Snapshot, seconds: Floats, harmed: Bools, settings: Settings) -> Memory:
    """Forget what is kept: slowly, and soon where another guest reads for want of memory and this one not."""
    calm = ~harmed & (snapshot.taken_at >= memory.hold_until)
    quiet = calm & (memory.trial == 0.0)
    half_life: float | Floats = settings.kept_half_life_seconds
    if anybody(harmed | (memory.trial > 0.0)):
        half_life = np.where(memory.lost == 0.0, settings.contended_half_life_seconds, half_life)
    kept = choose(quiet, fade(memory.kept, seconds, half_life), memory.kept)
    # Where neither reads nor waits can be seen, nobody would notice that too much was taken.
    unseen = np.isnan(snapshot.disk_reads)
    if anybody(unseen):
        kept = np.where(unseen & ~tells(snapshot, settings), cache(snapshot), kept)
    held = np.maximum(
        fade(memory.hold_seconds, seconds, settings.hold_half_life_seconds), settings.hold_seconds
    )
    return evolve(
        memory,
        kept=np.fmin(kept, snapshot.ceiling),  # that may be unknown for once
        hold_seconds=choose(calm, held, memory.hold_seconds),
    )


def _trim(memory: Memory, snapshot: Snapshot, settled: Bools, settings: Settings) -> Memory:
    """Keep no more than there is where a guest reads no more, whether it got what was to be tried or not."""
    rests = settled & ~reads_more(memory, settings) & ~memory.distress
    rests &= snapshot.taken_at - np.maximum(memory.trial_at, memory.changed_at) >= settings.watch_seconds
    return evolve(
        memory,
        kept=np.where(rests, np.minimum(memory.kept, cache(snapshot)), memory.kept),
        trial=np.where(rests, 0.0, memory.trial),
    )


def _begin(memory: Memory, snapshot: Snapshot, harmed: Bools, settings: Settings) -> Memory:
    """Give to those that are harmed: twice what was taken a moment ago, or a first step.

    In use is what cache they have beside need and cushion, so that a trial asks for one step more than a
    guest has: page cache fills the reserve too, and a claim on all of it takes twice the step from others.
    """
    now = snapshot.taken_at
    begins = harmed & (now >= memory.streams_until) & ~np.isnan(snapshot.actual + snapshot.ceiling)
    if not anybody(begins):
        return memory
    bitten = now - memory.bitten_at < settings.blame_seconds
    first = np.maximum(settings.trial_reserves * reserve(snapshot), settings.bite_share * snapshot.maximum)
    step = np.maximum(first, np.where(bitten, 2.0 * memory.bite, 0.0))
    if memory.host.state is HostState.PLENTY:
        # Nobody else wants it: the whole of the trial at once, or what makes plenty, if that is less.
        plenty = LEVELS[HostState.COMFORT][0] * settings.budget_bytes / max(int(begins.sum()), 1)
        step = np.maximum(step, np.minimum(settings.trial_share * snapshot.maximum, plenty))
    size = memory.used + memory.swap_debt + reserve(snapshot) + cushion(snapshot, memory, settings)
    there = np.minimum(cache(snapshot), np.fmax(snapshot.actual - size, 0.0))
    return evolve(
        memory,
        kept=np.where(
            begins, np.minimum(np.maximum(memory.kept, there) + step, snapshot.ceiling), memory.kept
        ),
        trial=np.where(begins, step, memory.trial),
        trial_at=np.where(begins, now, memory.trial_at),
        trial_rate=np.where(begins, memory.read_rate, memory.trial_rate),
        trial_from=np.where(begins, snapshot.actual, memory.trial_from),
    )


def _judge(memory: Memory, snapshot: Snapshot, settled: Bools, harmed: Bools, settings: Settings) -> Memory:
    """Judge trials whose memory arrived: reads fell, or, once it is filled, more is tried, or it streams.

    One that did not gain by its first step, and that nobody has more for, streams too: or it would wait
    with all that it has for ever, beside others that read for want of it.
    """
    now, on = snapshot.taken_at, memory.trial > 0.0
    if not anybody(on):
        return memory
    got = snapshot.actual - memory.trial_from >= memory.trial / 2
    ripe = on & got & settled & (now - memory.trial_at >= settings.watch_seconds)
    filled = ripe & reclaims(snapshot)
    # What it reads in for the first time may still be on the rise when a trial begins.
    rate = np.where(on & ~filled, np.fmax(memory.trial_rate, memory.read_rate), memory.trial_rate)
    fell = memory.read_rate <= settings.fell_share * rate
    # Given back twice, it may never be filled again: then reads that fell are all that there is to see.
    helped = (ripe & fell) | (filled & ~harmed)
    failed = filled & ~helped
    unfed = on & ~got & settled & reclaims(snapshot) & (now - memory.trial_at >= settings.unfed_seconds)
    gained = memory.read_rate < settings.gain_share * rate
    first = snapshot.actual - memory.trial_from >= memory.trial / 4
    most = settings.trial_share * snapshot.maximum
    streams = failed & ((2.0 * memory.trial > most) | (snapshot.actual >= snapshot.ceiling))
    streams |= unfed & first & ~gained
    more = failed & ~streams
    ends = helped | streams
    pause = now + memory.hold_seconds
    return evolve(
        memory,
        kept=np.select(
            [streams, more],
            [
                np.maximum(memory.kept - memory.trial, 0.0),
                np.fmin(memory.kept + memory.trial, snapshot.ceiling),
            ],
            memory.kept,
        ),
        trial_rate=rate,
        usual_reads=np.where(streams, memory.read_rate, memory.usual_reads),
        trial=np.where(ends, 0.0, np.where(more, 2.0 * memory.trial, memory.trial)),
        trial_at=np.where(more, now, memory.trial_at),
        hold_until=np.where(helped & ~harmed, pause, memory.hold_until),
        streams_until=np.where(streams, pause, memory.streams_until),
        hold_seconds=np.where(
            streams | (helped & ~harmed),
            np.minimum(2.0 * memory.hold_seconds, settings.hold_longest_seconds),
            memory.hold_seconds,
        ),
    )
