"""Forgetting: halves in a half-life, however often it is looked, and nothing where the time is unknown."""

import numpy as np
import pytest

from ballonet.policy.decay import elapsed, fade, follow, left


def test_a_value_halves_in_its_half_life() -> None:
    faded = fade(np.array([8.0, 8.0]), np.array([10.0, 10.0]), np.array([10.0, 5.0]))

    assert [4.0, 2.0] == faded.tolist()


@pytest.mark.parametrize("seconds", [np.nan, np.inf, -5.0, 0.0])
def test_nothing_is_forgotten_in_no_or_unknown_time(seconds: float) -> None:
    assert 8.0 == fade(np.array([8.0]), elapsed(np.array([seconds])), 10.0)[0]


def test_what_is_unknown_stays_unknown() -> None:
    assert np.isnan(fade(np.array([np.nan]), np.array([1.0]), 10.0)[0])


def test_an_average_goes_half_of_the_way_in_its_half_life() -> None:
    assert 6.0 == follow(np.array([4.0]), np.array([8.0]), left(np.array([10.0]), 10.0))[0]


def test_an_average_follows_as_far_in_many_looks_as_in_one() -> None:
    once = follow(np.array([100.0]), np.array([20.0]), left(np.array([12.0]), 7.0))
    often = np.array([100.0])
    for _ in range(6):
        often = follow(often, np.array([20.0]), left(np.array([2.0]), 7.0))

    np.testing.assert_allclose(often, once)


def test_an_average_begins_with_the_first_value_and_outlives_gaps() -> None:
    began = follow(np.array([np.nan]), np.array([8.0]), left(elapsed(np.array([np.nan])), 10.0))
    after_a_gap = follow(began, np.array([np.nan]), left(np.array([10.0]), 10.0))

    assert [8.0] == began.tolist()
    assert [8.0] == after_a_gap.tolist()
