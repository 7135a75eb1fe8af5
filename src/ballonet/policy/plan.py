"""The decision: who gets what (four tiers by max-min fairness), and how each guest gets there from here."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ballonet.facts.memory import Memory
from ballonet.facts.plan import TIERS, Bound, Plan
from ballonet.facts.snapshot import Bools, Floats, Snapshot
from ballonet.facts.verdict import CODES
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.need import cache, wants
from ballonet.policy.settings import Settings
from ballonet.policy.verdicts import verdicts
from ballonet.policy.waterfill import waterfill

PAGE = 4096
SURPLUS = TIERS.index("surplus")


def plan(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """Return what should happen next: the same inputs give the same plan, byte for byte."""
    codes = verdicts(snapshot, memory, settings)
    may_grow = (codes >= CODES["stale"]) & ~np.isnan(memory.used)
    wanted = np.where(may_grow, wants(snapshot, memory, settings), 0.0)
    room = _room(snapshot, memory, settings, may_grow, wanted[0])
    got = _tiers(snapshot, wanted, may_grow, room)
    allotted = np.where(may_grow, got.sum(axis=0), room.held)
    growth = _growth(snapshot, wanted, allotted, may_grow, room, settings)
    may_shrink = may_grow & (codes == CODES["managed"])
    target, bound = _motion(snapshot, memory, settings, room, allotted, wanted, growth, may_shrink)
    unheard = (codes == CODES["stuck"]) & (np.abs(memory.target - snapshot.actual) > settings.settle_bytes)
    target = np.where(may_grow, target, np.where(unheard, snapshot.actual, np.nan))
    return Plan(
        snapshot=snapshot,
        verdict=codes,
        target=np.floor(target / PAGE) * PAGE,
        allotted=allotted,
        wanted=wanted,
        got=got,
        bound=np.where(may_grow, bound, Bound.VERDICT).astype(np.int8),
        budget=room.budget,
        pool=room.pool,
        free=room.free - float(growth.sum()),
        short=max(0.0, float(wanted[:SURPLUS].sum()) - room.budget),
    )


@dataclass(frozen=True, slots=True)
class _Room:
    """What there is to give."""

    held: Floats  # what each guest holds, or was already told that it may
    budget: float  # what the managed guests may hold together
    pool: float  # what is held back for bursts from all but needs
    store: float  # what is held back for bursts from surplus only
    free: float  # what can be handed out now: nobody holds it, the pool included


def _room(snapshot: Snapshot, memory: Memory, settings: Settings, managed: Bools, need: Floats) -> _Room:
    """Return what there is to give: a guest whose size is unknown holds its maximum."""
    actual = np.where(np.isnan(snapshot.actual), np.nan_to_num(snapshot.maximum), snapshot.actual)
    # Granted but not yet taken counts as held; taken but not yet given back does too.
    pending = np.where(memory.arrived, -np.inf, np.nan_to_num(memory.target, nan=-np.inf))
    held = np.maximum(actual, pending)
    ours = settings.budget_bytes - held[~managed].sum()
    largest = snapshot.maximum[managed].max() if managed.any() else 0.0
    # The pool is for bursts of those who have what they need: it gives way to need.
    wish = settings.pool_share * largest if settings.reflex else 0.0
    pool = min(wish, max(0.0, ours - need[managed].sum()))
    store = settings.store_share * largest if settings.reflex else 0.0
    free = settings.budget_bytes - held.sum()
    return _Room(held, ours - pool, pool, store, min(free, _host_free(snapshot, actual, settings)))


def _host_free(snapshot: Snapshot, actual: Floats, settings: Settings) -> float:
    """Return what the host could still give: memory that guests were granted but never touched is spent."""
    if snapshot.host is None:
        return np.inf
    untouched = np.maximum(actual - snapshot.rss, 0.0)
    available = snapshot.host.available_bytes + snapshot.host.arc_shrinkable_bytes
    return float(available - np.nan_to_num(untouched).sum() - settings.reserve_bytes)


def _tiers(snapshot: Snapshot, wanted: Floats, managed: Bools, room: _Room) -> Floats:
    """Return what each guest gets, tiers x guests: each tier is filled before the next gets anything."""
    got = np.zeros_like(wanted)
    low = np.where(managed, np.minimum(snapshot.floor, wanted[0]), 0.0)
    for tier, wish in enumerate(wanted):
        high = wish if tier == 0 else low + wish
        size = waterfill(low, high, snapshot.weight, room.budget - (room.store if tier == SURPLUS else 0.0))
        got[tier] = size if tier == 0 else size - low
        low = size
    return got


def _growth(
    snapshot: Snapshot, wanted: Floats, allotted: Floats, managed: Bools, room: _Room, settings: Settings
) -> Floats:
    """Return by how much each guest grows now: needs may use the pool, all but surplus the store."""
    wish = np.where(managed, np.maximum(allotted - room.held, 0.0), 0.0)
    wish = np.where(wish > deadband(snapshot.actual, settings) / 2, wish, 0.0)
    growth, wanted_so_far = np.zeros(len(snapshot)), np.cumsum(wanted, axis=0)
    for tier, kept in ((0, 0.0), (SURPLUS - 1, room.pool), (SURPLUS, room.pool + room.store)):
        part = np.clip(
            np.minimum(allotted, wanted_so_far[tier]) - room.held, growth, np.maximum(wish, growth)
        )
        growth = waterfill(growth, part, snapshot.weight, max(room.free - kept, growth.sum()))
    return growth


class _Call(IntEnum):
    """How much somebody waits for what others can spare."""

    NOBODY = 0  # what is taken goes back to the host: bites, and a dwell after growth
    WANTED = 1  # for a cushion, cache or the store: taken at once, but small change is not worth a write
    NEEDED = 2  # a need is unmet, the pool was drawn on, or the budget is exceeded


def _call(wanted: Floats, room: _Room, unmet: Floats) -> _Call:
    """Return how urgently memory is called for; what is taken for a need is taken at once."""
    lacking = np.clip(wanted[0] - room.held, 0.0, np.maximum(unmet, 0.0))
    if lacking.any() or room.free < 0.75 * room.pool:
        return _Call.NEEDED
    lacking = np.clip(wanted[:SURPLUS].sum(axis=0) - room.held, 0.0, np.maximum(unmet, 0.0))
    short = room.free < 0.75 * (room.pool + room.store)
    return _Call.WANTED if short or lacking.any() else _Call.NOBODY


def _bite(snapshot: Snapshot, settings: Settings, band: Floats, call: _Call) -> Floats:
    """Return the most that may be taken from each guest in one step: unused first, then cache."""
    unused = np.maximum(snapshot.unused - reserve_bytes(snapshot.maximum), 0.0)
    if call == _Call.NOBODY:
        probe = np.maximum(settings.bite_share * snapshot.actual, band)
        return np.minimum(probe, settings.squeeze_share * unused)
    return settings.squeeze_share * unused + settings.cache_share * cache(snapshot)


def _motion(
    snapshot: Snapshot,
    memory: Memory,
    settings: Settings,
    room: _Room,
    allotted: Floats,
    wanted: Floats,
    growth: Floats,
    may_shrink: Bools,
) -> tuple[Floats, NDArray[np.int_]]:
    """Return each managed guest's next target (NaN: none) and the rule that bound it."""
    actual, wish, band = snapshot.actual, allotted - room.held, deadband(snapshot.actual, settings)
    call = _call(wanted, room, wish - growth)
    excess = actual - np.maximum(allotted, np.maximum(wanted[0], snapshot.floor))
    bite = np.minimum(excess, _bite(snapshot, settings, band, call))
    # Where somebody is in need, twice of what counts as "arrived" is worth a write.
    least = np.full_like(band, 2 * settings.settle_bytes) if call == _Call.NEEDED else band
    rests = (call == _Call.NOBODY) & (snapshot.taken_at - memory.grew_at < settings.dwell_seconds)
    waits = ~may_shrink | (snapshot.stats_at <= memory.changed_at) | ~memory.arrived
    grows = growth > band / 4
    bound = np.select(
        [
            grows & (growth < wish - PAGE),
            grows,
            wanted[:SURPLUS].sum(axis=0) - room.held > band / 2,
            excess <= least,
            waits,
            memory.swapping,
            rests,
            bite <= settings.settle_bytes,
            bite < excess,
        ],
        [
            Bound.HOST_SHORT,
            Bound.GROWS,
            Bound.HOST_SHORT,
            Bound.NOTHING,
            Bound.WAITS,
            Bound.DISTRESS,
            Bound.DWELL,
            Bound.DEADBAND,
            Bound.BITE,
        ],
        default=Bound.SHRINKS,
    )
    shrinks = (bound == Bound.BITE) | (bound == Bound.SHRINKS)
    target = np.where(grows, room.held + growth, np.where(shrinks, actual - bite, np.nan))
    return target, bound


def deadband(actual: Floats, settings: Settings) -> Floats:
    """Return the change, in bytes, below which a guest of each size is left as it is."""
    return np.maximum(settings.deadband_share * actual, settings.deadband_bytes)
