"""From here to there: who grows at once, who gives a bite, and what stops it."""

import numpy as np

from ballonet.facts.host import HostState
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Bound
from ballonet.facts.snapshot import Bools, Codes, Floats, Snapshot, anybody, clip, everybody, first_of
from ballonet.policy.bites import Call, at_once, bite, call, deadband, excess
from ballonet.policy.room import CACHE, PAGE, SURPLUS, Room, Share
from ballonet.policy.settings import Settings
from ballonet.policy.waterfill import waterfill

_SHRINKS = np.array([bound in {Bound.BITE, Bound.SHRINKS} for bound in Bound])  # by bound


def grown(snapshot: Snapshot, memory: Memory, share: Share, room: Room, settings: Settings) -> Floats:
    """Return by how much each guest grows now: needs may use the pool, all but surplus the store.

    Surplus is given while the host has plenty, and slowly.
    """
    wish = np.where(share.managed, np.maximum(share.allotted - room.held, 0.0), 0.0)
    worth = wish > deadband(snapshot, settings) / 2
    growth = np.zeros(len(snapshot))
    if not anybody(worth):
        return growth
    wish = np.where(worth, wish, 0.0)
    slowly = settings.surplus_share * snapshot.maximum if memory.host.state is HostState.PLENTY else 0.0
    for tier, kept in ((0, 0.0), (CACHE, room.pool), (SURPLUS, room.pool + room.store)):
        given = growth.sum()
        if room.free - kept <= given:
            continue
        part = np.minimum(share.allotted, share.so_far[tier]) - room.held
        if not anybody(part > growth):
            continue
        part = clip(part, growth, np.maximum(wish, growth))
        part = np.fmin(part, growth + slowly) if tier == SURPLUS else part
        growth = waterfill(growth, part, snapshot.weight, room.free - kept)
    return growth


def motion(
    snapshot: Snapshot,
    memory: Memory,
    settings: Settings,
    room: Room,
    share: Share,
    growth: Floats,
    may_shrink: Bools,
) -> tuple[Floats, Codes]:
    """Return each managed guest's next target (NaN: none) and the rule that bound it."""
    actual, wish, band = snapshot.actual, share.allotted - room.held, deadband(snapshot, settings)
    urgency, lacking = call(share, memory, room, growth)
    much = excess(snapshot, memory, share, room, settings, urgency)
    # Where somebody lacks memory, twice of what counts as "arrived" is worth a write.
    least = np.full(band.shape, 2 * settings.settle_bytes) if urgency >= Call.LACKED else band
    grows = growth > band / 4
    little = much <= least
    rules = [
        (Bound.HOST_SHORT, grows & (growth < wish - PAGE)),
        (Bound.GROWS, grows),
        (Bound.HOST_SHORT, little & (share.so_far[CACHE] - room.held > band / 2)),
        (Bound.NOTHING, little),
    ]
    target = np.where(grows, room.held + growth, np.nan)
    if everybody(little):  # as in most ticks
        return target, first_of(rules, Bound.NOTHING, len(snapshot))
    waits = ~may_shrink | (snapshot.stats_at <= memory.changed_at) | ~memory.arrived
    taken = bite(snapshot, memory, settings, urgency, much)
    if urgency == Call.NEEDED:
        able = ~waits & ~memory.distress & (much > 0.0)
        taken = taken + at_once(
            snapshot, memory, settings, np.where(able, much, 0.0), np.where(able, taken, 0.0), lacking
        )
    rests = (urgency == Call.NOBODY) & (snapshot.taken_at - memory.grew_at < _dwell(memory, settings))
    rules += [
        (Bound.WAITS, waits),
        (Bound.DISTRESS, memory.distress),
        (Bound.DWELL, rests),
        (Bound.DEADBAND, taken <= settings.settle_bytes),
        (Bound.BITE, taken < much),
    ]
    bound = first_of(rules, Bound.SHRINKS, len(snapshot))
    return np.where(_SHRINKS[bound], actual - taken, target), bound


def _dwell(memory: Memory, settings: Settings) -> float:
    """Return for how long nothing is taken after a growth, seconds."""
    return settings.dwell_seconds / (3.0 if memory.host.state >= HostState.HARD else 1.0)
