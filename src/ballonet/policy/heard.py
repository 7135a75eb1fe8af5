"""What agents in guests told, as far as a decision may go by it: NaN where they told nothing, or long ago."""

from dataclasses import dataclass

import numpy as np

from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Bools, Floats, Snapshot, everybody, once
from ballonet.policy.settings import Settings


@dataclass(frozen=True, slots=True)
class Heard:
    """Columns; whoever has no agent is in none of them."""

    pressure: Floats  # share of the time in which something waited for memory, all of it at the present size
    swap_left: Floats  # bytes that still fit into its swap


def heard(snapshot: Snapshot, memory: Memory, settings: Settings) -> Heard:
    """Return what is fresh of that."""
    if not listened(snapshot):
        return Heard(snapshot.heard_at, snapshot.heard_at)
    fresh = _fresh(snapshot, settings)
    # A balloon that inflates makes its own kernel wait: that says nothing of the size that it comes to.
    settled = memory.arrived & (snapshot.pressure_since >= np.maximum(memory.changed_at, memory.moved_at))
    return Heard(
        pressure=np.where(fresh & settled, snapshot.pressure, np.nan),
        swap_left=np.where(fresh, snapshot.swap_left, np.nan),
    )


@once
def listened(snapshot: Snapshot) -> bool:
    """Return whether any guest's agent was ever asked."""
    return not everybody(np.isnan(snapshot.heard_at))


def tells(snapshot: Snapshot, settings: Settings) -> Bools:
    """Return whose agent tells how long programs wait, be it of the present size or of the one before."""
    return _fresh(snapshot, settings) & ~np.isnan(snapshot.pressure)


def _fresh(snapshot: Snapshot, settings: Settings) -> Bools:
    """Return whose agent told anything lately."""
    age = snapshot.taken_at - snapshot.heard_at
    fresh: Bools = (age >= 0.0) & (age <= settings.heard_seconds)
    return fresh


def has_swap(snapshot: Snapshot, told: Heard, settings: Settings) -> Bools:
    """Return whose kernel can swap some more before it kills: as its agent tells, or as it once did."""
    swapped = snapshot.swap_out > 0.0
    if not listened(snapshot):
        return swapped
    room = told.swap_left >= settings.cushion_floor_share * snapshot.maximum
    return np.where(np.isnan(told.swap_left), swapped, room)
