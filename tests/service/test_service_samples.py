"""Many samples become one: last sizes, extremes, sums of flows, and what is unknown stays so."""

import numpy as np
from numpy.testing import assert_array_equal

from ballonet.service.samples import Fields, Keep, Series, binned, merged

NAN = np.nan
FIELDS = Fields(size=Keep.LAST, low=Keep.LEAST, high=Keep.MOST, flow=Keep.SUM)


def series(*rows: tuple[float, float, float, float, float], good_seconds: float = 5.0) -> Series:
    """Return samples of their time and values."""
    table = np.array(rows).reshape(-1, 5)
    return Series(
        FIELDS, table[:, 0], table[:, 1:].astype(np.float32), np.full(len(table), good_seconds, dtype=float)
    )


def test_each_value_is_kept_in_its_own_way() -> None:
    cells = np.array([[1, 1, 1, 1], [5, 5, 5, 5], [3, 3, 3, 3], [9, 9, 9, 9]], dtype=np.float32)
    assert_array_equal([[3, 1, 5, 9], [9, 9, 9, 9]], merged(cells, np.array([0, 3]), FIELDS))


def test_what_is_unknown_now_and_then_is_known_and_what_never_was_is_not() -> None:
    cells = np.array([[1, NAN, 4, 2], [NAN, 7, NAN, NAN], [NAN] * 4], dtype=np.float32)
    assert_array_equal([[1, 7, 4, 2], [NAN] * 4], merged(cells, np.array([0, 2]), FIELDS))


def test_the_samples_of_many_guests_are_merged_at_once() -> None:
    cells = np.random.default_rng(1).normal(size=(6, 4, 3)).astype(np.float32)
    starts = np.array([0, 2, 5])
    every = merged(cells, starts, FIELDS)
    for guest in range(3):
        assert_array_equal(merged(cells[:, :, guest], starts, FIELDS), every[:, :, guest])


def test_a_step_has_the_samples_that_end_within_it() -> None:
    found = binned(series((1, 10, 1, 1, 1), (2, 20, 2, 2, 1), (4, 30, 3, 3, 1)), np.array([2.0, 4.0]))
    assert_array_equal([[20, 1, 2, 2], [30, 3, 3, 1]], found)


def test_a_step_without_samples_is_as_it_was_and_nothing_came_within_it() -> None:
    found = binned(series((1, 10, 1, 1, 1)), np.array([1.0, 2.0, 6.0]))
    assert_array_equal([[10, 1, 1, 1], [10, 1, 1, 0], [10, 1, 1, 0]], found)


def test_after_the_last_samples_time_and_before_the_first_nothing_is_known() -> None:
    found = binned(series((2, 10, 1, 1, 1)), np.array([1.0, 2.0, 7.5, 8.0]))
    assert_array_equal([[NAN] * 4, [10, 1, 1, 1], [NAN] * 4, [NAN] * 4], found)
    assert_array_equal([[NAN] * 4], binned(series(), np.array([1.0])))
