"""What each guest needs, by tier: need, cushion and cache, from a snapshot and what is remembered.

M is the maximum, a actual, f unused, u usable, R the reserve; all columns of bytes.
"""

import numpy as np

from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot
from ballonet.policy.floors import reserve_bytes
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
        cache(snapshot),
        snapshot.ceiling if settings.give_surplus else np.zeros(len(snapshot)),
    ):
        grown = np.minimum(size + room, snapshot.ceiling)
        tiers.append(grown - size)
        size = grown
    return np.stack(tiers)


def need(snapshot: Snapshot, memory: Memory, settings: Settings) -> Floats:
    """Return U = used + swap debt + R: what a guest must have so as not to swap.

    A burst that the reflex saw, and a guest in distress, need at least what was promised to them.
    """
    size = memory.used + memory.swap_debt + reserve_bytes(snapshot.maximum)
    relief = snapshot.actual + settings.distress_share * snapshot.maximum
    size = np.where(memory.swapping, np.fmax(size, relief), size)
    return np.fmax(size, memory.promised)


def cushion(snapshot: Snapshot, memory: Memory, settings: Settings) -> Floats:
    """Return h = clip(g * tau, 2 % M, 30 % M): what a guest may grow by before help reaches it.

    g is the fastest growth seen, tau the time that help takes: the reflex's, or a whole tick with the age
    of the statistics.
    """
    unseen = settings.interval_seconds + np.fmax(snapshot.stats_age, 0.0) + settings.reaction_seconds
    seen = snapshot.watched & settings.reflex
    reach = np.where(seen, settings.reflex_reach_seconds, unseen)
    return np.clip(
        np.nan_to_num(memory.growth * reach),
        settings.cushion_floor_share * snapshot.maximum,
        settings.cushion_ceiling_share * snapshot.maximum,
    )


def cache(snapshot: Snapshot) -> Floats:
    """Return the page cache that a guest could drop, k = max(0, u - f): all is worth keeping."""
    return np.nan_to_num(np.maximum(snapshot.usable - snapshot.unused, 0.0))


def clamp(size: Floats, snapshot: Snapshot) -> Floats:
    """Return the sizes within each guest's floor and ceiling."""
    return np.minimum(np.maximum(size, snapshot.floor), snapshot.ceiling)


def short_of_free(snapshot: Snapshot, settings: Settings) -> Bools:
    """Return whether each guest has so little free memory that swap traffic is harm (False: unknown)."""
    short: Bools = snapshot.unused < settings.short_free_reserves * reserve_bytes(snapshot.maximum)
    return short
