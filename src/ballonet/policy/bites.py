"""What is taken from guests: how urgently others wait for it, and how much of what at once."""

from enum import IntEnum

import numpy as np

from ballonet.facts.host import HostState
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot
from ballonet.policy.need import cache, reserve
from ballonet.policy.room import CACHE, PAGE, SURPLUS, Room, Share
from ballonet.policy.settings import Settings


class Call(IntEnum):
    """How much somebody waits for what others can spare."""

    NOBODY = 0  # what is taken goes back to the host: bites, and a dwell after growth
    WANTED = 1  # for unknown cache or the pool: unused memory at once, cache in bites where the host is tight
    LACKED = 2  # for a cushion, or cache in use: cache in bites, and small change is worth a write
    NEEDED = 3  # a need is unmet, or more is held than there is: cache at once


def call(share: Share, memory: Memory, room: Room, growth: Floats) -> tuple[Call, float]:
    """Return how urgently memory is called for beside this growth, and how much needs lack (bytes)."""
    there = np.where(share.managed, room.held + growth, np.inf)
    left = room.free - float(growth.sum())

    def lacks(wish: Floats) -> float:
        return float(np.maximum(np.minimum(wish, share.allotted) - there, 0.0).sum())

    need, cushion, cached = share.so_far[:SURPLUS]
    # What is left would do, and was not worth a write: nobody waits for others because of that.
    unmet = lacks(need)
    lacking = max(unmet if unmet > left else 0.0, room.over)
    if lacking >= PAGE:
        return Call.NEEDED, lacking
    in_use = lacks(cushion + np.minimum(memory.kept, share.wanted[CACHE]))
    if in_use >= PAGE and in_use > left - room.pool:
        return Call.LACKED, 0.0
    if lacks(cached) >= PAGE or left < 0.75 * (room.pool + room.store):
        return Call.WANTED, 0.0
    return Call.NOBODY, 0.0


def excess(
    snapshot: Snapshot, memory: Memory, share: Share, room: Room, settings: Settings, urgency: Call
) -> Floats:
    """Return what each guest has beyond what it is to have, never below its need, or its share of it."""
    need = np.minimum(share.wanted[0], share.allotted) if settings.allow_swap else share.wanted[0]
    lowest = np.maximum(need, snapshot.floor)
    quiet = urgency == Call.NOBODY
    probed = _probed(snapshot, memory, share, room, settings) if quiet else np.zeros(len(snapshot))
    allotted = share.allotted
    if quiet and memory.host.state >= HostState.TIGHT:
        # Surplus is not given now: a part in what is free must not keep a guest's cache from being tried.
        allotted = np.minimum(allotted, share.so_far[CACHE])
    much: Floats = snapshot.actual - np.maximum(allotted - probed, lowest)
    return much


def bite(snapshot: Snapshot, memory: Memory, settings: Settings, urgency: Call, much: Floats) -> Floats:
    """Return the most that is taken of that in one step: unused memory, and watched bites of cache.

    What a guest has beyond its ceiling is taken of its cache whoever waits, and whatever protects that.
    """
    unused = _unused(snapshot, settings)
    small = _small(snapshot, settings, memory.host.state)
    of_cache = np.minimum(small, settings.cache_share * cache(snapshot))
    if urgency < Call.LACKED and memory.host.state < HostState.TIGHT:
        may_take = np.zeros(len(snapshot), dtype=np.bool_)
    else:
        may_take = _may_probe(snapshot, memory, settings)
    of_cache = np.where(may_take | (snapshot.actual > snapshot.ceiling), of_cache, 0.0)
    unused = np.minimum(small, unused) if urgency == Call.NOBODY else unused
    gently = urgency < Call.LACKED and memory.host.state < HostState.HARD
    most = settings.inflate_rate_bytes * settings.interval_seconds if gently else np.inf
    return np.minimum(much, np.minimum(unused + of_cache, most))


def at_once(
    snapshot: Snapshot, memory: Memory, settings: Settings, much: Floats, bitten: Floats, lacking: float
) -> Floats:
    """Return what is taken for a need beside the bites: cache, of all alike, as much as is lacking.

    Where guests may be made to swap a bite is taken even when there is neither cache nor unused memory.
    """
    most = _unused(snapshot, settings) + settings.cache_share * cache(snapshot)
    if settings.allow_swap:
        most = np.maximum(most, _small(snapshot, settings, memory.host.state))
    cached = np.maximum(np.minimum(much, most) - bitten, 0.0)
    still = max(0.0, lacking - float(bitten.sum()))
    return cached * min(1.0, still / max(float(cached.sum()), 1.0))


def _unused(snapshot: Snapshot, settings: Settings) -> Floats:
    """Return what is taken at once of the memory unused beyond the reserve."""
    # What it took since its statistics were sent is not unused any more.
    unused = snapshot.unused - np.fmax(snapshot.risen, 0.0)
    spare: Floats = np.maximum(unused - reserve(snapshot), 0.0)
    return settings.squeeze_share * spare


def _small(snapshot: Snapshot, settings: Settings, state: HostState) -> Floats:
    """Return the size of a bite: what is worth a write, or a share of what the guest has."""
    share = settings.hard_bite_share if state >= HostState.HARD else settings.bite_share
    return np.maximum(share * snapshot.actual, deadband(snapshot, settings))


def _may_probe(snapshot: Snapshot, memory: Memory, settings: Settings) -> Bools:
    """Return whose cache may be tried: nobody's under a hold, on trial, harmed, or watched after a bite."""
    now = snapshot.taken_at
    watched = now - memory.bitten_at < np.maximum(settings.watch_seconds, 3.0 * snapshot.period)
    able: Bools = ~watched & (now >= memory.hold_until) & (memory.trial == 0.0) & ~memory.distress
    return able & (memory.lost <= settings.harm_share)


def _probed(snapshot: Snapshot, memory: Memory, share: Share, room: Room, settings: Settings) -> Floats:
    """Return what is tried of cache that is not known to be in use: a little from many, while tight."""
    if memory.host.state < HostState.TIGHT:
        return np.zeros(len(snapshot))
    able = share.managed & _may_probe(snapshot, memory, settings)
    cold = np.where(able, np.maximum(cache(snapshot) - memory.kept, 0.0), 0.0)
    band = deadband(snapshot, settings)
    bite = np.minimum(_small(snapshot, settings, memory.host.state), settings.cache_share * cold)
    bite = np.where(bite > band / 2, np.maximum(bite, 1.1 * band), 0.0)
    lacking = settings.tight_leave_share * settings.budget_bytes - room.free
    coldest = (-cold).argsort(kind="stable")
    before = np.empty_like(bite)
    before[coldest] = bite[coldest].cumsum() - bite[coldest]
    return np.where(before < lacking, bite, 0.0)


def deadband(snapshot: Snapshot, settings: Settings) -> Floats:
    """Return the change, in bytes, below which each guest is left as it is."""
    worth = np.minimum(settings.deadband_bytes, settings.deadband_most_share * snapshot.maximum)
    return np.maximum(settings.deadband_share * snapshot.actual, worth)
