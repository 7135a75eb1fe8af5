"""ESX's rule (Waldspurger, OSDI 2002): shares of the host, and a tax on memory that lies idle.

Which pages are active ESX finds by taking the mapping of a hundred away every 30 s and counting those that
are touched. Nobody outside a KVM guest sees that: what is used (all but `usable`) stands for it, which counts
cold programs as active and all cache as idle.
"""

import numpy as np

from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Floats, Snapshot
from ballonet.policy.rivals.rule import its_turn, made, taken
from ballonet.policy.settings import Settings

IDLE_TAX = 0.75
IDLE_COST = 1 / (1 - IDLE_TAX)  # what an idle page costs of a guest's shares, an active one being 1
# Of host memory. Below soft it balloons until high is reached again; below hard it pages guests out itself,
# which is ballooning's business here; below low who has more than its target gets nothing more.
HIGH, SOFT, LOW = 0.06, 0.04, 0.01
SAMPLE_SECONDS = 30.0  # a round of its estimate of what is active
BALLOON_MOST = 0.65  # of a guest (Mem.CtlMaxPercent)
HALVINGS = 60


def esx(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """Bring all guests to what their shares buy, every round, and at once where the host is short."""
    least = np.maximum(snapshot.floor, (1 - BALLOON_MOST) * snapshot.maximum)
    active = np.clip(np.nan_to_num(snapshot.actual - snapshot.usable), 0.0, snapshot.ceiling)
    size = bought(snapshot.weight, active, least, snapshot.ceiling, (1 - HIGH) * settings.budget_bytes)
    free = 1.0 - taken(snapshot) / settings.budget_bytes
    turn = its_turn(snapshot, memory, SAMPLE_SECONDS) | (free < SOFT)
    return made(snapshot, memory, settings, size, turn & ((free >= LOW) | (size < snapshot.actual)))


def bought(shares: Floats, active: Floats, least: Floats, most: Floats, budget: float) -> Floats:
    """Return sizes (bytes) at one price for all: shares / (active + IDLE_COST * idle), within the limits.

    Min-funding revocation ends there: who pays least for its pages gives them to who pays most.
    """
    cheap, dear = 0.0, float((IDLE_COST * most / shares).max(initial=0.0))
    for _ in range(HALVINGS):
        money = (cheap + dear) / 2
        fits = float(_size(shares * money, active, least, most).sum()) <= budget
        cheap, dear = (money, dear) if fits else (cheap, money)
    return _size(shares * cheap, active, least, most)


def _size(means: Floats, active: Floats, least: Floats, most: Floats) -> Floats:
    """Return what can be had for so much: active pages at 1, idle ones at IDLE_COST."""
    size = np.minimum(means, active) + np.maximum(means - active, 0.0) / IDLE_COST
    clipped: Floats = np.clip(size, least, most)
    return clipped
