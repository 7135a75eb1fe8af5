"""What the host sees of a guest's disks: whether it reads again what it had to drop.

Reads of dropped page cache raise neither `swap_in` nor `major_fault`, but the host sees each of them.
"""

import numpy as np

from ballonet.facts.evolve import evolve
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot, anybody, or_else
from ballonet.policy.decay import follow, left
from ballonet.policy.heard import heard, listened
from ballonet.policy.need import is_cut, reclaims
from ballonet.policy.settings import Settings

LEAST_REQUESTS = 20  # of fewer reads the time of one is not learned


def read_disks(memory: Memory, snapshot: Snapshot, seconds: Floats, settings: Settings) -> Memory:
    """Take in what the disks did in the seconds that passed since the last look; NaN where it is not seen."""
    span = np.where(seconds > 0.0, seconds, np.nan)
    requests = snapshot.disk_reads - memory.disk_reads
    # A disk that is unplugged takes all that it ever read out of the sum.
    requests = np.where(requests >= 0.0, requests, np.nan)
    latest = requests / span
    if listened(snapshot):
        latest = np.fmax(latest, _waits(snapshot, memory, settings))
    of_rates = left(seconds, settings.read_half_life_seconds)
    rate = follow(memory.read_rate, latest, of_rates)
    each = (snapshot.disk_read_seconds - memory.disk_read_seconds) / np.maximum(requests, 1.0)
    each = np.where((requests >= LEAST_REQUESTS) & (each >= 0.0), each, np.nan)
    running = (snapshot.vcpu_seconds - memory.vcpu_seconds) / span
    cut = is_cut(snapshot, settings)
    # It falls soon and rises slowly; a guest that is cut may read for that reason: then it only falls.
    slow = np.where(rate < memory.usual_reads, settings.usual_fall_seconds, settings.usual_rise_seconds)
    usual = follow(memory.usual_reads, rate, left(seconds, slow))
    usual = np.where(cut, np.fmin(usual, memory.usual_reads), usual)
    # What it read a while ago does not count against the size that it has now.
    reads = cut & (latest > settings.idle_reads) & ~memory.distress
    memory = evolve(
        memory,
        looked_at=np.full(len(snapshot), snapshot.taken_at),
        disk_reads=snapshot.disk_reads,
        disk_read_seconds=snapshot.disk_read_seconds,
        vcpu_seconds=snapshot.vcpu_seconds,
        read_rate=rate,
        usual_reads=or_else(usual),
        read_seconds=follow(memory.read_seconds, each, left(seconds, settings.latency_half_life_seconds)),
        busy=follow(memory.busy, running, of_rates),
        lost=np.zeros(len(snapshot)),
    )
    if not anybody(reads):
        return memory
    reads &= reclaims(snapshot)
    return evolve(memory, lost=np.where(reads, _lost(memory, settings), 0.0))


def _waits(snapshot: Snapshot, memory: Memory, settings: Settings) -> Floats:
    """Return the reads/s that make programs wait as long as their guest's agent tells; NaN: it does not.

    The host sees no reads of a network file system, or of a passed-through disk; but who reads again what
    it had to drop waits for memory, and who streams does not.
    """
    waits: Floats = heard(snapshot, memory, settings).pressure / _each(memory, settings)
    return waits


def reads_more(memory: Memory, settings: Settings) -> Bools:
    """Return whether a guest reads more than usual."""
    more: Bools = memory.read_rate > _usual(memory, settings)
    return more


def excess_reads(memory: Memory, settings: Settings) -> Floats:
    """Return by how much a guest reads more than usual, requests/s."""
    excess: Floats = np.maximum(memory.read_rate - _usual(memory, settings), 0.0)
    return excess


def _usual(memory: Memory, settings: Settings) -> Floats:
    """Return the requests/s beyond which a guest reads more than usual."""
    return settings.usual_reads_share * memory.usual_reads + settings.idle_reads


def _lost(memory: Memory, settings: Settings) -> Floats:
    """Return the share of its time that a guest loses to reads beyond its usual ones."""
    lost = excess_reads(memory, settings) * _each(memory, settings) / np.fmax(memory.busy, 1.0)
    return or_else(lost)


def _each(memory: Memory, settings: Settings) -> Floats:
    """Return the seconds that one read takes."""
    return or_else(memory.read_seconds, settings.read_seconds)
