"""The decision: who gets what (four tiers by max-min fairness), and how each guest gets there from here."""

import numpy as np

from ballonet.facts.memory import Memory
from ballonet.facts.plan import Bound, Plan
from ballonet.facts.snapshot import Bools, Codes, Floats, Snapshot, anybody
from ballonet.facts.verdict import CODES
from ballonet.policy.motion import grown, motion
from ballonet.policy.need import wants
from ballonet.policy.room import CACHE, PAGE, SURPLUS, Share, room
from ballonet.policy.settings import Settings
from ballonet.policy.verdicts import verdicts
from ballonet.policy.waterfill import waterfill
from ballonet.units import MIB


def plan(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """Return what should happen next: the same inputs give the same plan, byte for byte."""
    codes = verdicts(snapshot, memory, settings)
    may_grow = (codes >= CODES["stale"]) & ~np.isnan(memory.used)
    wanted = np.where(may_grow, wants(snapshot, memory, settings), 0.0)
    there = room(snapshot, memory, settings, may_grow, wanted[0])
    whole = float(wanted[:SURPLUS].sum())
    # Where all but surplus is there, and a little more, nobody needs to know of how much.
    budget = np.inf if whole + MIB < there.budget else there.budget
    got = _tiers(snapshot, memory, wanted, may_grow, (budget, there.budget - there.store))
    share = Share.of(wanted, np.where(may_grow, got.sum(axis=0), there.held), may_grow)
    growth = grown(snapshot, memory, share, there, settings)
    may_shrink = may_grow & (codes == CODES["managed"])
    target, bound = motion(snapshot, memory, settings, there, share, growth, may_shrink)
    target = np.where(may_grow, target, _again(snapshot, memory, settings, codes))
    return Plan(
        snapshot=snapshot,
        verdict=codes,
        target=np.floor(target / PAGE) * PAGE,
        allotted=share.allotted,
        wanted=wanted,
        got=got,
        bound=np.where(may_grow, bound, np.int8(Bound.VERDICT)),
        budget=there.budget,
        pool=there.pool,
        free=there.free - float(growth.sum()),
        short=max(0.0, whole - there.budget),
        state=memory.host.state,
    )


def _again(snapshot: Snapshot, memory: Memory, settings: Settings, codes: Codes) -> Floats | float:
    """Return the size that guests are told which did not follow: the one they have; NaN of all others."""
    stuck = codes == CODES["stuck"]
    if not anybody(stuck):
        return np.nan
    unheard = stuck & (np.abs(memory.target - snapshot.actual) > settings.settle_bytes)
    return np.where(unheard, snapshot.actual, np.nan)


def _tiers(
    snapshot: Snapshot, memory: Memory, wanted: Floats, managed: Bools, budgets: tuple[float, float]
) -> Floats:
    """Return what each guest gets, tiers x guests: each tier is filled before the next gets anything.

    Of cache that part comes first that is known to be in use. `budgets` are for all but surplus, and with it.
    """
    got = np.zeros(wanted.shape)
    low = np.where(managed, np.minimum(snapshot.floor, wanted[0]), 0.0)
    for tier, wish in enumerate(wanted):
        budget = budgets[tier == SURPLUS]
        size = low
        if tier == CACHE:
            size = waterfill(low, low + np.minimum(memory.kept, wish), snapshot.weight, budget)
        size = waterfill(size, wish if tier == 0 else low + wish, snapshot.weight, budget)
        got[tier] = size if tier == 0 else size - low
        low = size
    return got
