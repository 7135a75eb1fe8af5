"""What each guest needs, by tier: need, cushion and cache, from a snapshot and what is remembered.

M is the maximum, a actual, f unused, u usable, R the reserve; all columns of bytes.
"""

import numpy as np

from ballonet.facts.host import HostState
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot, anybody, clip, everybody, once, or_else
from ballonet.policy.floors import reclaim_mark_bytes, reserve_bytes
from ballonet.policy.heard import has_swap, heard
from ballonet.policy.settings import Settings


def wants(snapshot: Snapshot, memory: Memory, settings: Settings) -> Floats:
    """Return what each guest wants, tiers x guests: need, cushion, cache and surplus, one upon the other.

    Row 0 is never under the floor, and the rows of a guest never sum to more than its ceiling; all NaN
    where a guest's use is unknown.
    """
    size = clamp(need(snapshot, memory, settings), snapshot)
    tiers = [size]
    for room in (
        cushion(snapshot, memory, settings),
        None,
        snapshot.ceiling if settings.give_surplus else np.zeros(len(snapshot)),
    ):
        more = worth_keeping(snapshot, memory, snapshot.actual - size) if room is None else room
        grown = np.minimum(size + more, snapshot.ceiling)
        tiers.append(grown - size)
        size = grown
    return np.array(tiers)


def need(snapshot: Snapshot, memory: Memory, settings: Settings) -> Floats:
    """Return U = used + swap debt + R: what a guest must have so as not to swap.

    One that was in distress with more than R usable needs what it had then and a little, until that fades.
    A burst that the reflex saw needs at least what was promised to it. A guest in distress needs more than
    it has by two cushions, by 15 % of M if it suffers much, and all that it may have if that did not help.
    """
    size = memory.used + memory.swap_debt + np.maximum(reserve(snapshot), memory.margin)
    if anybody(memory.distress):
        size = np.where(memory.distress, np.fmax(size, _relieved(snapshot, memory, settings)), size)
    if everybody(np.isnan(memory.promised)):  # as in most ticks
        return size
    return np.fmax(size, _promised(snapshot, memory, settings))


def _promised(snapshot: Snapshot, memory: Memory, settings: Settings) -> Floats:
    """Return what bursts were promised (NaN: no burst).

    Of one that is over it is what it was given, and no more than what its statistics and its growth since
    then can come to, and a little: resident memory does not show what a balloon took meanwhile.
    """
    shrunk = np.where(memory.counted, 0.0, or_else(snapshot.available + memory.overhead - snapshot.actual))
    grown = np.maximum(snapshot.risen, 0.0) + np.maximum(shrunk, 0.0)
    used = memory.used + memory.swap_debt + reserve(snapshot)
    left = np.fmin(np.fmax(memory.target, snapshot.actual), used + grown + settings.burst_rest_bytes)
    over = snapshot.taken_at - memory.promised_at > settings.burst_seconds
    return np.where(over, np.minimum(memory.promised, left), memory.promised)


def _relieved(snapshot: Snapshot, memory: Memory, settings: Settings) -> Floats:
    """Return what relieves each guest, were it in distress."""
    relief = np.maximum(2.0 * cushion(snapshot, memory, settings), settings.relief_bytes)
    worse = np.maximum(relief, settings.relief_share * snapshot.maximum)
    relieved = snapshot.actual + np.where(memory.worse >= 1.0, worse, relief)
    return np.where(memory.worse >= 2.0, snapshot.ceiling, relieved)


def cushion(snapshot: Snapshot, memory: Memory, settings: Settings) -> Floats:
    """Return h = clip(g * tau, 2 % M, 30 % M): what a guest may grow by before help reaches it.

    g is the fastest growth seen, tau the time that help takes: the reflex's where growth shows, or a whole
    tick with the age that statistics come to, their period: by the one that they have, a guest would be given
    and taken memory as ticks and samples fall apart and together. A guest that is not known to have swap has
    twice the least, as it would die of the first page that it lacks. In an emergency of the host cushions are
    called in, to 60 %.
    """
    age = np.fmax(np.fmax(snapshot.stats_age, snapshot.period), 0.0)
    unseen = settings.interval_seconds + age + settings.reaction_seconds
    seen = settings.reflex & _shows_growth(snapshot, settings)
    reach = np.where(seen, settings.reflex_reach_seconds, unseen)
    swaps = has_swap(snapshot, heard(snapshot, memory, settings), settings) | snapshot.autodeflate
    room = clip(
        or_else(memory.growth * reach),
        settings.cushion_floor_share * np.where(swaps, 1.0, 2.0) * snapshot.maximum,
        settings.cushion_ceiling_share * snapshot.maximum,
    )
    return room * settings.emergency_share if memory.host.state is HostState.EMERGENCY else room


def _shows_growth(snapshot: Snapshot, settings: Settings) -> Bools:
    """Return in whose resident memory growth shows: what a guest has unused is not resident.

    Without free page reporting what was used once stays resident, and growth into it cannot be seen. What is
    resident and not used does not change when a guest is given memory: else it would be given it in turns.
    """
    idle = snapshot.rss - (snapshot.actual - snapshot.unused)
    hides = idle > np.where(snapshot.reports_free, settings.process_bytes, reserve(snapshot) / 2)
    shows: Bools = snapshot.watched & ~hides
    return shows


def worth_keeping(snapshot: Snapshot, memory: Memory, room: Floats) -> Floats:
    """Return the page cache worth a guest's wish: what is known to be in use, or all that there is of it.

    What is in use may exceed what is there: dropped cache cannot be seen. What is only there makes no guest
    grow (`room`: what it has beyond need and cushion): a guest that streams would fill all that it got.
    """
    return np.fmax(memory.kept, np.minimum(cache(snapshot), np.maximum(room, 0.0)))


@once
def cache(snapshot: Snapshot) -> Floats:
    """Return the page cache that a guest could drop, max(0, u - f); 0 where it is unknown."""
    return or_else(np.maximum(snapshot.usable - snapshot.unused, 0.0))


@once
def reserve(snapshot: Snapshot) -> Floats:
    """Return R: what each guest cannot use anyway."""
    return reserve_bytes(snapshot.maximum)


def clamp(size: Floats, snapshot: Snapshot) -> Floats:
    """Return the sizes within each guest's floor and ceiling."""
    return np.minimum(np.maximum(size, snapshot.floor), snapshot.ceiling)


def is_cut(snapshot: Snapshot, settings: Settings) -> Bools:
    """Return whether each guest has less than its maximum."""
    cut: Bools = snapshot.actual < snapshot.maximum - settings.settle_bytes
    return cut


def short_of_free(snapshot: Snapshot, reserves: float) -> Bools:
    """Return whether each guest has less unused than so many reserves (False: unknown)."""
    short: Bools = snapshot.unused < reserves * reserve(snapshot)
    return short


@once
def reclaims(snapshot: Snapshot) -> Bools:
    """Return whose kernel has to drop cache for what it reads: what is unused is at its watermark."""
    low: Bools = snapshot.unused < reclaim_mark_bytes(snapshot.maximum)
    return low
