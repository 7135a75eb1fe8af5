"""Intervals that hold the mean they are of, as often as they say."""

import numpy as np
import pytest

from ballonet.simulator.confidence import interval


def test_values_that_are_all_the_same_leave_no_doubt() -> None:
    assert (2.0, 2.0) == interval([2.0] * 5)
    assert (7.0, 7.0) == interval([7.0])


def test_the_mean_lies_within_and_the_interval_within_the_values() -> None:
    low, high = interval([1.0, 2.0, 3.0, 10.0])
    assert 1.0 <= low < 4.0 < high <= 10.0


def test_it_holds_the_true_mean_nineteen_times_out_of_twenty() -> None:
    random = np.random.default_rng(7)
    held = [
        low <= 5.0 <= high
        for low, high in (interval(random.normal(5.0, 2.0, 20).tolist()) for _ in range(300))
    ]
    assert 0.95 == pytest.approx(np.mean(held), abs=0.05)
