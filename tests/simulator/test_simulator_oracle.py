"""What could be given back by somebody who knew the future."""

import numpy as np
import pytest

from ballonet.simulator.oracle import STEP_SECONDS, oracle
from ballonet.simulator.scenarios import SCENARIOS, Scenario, scenario
from ballonet.simulator.trial import Trial, outcome
from ballonet.units import MIB


def one(load: str, seconds: float = 30.0) -> Scenario:
    return Scenario("one", {"web": load}, budget_bytes=512.0 * MIB, seconds=seconds)


def test_programs_and_files_that_are_read_again_count_and_cold_files_do_not() -> None:
    nothing = oracle(one("at 0 anon_mib=0")).mean_bytes
    programs = oracle(one("at 0 anon_mib=100 hot_mib=10")).mean_bytes
    read_again = oracle(one("at 0 anon_mib=100 hot_mib=10 file_mib=80 rate=50 reads=8")).mean_bytes
    read_once = oracle(one("at 0 anon_mib=100 hot_mib=10 file_mib=80")).mean_bytes

    assert 100 * MIB == pytest.approx(programs - nothing)
    assert 80 * MIB == pytest.approx(read_again - programs)
    assert programs == read_once


def test_guests_keep_their_reserve_and_at_the_limit_of_physics_their_watermarks_only() -> None:
    known = oracle(one("at 0 anon_mib=40"))
    spare = known.least - known.limit
    assert np.all((20 * MIB < spare) & (spare < 48 * MIB))


def test_growth_has_its_speed_and_release_is_at_once() -> None:
    known = oracle(one("at 0 anon_mib=40\nat 10 anon_mib=240 grow_mib_s=20\nat 25 anon_mib=40"))
    grown = (known.demand[:, 0] - known.demand[0, 0]) / MIB
    assert 100 == pytest.approx(grown[known.seconds == 15.0][0], abs=20 * STEP_SECONDS)
    assert 200 == pytest.approx(grown[known.seconds == 22.0][0])
    assert 0 == grown[known.seconds == 25.0][0]


def test_balloons_follow_at_their_speed_before_a_rise_and_after_a_fall() -> None:
    huge = Scenario(
        "huge",
        {"web": "at 0 anon_mib=100\nat 10 anon_mib=8000\nat 20 anon_mib=100"},
        budget_bytes=1e10,
        seconds=30.0,
        maximum_bytes=16384 * MIB,
    )
    known = oracle(huge)
    assert np.all(known.least >= known.demand)
    steps = np.diff(known.least[:, 0]) / STEP_SECONDS
    assert known.least[known.seconds == 9.5, 0] > known.demand[known.seconds == 9.5, 0]
    assert known.least[known.seconds == 20.5, 0] > known.demand[known.seconds == 20.5, 0]
    assert steps.min() < 0 < steps.max()


# Caches that do not fit are what these are about: until two stop reading, and while another guest grows.
TOO_MUCH = {"cold-cache": (0.0, 25.0), "hold-beside-need": (28.0, 60.0), "burst-beside-cache": (18.0, 52.0)}


@pytest.mark.parametrize("name", [name for name, found in SCENARIOS.items() if found.in_lab])
def test_no_scenario_asks_for_more_than_there_is(name: str) -> None:
    found = scenario(name)
    known = oracle(found)
    begins, ends = TOO_MUCH.get(name, (0.0, 0.0))
    fits = (known.seconds < begins) | (known.seconds >= ends)
    assert known.limit[fits].sum(axis=1).max() <= found.budget_bytes


def test_it_is_what_guests_do_without_ballooning() -> None:
    found = scenario("one-bursts")
    run, known = outcome(Trial(found, "none")), oracle(found)
    used = np.stack(run.history.need).sum(axis=1)
    later = np.searchsorted(known.seconds, np.array(run.history.at) - 1.0)
    # Used, as guests tell it, leaves out the watermark that the oracle counts, a few MiB each, and is a
    # sample old.
    ahead = known.demand.sum(axis=1)[np.maximum(later, 0)] - used
    assert np.median(np.abs(ahead)) < 40 * MIB
