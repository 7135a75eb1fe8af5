"""Senpai's rule (facebookincubator/senpai, with its defaults): squeeze until something waits a little.

It was made for cgroups, whose limit it moves; here a guest's balloon is the limit.
"""

import numpy as np

from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.rivals.rule import its_turn, made
from ballonet.policy.settings import Settings

INTERVAL_SECONDS = 6.0
PRESSURE_SECONDS = 0.010  # what something may wait for memory in an interval
PROBE_MOST, PROBE_COEFFICIENT = 0.01, 10.0
BACKOFF_MOST, BACKOFF_COEFFICIENT = 1.0, 20.0
LEAST_WAIT_SECONDS = 1e-6  # it counts in whole microseconds


def senpai(snapshot: Snapshot, memory: Memory, settings: Settings) -> Plan:
    """Take up to 1 % an interval, the less the nearer the pressure is to its target; above it give at once.

    What was waited in an interval is reckoned from an average, so one stall is seen for several seconds: it
    is answered once an interval. Guests that do not tell their pressure are left alone.
    """
    waited = snapshot.pressure * INTERVAL_SECONDS
    backs_off = waited > PRESSURE_SECONDS
    over = waited / PRESSURE_SECONDS / BACKOFF_COEFFICIENT
    under = PRESSURE_SECONDS / np.maximum(waited, LEAST_WAIT_SECONDS) / PROBE_COEFFICIENT
    grown = np.minimum(over**2 * BACKOFF_MOST, BACKOFF_MOST)
    taken = np.minimum(under**2 * PROBE_MOST, PROBE_MOST)
    size = snapshot.actual * (1.0 + np.where(backs_off, grown, -taken))
    rested = snapshot.taken_at - memory.grew_at >= INTERVAL_SECONDS
    turn = np.where(backs_off, rested, its_turn(snapshot, memory, INTERVAL_SECONDS))
    return made(snapshot, memory, settings, np.where(np.isnan(waited), np.nan, size), turn)
