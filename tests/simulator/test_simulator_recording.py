"""Looks at guests become one value a second."""

import numpy as np
import pytest

from ballonet.facts.guest import Guest, State
from ballonet.facts.statistics import Statistics
from ballonet.simulator.recording import Answers, Look, by_second, series
from ballonet.units import MIB


def guest(actual_mib: float, swapped_in: int | None) -> Guest:
    return Guest(
        name="web",
        uuid="web",
        id=1,
        state=State.RUNNING,
        read_at=0.0,
        maximum_bytes=512 * MIB,
        actual_bytes=int(actual_mib * MIB),
        statistics=Statistics(swap_in_bytes_total=swapped_in),
    )


def test_levels_are_taken_at_the_end_of_a_second_and_counters_over_it() -> None:
    answers = Answers(np.array([10.0, 20.0]), np.array([0.1, 0.2]))
    looks = [Look(0.0, [guest(512, 4096)]), Look(0.5, [guest(412, None)]), Look(2.5, [guest(212, 6 * 4096)])]
    found = series(looks, "web", answers)
    assert [362.0, 262.0] == pytest.approx((found.levels["actual"] / MIB).tolist())
    # From 1 page to 6 in 2.5 s: the look between knew nothing of it.
    assert [2.0, 2.0] == pytest.approx(found.rates["swapped in"].tolist())
    assert np.isnan(found.levels["usable"]).all()
    assert 512 * MIB == found.maximum_bytes


def test_answers_are_spread_over_the_time_in_which_they_were_given() -> None:
    begun, ended = np.array([-1.0, 1.0, 2.0]), np.array([1.0, 2.0, 4.0])
    found = by_second(begun, ended, np.array([8.0, 0.0, 6.0]), np.array([0.1, np.nan, 0.5]), 3)
    assert [4.0, 0.0, 3.0] == pytest.approx(found.answered.tolist())
    assert [0.1, 0.5] == pytest.approx([found.seconds[0], found.seconds[2]])
    assert np.isnan(found.seconds[1])


def test_a_second_of_two_intervals_has_the_mean_latency_of_its_answers() -> None:
    begun, ended = np.array([0.0, 0.5]), np.array([0.5, 1.0])
    found = by_second(begun, ended, np.array([1.0, 3.0]), np.array([0.1, 0.5]), 1)
    assert (4.0, 0.4) == pytest.approx((found.answered[0], found.seconds[0]))
