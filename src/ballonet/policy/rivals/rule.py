"""What every rule needs: who may be touched, and a plan made of wishes."""

import numpy as np

from ballonet.facts.memory import Memory
from ballonet.facts.plan import TIERS, Bound, Plan
from ballonet.facts.snapshot import Bools, Floats, Snapshot
from ballonet.facts.verdict import CODES
from ballonet.policy.room import PAGE
from ballonet.policy.settings import Settings
from ballonet.policy.verdicts import verdicts


def none(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """Leave all guests as they are."""
    return made(snapshot, memory, settings, snapshot.actual)


def made(
    snapshot: Snapshot, memory: Memory, settings: Settings, size: Floats, when: Bools | None = None
) -> Plan:
    """Return a plan that brings guests to these sizes within floor and ceiling; `when`: whose turn it is."""
    codes = verdicts(snapshot, memory, settings)
    managed = (codes == CODES["managed"]) & ~np.isnan(size)
    size = np.minimum(np.maximum(size, snapshot.floor), snapshot.ceiling)
    moves = managed & (np.abs(size - snapshot.actual) > settings.settle_bytes)
    moves = moves if when is None else moves & when
    nothing = np.zeros((len(TIERS), len(snapshot)))
    bound = np.where(size > snapshot.actual, Bound.GROWS, Bound.SHRINKS)
    return Plan(
        snapshot=snapshot,
        verdict=codes,
        target=np.where(moves, np.floor(size / PAGE) * PAGE, np.nan),
        allotted=np.where(managed, size, snapshot.actual),
        wanted=nothing,
        got=nothing,
        bound=np.where(managed, np.where(moves, bound, Bound.NOTHING), Bound.VERDICT).astype(np.int8),
        budget=settings.budget_bytes,
        pool=0.0,
        free=0.0,
        short=0.0,
    )


def its_turn(snapshot: Snapshot, memory: Memory, seconds: float) -> Bools:
    """Return whose last change is so long ago: a round of programs that look more seldom than we do."""
    turn: Bools = snapshot.taken_at - memory.changed_at >= seconds
    return turn


def taken(snapshot: Snapshot) -> float:
    """Return the bytes of the host's memory that its guests have, or may take at any time."""
    return float(np.nansum(snapshot.actual))
