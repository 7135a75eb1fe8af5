"""Rules that are driven by each guest's own demand, and know of no host."""

import numpy as np

from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.rivals.rule import its_turn, made
from ballonet.policy.settings import Settings
from ballonet.units import MIB

HYPER_V_BUFFER = 0.2
VIRTUI_HIGH, VIRTUI_LOW, VIRTUI_GROW, VIRTUI_SHRINK, VIRTUI_SECONDS = 0.65, 0.55, 0.30, 0.10, 10.0
XEN_SECONDS, XEN_HYSTERESIS, XEN_RESERVE = 5.0, 8.0, 99 * MIB


def hyper_v(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """Hyper-V's Dynamic Memory: demand and a buffer of 20 %; what is used stands for it."""
    used = snapshot.actual - snapshot.usable
    return made(snapshot, memory, settings, used * (1 + HYPER_V_BUFFER))


def virtui(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """virtui: above 65 % used +30 % at once, below 55 % -10 % at most every ten seconds; a step a sample."""
    used = 1.0 - snapshot.usable / snapshot.available
    grows, shrinks = used >= VIRTUI_HIGH, used <= VIRTUI_LOW
    step = np.where(grows, 1 + VIRTUI_GROW, np.where(shrinks, 1 - VIRTUI_SHRINK, 1.0))
    turn = (snapshot.stats_at > memory.changed_at) & (grows | its_turn(snapshot, memory, VIRTUI_SECONDS))
    return made(snapshot, memory, settings, snapshot.actual * step, turn)


def xen(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """Xen's self-ballooning: committed memory and a reserve; at once upward, an eighth of the way down.

    What is committed is not told: used memory (without `usable`) and swap stand for it.
    """
    committed = snapshot.actual - snapshot.usable + memory.swap_debt
    goal = committed + XEN_RESERVE + 0.02 * snapshot.maximum
    down = snapshot.actual - (snapshot.actual - goal) / XEN_HYSTERESIS
    size = np.where(goal < snapshot.actual, down, goal)
    return made(snapshot, memory, settings, size, its_turn(snapshot, memory, XEN_SECONDS))
