"""Rules that are driven by the host's pressure."""

import numpy as np

from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.rivals.rule import its_turn, made, taken
from ballonet.policy.settings import Settings
from ballonet.units import MIB

MOM_SECONDS = 10.0  # a round of its policy; its averages over ten samples are left out, which flatters it
MOM_PRESSURE, MOM_CRITICAL, MOM_FREE, MOM_STEP, MOM_LEAST = 0.20, 0.05, 0.20, 0.05, 0.0025
PROXMOX_SECONDS = 10.0
PROXMOX_STEP, PROXMOX_DEADBAND, PROXMOX_SHARE = 100 * MIB, 10 * MIB, 0.8


def equal_split(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """Give each guest the same share of the budget, by weight, once and for all."""
    size = settings.budget_bytes * snapshot.weight / max(float(snapshot.weight.sum()), 1.0)
    return made(snapshot, memory, settings, size)


def mom(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """OVirt's Memory Overcommitment Manager, `balloon.rules` as it comes (v0.6.5).

    Host below 20 % free: every guest shrinks by at most 5 % toward its used memory (`unused`, so cache
    counts as used) and a free share that falls with the host's; below 5 % that share is negative. Else
    every guest grows to used + 20 %, by 5 % at least.
    """
    free = 1.0 - taken(snapshot) / settings.budget_bytes
    actual, used = snapshot.actual, snapshot.actual - snapshot.unused
    if free < MOM_PRESSURE:
        share = free - MOM_CRITICAL if free <= MOM_CRITICAL else MOM_FREE * free / MOM_PRESSURE
        size = np.minimum(np.maximum(used + share * actual, actual * (1 - MOM_STEP)), actual)
    else:
        size = np.maximum(actual * (1 + MOM_STEP), used + MOM_FREE * actual)
    worth = np.abs(size - actual) > MOM_LEAST * actual
    return made(snapshot, memory, settings, size, worth & its_turn(snapshot, memory, MOM_SECONDS))


def proxmox(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """Proxmox VE's `pvestatd`: 100 MiB a guest and round toward 80 % of the host.

    The whole change goes to guests by their shares above their minima; those with more than a quarter of
    their minimum free give first, those with less get first, and only if none moves, all.
    """
    rest = PROXMOX_SHARE * settings.budget_bytes - taken(snapshot)
    actual, least = snapshot.actual, snapshot.floor
    if abs(rest) <= PROXMOX_DEADBAND:
        return made(snapshot, memory, settings, actual)
    spread = max(float((actual - least).sum()) + rest, 0.0)
    desired = least + spread * snapshot.weight / max(float(snapshot.weight.sum()), 1.0)
    desired = np.minimum(np.maximum(desired, least), snapshot.ceiling)
    size = np.clip(desired, actual - PROXMOX_STEP, actual + PROXMOX_STEP)
    comfortable = (snapshot.unused > 0.25 * least) & (actual >= least)
    first = ~comfortable if rest > 0 else comfortable
    moves = (size > actual) if rest > 0 else (size < actual)
    chosen = first if (first & moves).any() else np.ones_like(first)
    return made(snapshot, memory, settings, size, chosen & its_turn(snapshot, memory, PROXMOX_SECONDS))
