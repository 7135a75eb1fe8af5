"""Sizes, shares, durations and budgets: what is read is written as what reads the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballonet.config.values import (
    AUTO,
    Budget,
    Seconds,
    Share,
    Size,
    budget_bytes,
    read_amount,
    read_budget,
    read_seconds,
    read_size,
)
from ballonet.errors import UsageError
from ballonet.facts.host import HostMemory
from ballonet.units import GIB, MIB

HOST = HostMemory(16 * GIB, 8 * GIB, 0, 0, None, None, None, 0)


@given(st.integers(0, 2**63 - 1).map(Size))
def test_a_size_reads_as_what_it_was(size: Size) -> None:
    assert size == read_size(str(size))


@given(st.integers(1, 10**6).map(lambda number: Share(number / 10**6)))
def test_a_share_reads_as_what_it_was(share: Share) -> None:
    assert share == pytest.approx(read_amount(str(share)))
    assert isinstance(read_amount(str(share)), Share)


@given(st.integers(1, 2**31 - 1) | st.floats(1e-3, 1e6))
def test_a_duration_reads_as_what_it_was(seconds: float) -> None:
    assert seconds == read_seconds(str(Seconds(seconds)))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(90, "90s"), (120, "2m"), (86400, "1d"), (7200, "2h"), (0.5, "500ms"), (1.5, "1.5s"), (0, "0s")],
)
def test_durations_are_written_in_their_largest_whole_unit(seconds: float, text: str) -> None:
    assert text == str(Seconds(seconds))


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1.5 GiB", Size(1536 * MIB)), ("25%", Share(0.25)), (" 12.5 % ", Share(0.125)), (".5%", Share(0.005))],
)
def test_an_amount_is_a_size_or_a_share(text: str, amount: float) -> None:
    assert (amount, type(amount)) == (read_amount(text), type(read_amount(text)))


@pytest.mark.parametrize("text", ["12", "0%", "101%", "-5%", "x%", "1.2.3%", "", "5%%", "0M", "auto"])
def test_anything_else_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_amount(text)

    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "size"),
    [("12GiB", 12 * GIB), ("50%", 8 * GIB), (" 100 % ", 16 * GIB), ("16GiB", 16 * GIB), (" auto ", 15 * GIB)],
)
def test_a_budget_is_a_size_a_share_or_what_the_host_has_left(text: str, size: int) -> None:
    assert size == budget_bytes(read_budget(text), HOST, GIB)


def test_more_than_the_host_has_is_refused() -> None:
    with pytest.raises(UsageError, match="more than the host has"):
        budget_bytes(read_budget("20GiB"), HOST)


@pytest.mark.parametrize("budget", [Share(0.9), AUTO])
def test_what_only_the_host_would_tell_is_refused_for_another_host(budget: Budget) -> None:
    with pytest.raises(UsageError, match="another host"):
        budget_bytes(budget, None)

    assert GIB == budget_bytes(read_budget("1GiB"), None)
