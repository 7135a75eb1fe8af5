"""What there is to give: the budget, what is held of it, and what the host has left."""

from dataclasses import dataclass
from itertools import accumulate
from typing import Self

import numpy as np

from ballonet.facts.memory import Memory
from ballonet.facts.plan import TIERS
from ballonet.facts.snapshot import Bools, Floats, Snapshot, anybody, once, or_else
from ballonet.policy.need import cache
from ballonet.policy.settings import Settings

PAGE = 4096
CACHE, SURPLUS = TIERS.index("cache"), TIERS.index("surplus")


@dataclass(frozen=True, slots=True)
class Room:
    """What there is to give. Bytes."""

    held: Floats  # what each guest holds, or was already told that it may
    budget: float  # what the managed guests may hold together
    pool: float  # what is held back for bursts from all but needs
    store: float  # what is held back for bursts from surplus only
    free: float  # what can be handed out now: nobody holds it, the pool included
    over: float  # by how much more than the budget is held, or than the host has


@dataclass(frozen=True, slots=True)
class Share:
    """What the tiers came to."""

    wanted: Floats  # tiers x guests
    so_far: Floats  # the same, each tier with those before it
    allotted: Floats
    managed: Bools

    @classmethod
    def of(cls, wanted: Floats, allotted: Floats, managed: Bools) -> Self:
        """Return what is wanted, and what of it was allotted."""
        # A quarter of the time of numpy's `cumsum` along an axis.
        return cls(wanted, np.array(list(accumulate(wanted))), allotted, managed)


def room(snapshot: Snapshot, memory: Memory, settings: Settings, managed: Bools, need: Floats) -> Room:
    """Return what there is to give: a guest whose size is unknown holds its maximum."""
    actual = sizes(snapshot)
    # Granted but not yet taken counts as held; taken but not yet given back does too.
    pending = np.where(memory.arrived, -np.inf, or_else(memory.target, -np.inf))
    held = np.maximum(actual, pending)
    total = held.sum()
    told = float(np.maximum(held - np.fmax(actual, snapshot.rss), 0.0).sum())  # the host sees none of it
    free = min(settings.budget_bytes - total, host_free(snapshot, settings) - told) - settings.leased_bytes
    over = max(0.0, -free)
    # Nobody gives for the sake of a guest that starts, but what it may take by itself is not handed out.
    free = min(free, max(0.0, free - unheld(snapshot, held, settings)))
    # Where the host has less than the budget says, guests may hold what they do and what it has left.
    ours = total + free - held[~managed].sum()
    largest = float(snapshot.maximum[managed].max(initial=0.0))
    # The pool is for bursts of those who have what they need: it gives way to need, and to cache in use: what
    # was found to be, and all that those have who read for want of more.
    wish = pool_wish(snapshot, memory, settings, managed, need, largest) if settings.reflex else 0.0
    reads = np.where(memory.lost > settings.harm_share, cache(snapshot), 0.0)
    proven = np.maximum(memory.kept - memory.trial, reads)
    pool = float(min(max(ours - (need + proven)[managed].sum(), 0.0), wish))
    store = settings.store_share * largest if settings.reflex else 0.0
    return Room(held, ours - pool, pool, store, free, over)


def pool_wish(
    snapshot: Snapshot, memory: Memory, settings: Settings, managed: Bools, need: Floats, largest: float
) -> float:
    """Return the pool for bursts, bytes: a share of the largest guest until bursts were seen, then theirs.

    Bursts of many rarely coincide: of what each may grow by before others are called in, the root of the
    sum of squares is held back.
    """
    burst = or_else(memory.growth) * settings.pool_seconds
    burst = np.minimum(burst, np.maximum(snapshot.ceiling - need, 0.0))
    seen = settings.pool_deviations * float(np.sqrt(np.square(burst[managed]).sum()))
    return min(max(seen, settings.pool_share * largest), settings.pool_most_share * largest)


@once
def sizes(snapshot: Snapshot) -> Floats:
    """Return what each guest has; its maximum where that is unknown."""
    unknown = np.isnan(snapshot.actual)
    if not anybody(unknown):
        return snapshot.actual
    return np.where(unknown, or_else(snapshot.maximum), snapshot.actual)


def unheld(snapshot: Snapshot, held: Floats, settings: Settings) -> float:
    """Return the bytes that guests may have beyond what they hold: who was reset uses all that it sees.

    Measured: after a reset QEMU tells the size of before for some 12 s, until the balloon's driver is back.
    A guest that began since its last statistics has no driver yet.
    """
    age = or_else(snapshot.stats_age, np.inf)
    driverless = snapshot.uptime < age
    if not anybody(driverless):  # as in most ticks
        return 0.0
    driverless &= np.isfinite(age) | (snapshot.uptime < settings.boot_grace_seconds)
    return float(or_else(snapshot.maximum - held)[driverless].sum())


def host_free(snapshot: Snapshot, settings: Settings) -> float:
    """Return what the host could still give.

    Memory that guests were granted but never touched is spent, and so is what KSM saves: it belongs to those
    whose pages were merged, and they take it again by writing.
    """
    if snapshot.host is None:
        return np.inf
    available = snapshot.host.available_bytes + snapshot.host.arc_shrinkable_bytes
    spent = _untouched(snapshot) + snapshot.host.merged_bytes
    return float(available - spent - settings.reserve_bytes)


@once
def _untouched(snapshot: Snapshot) -> float:
    """Return the bytes that guests were granted and never touched."""
    untouched = np.maximum(sizes(snapshot) - snapshot.rss, 0.0)
    return float(or_else(untouched).sum())
