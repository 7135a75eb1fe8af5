"""Max-min fairness: the properties that the tiers rest on."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ballonet.facts.snapshot import Floats
from ballonet.policy.waterfill import waterfill

amounts = st.integers(0, 2**40).map(float)
Rows = list[tuple[float, float, float]]
guests = st.lists(st.tuples(amounts, amounts, st.integers(1, 10_000).map(float)), min_size=1, max_size=30)


def columns(rows: Rows) -> tuple[Floats, Floats, Floats]:
    low, wish, weight = (np.array(column) for column in zip(*rows, strict=True))
    return low, low + wish, weight


@given(guests, amounts)
def test_stays_within_low_and_high_and_spends_exactly_the_budget(rows: Rows, budget: float) -> None:
    low, high, weight = columns(rows)

    got = waterfill(low, high, weight, budget)

    assert np.all(low <= got)
    assert np.all(got <= high * (1 + 1e-12))
    due = min(max(budget, low.sum()), high.sum())
    assert abs(got.sum() - due) <= 1e-9 * max(due, 1.0)


@given(guests, amounts, amounts)
def test_a_larger_budget_takes_from_nobody(rows: Rows, budget: float, more: float) -> None:
    low, high, weight = columns(rows)

    before = waterfill(low, high, weight, budget)
    after = waterfill(low, high, weight, budget + more)

    assert np.all(after >= before * (1 - 1e-9) - 1.0)


@given(guests, amounts, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: Rows, budget: float, random: Random) -> None:
    low, high, weight = columns(rows)
    order = list(range(len(rows)))
    random.shuffle(order)

    there = waterfill(low, high, weight, budget)[order]
    here = waterfill(low[order], high[order], weight[order], budget)

    np.testing.assert_allclose(here, there, rtol=1e-9, atol=1.0)


@given(guests, amounts, st.integers(0, 29), st.integers(2, 9))
def test_more_weight_never_gets_less(rows: Rows, budget: float, which: int, factor: int) -> None:
    low, high, weight = columns(rows)
    row = which % len(rows)
    heavier = weight.copy()
    heavier[row] *= factor

    assert (
        waterfill(low, high, heavier, budget)[row]
        >= waterfill(low, high, weight, budget)[row] * (1 - 1e-9) - 1
    )


@given(guests, amounts, st.integers(0, 29), amounts)
def test_a_larger_wish_never_gets_less(rows: Rows, budget: float, which: int, more: float) -> None:
    low, high, weight = columns(rows)
    row = which % len(rows)
    greedier = high.copy()
    greedier[row] += more

    assert (
        waterfill(low, greedier, weight, budget)[row]
        >= waterfill(low, high, weight, budget)[row] * (1 - 1e-9) - 1
    )


@given(guests, amounts)
def test_who_is_not_full_has_as_much_for_its_weight_as_anybody(rows: Rows, budget: float) -> None:
    low, high, weight = columns(rows)

    got = waterfill(low, high, weight, budget)

    level = (got - low) / weight
    wanting = got < high * (1 - 1e-9) - 1.0
    lowest = level[wanting].min(initial=np.inf)
    assert np.all(level <= lowest * (1 + 1e-9) + 1.0 / weight)


@given(st.tuples(amounts, amounts), st.integers(1, 20), amounts)
def test_equal_guests_end_equal(guest: tuple[float, float], number: int, budget: float) -> None:
    low, high, weight = columns([(*guest, 100.0)] * number)

    assert len(set(waterfill(low, high, weight, budget).tolist())) == 1


def test_gives_by_weight_until_one_is_full() -> None:
    got = waterfill(np.zeros(3), np.array([10.0, 100.0, 100.0]), np.array([1.0, 1.0, 3.0]), 90.0)

    np.testing.assert_allclose([10.0, 20.0, 60.0], got)


def test_nobody_there_gets_nothing() -> None:
    assert waterfill(np.zeros(0), np.zeros(0), np.zeros(0), 10.0).shape == (0,)
