"""What agents in simulated guests tell, and what it is worth to listen to them."""

from dataclasses import replace

import numpy as np
import pytest
from test_simulator_signals import BUSY, READS, seen

from ballonet.simulator.scenarios import scenario
from ballonet.simulator.trial import GUEST_AGENT, Trial, outcome
from ballonet.units import MIB


def test_an_agent_tells_of_waits_since_it_was_asked_before_and_of_swap() -> None:
    (first, second, squeezed), _ = seen(BUSY, [(10, None), (20, 150), (40, None)], agent=True)

    assert np.isnan(first.pressure[0])
    assert 0.0 == second.pressure[0]
    assert 10.0 == second.heard[0] - second.waits_since[0]
    assert 0.0 == second.swapped[0]
    assert squeezed.pressure[0] > 0.02
    assert squeezed.swapped[0] > 20 * MIB
    assert 512 * MIB == pytest.approx(squeezed.swapped[0] + squeezed.swap_left[0], abs=1)


def test_a_guest_without_one_tells_nothing_of_it() -> None:
    (column,), _ = seen(BUSY, [(5, None)])

    assert all(np.isnan(getattr(column, name)[0]) for name in ("heard", "swapped", "swap_left", "pressure"))


def test_reads_of_files_that_lie_elsewhere_are_not_seen_by_the_host() -> None:
    (near,), _ = seen(READS, [(20, None)])
    (far,), _ = seen(READS, [(20, None)], seen=False)

    assert near.disk_reads[0] > 1000
    assert 0.0 == far.disk_reads[0]


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_who_reads_what_the_host_cannot_see_is_served_if_its_agent_tells_that_it_waits(seed: int) -> None:
    """Two stop reading, and the third then reads three times as much as before."""
    found = scenario("far-files", seed)
    twin, told, silent = (
        outcome(Trial(found, *which)).mean_ms for which in (("none",), (), ("ballonet", GUEST_AGENT))
    )

    assert told - twin < (silent - twin) / 2


def test_agents_are_there_in_scenarios_that_have_them_and_under_our_own_law_only() -> None:
    found = scenario("far-files")

    assert Trial(found).has_agents
    assert not Trial(found, without=GUEST_AGENT).has_agents
    assert not Trial(found, "proxmox").has_agents
    assert not Trial(replace(found, agents=False)).has_agents
