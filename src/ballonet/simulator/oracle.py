"""What somebody who knew the future could do: the least memory in which guests' loads cause no fault.

Who knows the loads still leaves each guest its reserve R, as a kernel does not run on its watermarks; what
is counted with these in place of R is the limit of physics.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from ballonet.facts.snapshot import Floats
from ballonet.policy.floors import reserve_bytes
from ballonet.simulator.guests import DEFLATE_RATE, INFLATE_RATE
from ballonet.simulator.kernel import SLAB, overhead, watermarks
from ballonet.simulator.scenarios import Scenario
from ballonet.simulator.schedule import Step, steps
from ballonet.units import MIB

STEP_SECONDS = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Oracle:
    """What each guest must have, and may have at least, over time: times x guests, in the loads' order."""

    seconds: Floats  # since the loads began
    demand: Floats  # bytes: kernel, watermarks, programs and what is read again and again of files
    limit: Floats  # the same, as far as balloons can follow it
    least: Floats  # that with R in place of the watermarks

    @property
    def mean_bytes(self) -> float:
        """Return the mean of what all hold together."""
        return float(self.least.sum(axis=1).mean())

    @property
    def limit_bytes(self) -> float:
        """Return that of the limit of physics."""
        return float(self.limit.sum(axis=1).mean())

    @property
    def peak_bytes(self) -> float:
        """Return the smallest host on which the loads cause no fault."""
        return float(self.least.sum(axis=1).max())


def oracle(scenario: Scenario) -> Oracle:
    """Return it for a scenario's loads."""
    seconds = np.arange(0.0, scenario.seconds, STEP_SECONDS)
    maxima = np.array([float(scenario.maximum(name)) for name in scenario.loads])
    _, _, high = watermarks(maxima)
    wants = np.stack([_wanted(steps(text), seconds) for text in scenario.loads.values()], axis=1)
    demand, beside = (
        np.minimum(maxima, overhead(maxima) + SLAB + unused + wants)
        for unused in (high, np.maximum(high, reserve_bytes(maxima)))
    )
    return Oracle(seconds, demand, _followed(demand), _followed(beside))


def _wanted(schedule: list[Step], seconds: Floats) -> Floats:
    """Return what a load's programs and hot files hold at these seconds, bytes."""
    held, anon, file = [], 0.0, 0.0
    step, coming = Step(), deque(schedule)
    for at in seconds.tolist():
        while coming and coming[0].at <= at:
            step = coming.popleft()
        most = anon + step.grow_mib_s * STEP_SECONDS if step.grow_mib_s > 0 else step.anon_mib
        anon = min(step.anon_mib, most)
        file = step.file_mib if step.reads * step.rate > 0 else 0.0
        held.append((anon + file) * MIB)
    return np.array(held)


def _followed(demand: Floats) -> Floats:
    """Return the least sizes at or above the demand that balloons can follow: backward, then forward."""
    sizes = demand.copy()
    for row in range(len(sizes) - 2, -1, -1):
        sizes[row] = np.maximum(sizes[row], sizes[row + 1] - DEFLATE_RATE * STEP_SECONDS)
    for row in range(1, len(sizes)):
        sizes[row] = np.maximum(sizes[row], sizes[row - 1] - INFLATE_RATE * STEP_SECONDS)
    return sizes
