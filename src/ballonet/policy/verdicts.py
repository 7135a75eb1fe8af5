"""When not to touch a guest: each guest's verdict, looked at afresh each tick."""

import numpy as np

from ballonet.facts.guest import Obstacle
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Codes, Floats, Snapshot, anybody, first_of
from ballonet.facts.verdict import CODES
from ballonet.policy.settings import Settings

SLACK = 1.1  # memory devices add to the maximum, and a sample is not taken in one moment
# From so far in the future statistics may be: the hypervisor keeps whole seconds. More is a broken clock.
ROUNDING_SECONDS = 1.0


def verdicts(snapshot: Snapshot, memory: Memory, settings: Settings) -> Codes:
    """Return each guest's index in VERDICTS: the first that applies, in that tuple's order."""
    age = snapshot.stats_age
    never = np.isnan(snapshot.stats_at)
    future = age < -ROUNDING_SECONDS
    applies = {
        "not-running": ~snapshot.running,
        "excluded": snapshot.excluded,
        "held": snapshot.held,
        "no-device": ~snapshot.device,
        **_obstacles(snapshot.obstacle),
        "busy": snapshot.busy,
        "unknown-size": np.isnan(snapshot.maximum) | np.isnan(snapshot.actual),
        "booting": snapshot.uptime < settings.boot_grace_seconds,
        "no-period": snapshot.period == 0,
        "silent": never,
        # A Windows driver without its service stamped one sample, an empty one: what it lacks is said.
        "no-usable": np.isnan(snapshot.usable) | np.isnan(snapshot.unused),
        "blind": age > settings.blind_seconds,
        "absurd": _absurd(snapshot),
        "stuck": memory.stuck_until > snapshot.taken_at,
        "foreign": memory.foreign_until > snapshot.taken_at,
        "stale": (age > fresh_seconds(snapshot, settings)) | future,
    }
    rules = [(code, applies[reason]) for reason, code in CODES.items() if reason in applies]
    return first_of(rules, CODES["managed"], len(snapshot))


def _absurd(snapshot: Snapshot) -> Bools:
    """Return whose sample contradicts itself: more usable or unused than there is, or less than nothing."""
    most = SLACK * np.fmin(snapshot.available, snapshot.maximum)
    smaller, larger = (of(snapshot.usable, snapshot.unused) for of in (np.fmin, np.fmax))
    absurd: Bools = (smaller < 0.0) | (larger > most)
    return absurd


def fresh_seconds(snapshot: Snapshot, settings: Settings) -> Floats:
    """Return how old each guest's statistics may be for memory to be taken on them; NaN: unknown."""
    fresh: Floats = np.maximum(settings.fresh_periods * snapshot.period, settings.fresh_seconds)
    return fresh


def _obstacles(obstacle: Codes) -> dict[str, Bools]:
    """Return who has each obstacle, of those that anybody has."""
    if not anybody(obstacle >= 0):
        return {}
    return {each.value: obstacle == index for index, each in enumerate(Obstacle)}
