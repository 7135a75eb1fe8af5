"""What is remembered of guests that come, go, and are met again after a restart."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballonet.engine.remember import LEARNED, LEARNED_TIMES, Remembered, by_this_clock

EPOCH = 1_700_000_000.0  # of the first process's second 0
LATER = EPOCH + 500.0  # of the second's


def taught(**columns: float) -> Remembered:
    """Return the memory of two guests, with these values of the first."""
    remembered = Remembered()
    memory = remembered.align(("a", "b"))
    values: dict[str, Any] = {
        name: np.array([value, getattr(memory, name)[1]]) for name, value in columns.items()
    }
    remembered.memory = replace(memory, **values)
    return remembered


def met_again(first: Remembered, now: float = 10.0, **targets: tuple[int, float, int | None]) -> Remembered:
    again = Remembered()
    again.recall(by_this_clock(first.learned(EPOCH), LATER, same_boot=False), targets, LATER, now)
    again.align(("b", "a"))
    return again


def test_what_was_learned_is_known_again_and_times_are_moved_to_the_new_clock() -> None:
    again = met_again(taught(growth=5e6, kept=1e8, hold_until=700.0, counted=1.0)).memory
    assert ([0.0, 5e6], [0.0, 1e8]) == (again.growth.tolist(), again.kept.tolist())
    assert [-np.inf, 200.0] == again.hold_until.tolist()
    assert [False, True] == again.counted.tolist()
    assert again.counted.dtype == np.bool_


def test_unknowns_stay_unknown() -> None:
    again = met_again(taught(read_seconds=np.nan)).memory
    assert np.isnan(again.read_seconds).all()


def test_a_target_is_no_wish_and_another_size_was_somebodys() -> None:
    told_long_ago = met_again(taught(), a=(300 << 20, LATER - 60.0, 400 << 20)).memory
    assert [True, True] == told_long_ago.arrived.tolist()
    assert 300 << 20 == told_long_ago.target[1]


@pytest.mark.parametrize(("actual_mib", "known_mib"), [(400, np.nan), (350, 300), (300, 300)])
def test_a_change_that_was_perhaps_never_sent_is_nobody_elses(actual_mib: int, known_mib: float) -> None:
    again = Remembered()
    again.recall({}, {"a": (300 << 20, LATER - 60.0, 400 << 20)}, LATER, 10.0)
    memory = again.align(("a",), np.array([actual_mib << 20], dtype=np.float64))

    assert known_mib == pytest.approx(memory.target[0] / (1 << 20), nan_ok=True)
    assert memory.arrived[0]
    assert -60.0 == pytest.approx(memory.changed_at[0])  # it may have been sent


def test_a_change_that_was_under_way_goes_on() -> None:
    under_way = met_again(taught(), a=(300 << 20, LATER + 8.0, 400 << 20)).memory
    assert [True, False] == under_way.arrived.tolist()
    assert np.isnan(under_way.nearest[1])  # where it is between the two, and what else is, nobody knows
    assert (8.0, 10.0) == pytest.approx((under_way.changed_at[1], under_way.progress_at[1]))


def test_a_change_that_arrived_just_before_is_not_under_way() -> None:
    arrived = met_again(taught(), a=(300 << 20, LATER + 8.0, None)).memory
    assert [True, True] == arrived.arrived.tolist()


def test_a_change_to_the_size_that_it_had_is_not_under_way_either() -> None:
    stays = met_again(taught(), a=(400 << 20, LATER + 8.0, (400 << 20) + 100)).memory
    assert ([True, True], 400 << 20) == (stays.arrived.tolist(), stays.target[1])


def test_a_guest_that_comes_later_is_known_then() -> None:
    again = Remembered()
    again.recall(by_this_clock(taught(kept=7.0).learned(EPOCH), LATER, same_boot=False), {}, LATER, 0.0)
    assert [0.0] == again.align(("b",)).kept.tolist()
    assert [0.0, 7.0] == again.align(("b", "a")).kept.tolist()


@pytest.mark.parametrize(("same_boot", "hold_until"), [(True, 700.0), (False, 660.0)])
def test_within_a_boot_times_go_on_however_the_wall_clock_was_set(
    *, same_boot: bool, hold_until: float
) -> None:
    learned = taught(hold_until=700.0).learned(EPOCH)
    set_forward = by_this_clock(learned, EPOCH + 40.0, same_boot=same_boot)

    assert hold_until == set_forward["a"]["hold_until"]


@given(
    st.dictionaries(st.sampled_from(sorted({*LEARNED, *LEARNED_TIMES} - {"counted"})), st.floats(0.0, 1e9))
)
def test_learned_values_come_back_as_they_went(values: dict[str, float]) -> None:
    first = taught(**values)
    again = Remembered()
    again.recall(by_this_clock(first.learned(EPOCH), EPOCH, same_boot=True), {}, EPOCH, 0.0)
    memory = again.align(("a", "b"))
    for name in values:
        assert getattr(first.memory, name)[0] == pytest.approx(getattr(memory, name)[0], abs=1e-6)
