"""Columns: what holds for whom, and what takes the place of what is unknown."""

import numpy as np
import pytest

from ballonet.facts.snapshot import Bools, anybody, choose, everybody, or_else


@pytest.mark.parametrize(
    "rows", [[], [False], [True], [False, False], [False, True], [True, False], [True, True]]
)
def test_whether_something_holds_for_anybody_or_everybody_is_told_as_python_does(rows: list[bool]) -> None:
    holds = np.array(rows, dtype=np.bool_)
    assert any(rows) is anybody(holds)
    assert all(rows) is everybody(holds)


@pytest.mark.parametrize("holds", [np.array([True, False] * 3)[::2], np.broadcast_to(np.array([True]), 3)])
def test_rows_that_are_part_of_another_column_count_alone(holds: Bools) -> None:
    assert anybody(holds)
    assert everybody(holds)
    assert not anybody(~holds)


def test_what_is_unknown_is_filled_in_and_the_column_stays_as_it_was() -> None:
    column = np.array([1.0, np.nan, 0.0])
    assert [1.0, 7.0, 0.0] == or_else(column, 7.0).tolist()
    assert np.isnan(column[1])
    assert [1.0, 0.0] == or_else(column[[0, 2]], 7.0).tolist()


def test_new_values_take_the_place_of_old_ones_where_that_is_chosen() -> None:
    old, new = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert [3.0, 2.0] == choose(np.array([True, False]), new, old).tolist()
    assert [3.0, 4.0] == choose(np.array([True, True]), new, old).tolist()
