"""Which steps the past is told in."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from pydantic import AwareDatetime, TypeAdapter

from ballonet.errors import UsageError
from ballonet.service.answers import moment
from ballonet.service.span import HistoryAsked, ReportAsked, Span, SparklinesAsked

NOW = 1.7e9


def test_without_limits_it_is_the_last_hour() -> None:
    assert Span(NOW - 3600.0, NOW, 300) == HistoryAsked().span(NOW)
    assert Span(NOW - 3600.0, NOW, 60) == SparklinesAsked().span(NOW)


def test_what_lies_in_the_future_is_not_waited_for() -> None:
    until = datetime.fromtimestamp(NOW + 60.0, UTC)
    assert NOW == HistoryAsked(until=until).span(NOW).until
    with pytest.raises(UsageError, match="before it begins"):
        HistoryAsked(since=until).span(NOW)


def test_a_moment_before_the_first_that_can_be_told_is_that_one() -> None:
    """The year 1 of a time zone east of UTC begins in what UTC would call the year 0."""
    first = TypeAdapter(AwareDatetime).validate_python("0001-01-01T00:00:00+23:59")
    assert datetime(1, 1, 1, tzinfo=UTC) == moment(ReportAsked(since=first).span(NOW).since)


def test_steps_are_round_and_stay_where_they_are_as_time_goes_on() -> None:
    step, ends = Span(1000.0, 1100.0, 30).steps(2.0)
    assert (5.0, [1005.0, 1100.0]) == (step, [ends[0], ends[-1]])
    _, later = Span(1003.0, 1103.0, 30).steps(2.0)
    assert_array_equal(ends[1:], later[1:-1])
    assert 1103.0 == later[-1]


def test_steps_are_no_shorter_than_samples() -> None:
    assert 60.0 == Span(0.0, 600.0, 1000).steps(60.0)[0]
    assert 2.0 == Span(0.0, 600.0, 1000).steps(1.5)[0]


@given(
    st.floats(0.0, 4e9),
    st.floats(1e-3, 1e8),
    st.integers(1, 10_000),
    st.sampled_from([1.0, 2.0, 60.0]),
)
def test_there_are_at_most_so_many_and_they_end_where_they_should(
    since: float, seconds: float, points: int, least: float
) -> None:
    span = Span(since, since + seconds, points)
    step, ends = span.steps(least)
    assert 1 <= len(ends) <= points
    assert step >= least
    assert span.until == ends[-1]
    assert (np.diff(ends) > 0).all()
