"""What a trace shows of demand is what made it, and its replay runs under policies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_simulator_trace import recorded as record

from ballonet.errors import UsageError
from ballonet.policy.floors import floor_bytes, hard_floor_bytes
from ballonet.simulator.replay import demands, floor_of, recorded, replayed
from ballonet.simulator.trace import Trace
from ballonet.simulator.trace_file import read
from ballonet.units import GIB, MIB


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    path: Path = tmp_path_factory.mktemp("traces") / "trace.csv"
    record(path, 60)
    return read(path)


def test_demand_is_what_the_schedule_wanted(trace: Trace) -> None:
    """While balloons moved: within a tenth of a guest's size, but in the second of the burst itself."""
    shop, web = demands(trace)
    assert ("shop", "web") == (shop.name, web.name)
    np.testing.assert_allclose(shop.anon, 80 * MIB, atol=51 * MIB)
    still = np.abs(web.at - 10) > 1.5
    wanted = np.where(web.at < 10, 40.0, 200.0) * MIB
    np.testing.assert_allclose(web.anon[still], wanted[still], atol=51 * MIB)


def test_a_replay_under_what_was_recorded_comes_to_the_same(trace: Trace) -> None:
    wanted = demands(trace)
    then, again = (
        recorded(trace, wanted, 600.0 * MIB),
        replayed(wanted, 60, "ballonet", 600.0 * MIB),
    )
    assert then.peak_held_bytes == 1024 * MIB  # it began at the maxima; the replay settled first
    assert again.peak_held_bytes <= 601 * MIB
    assert 0 == then.unmet_byte_seconds == again.unmet_byte_seconds
    assert again.given_back_bytes > 400 * MIB


def test_a_tight_budget_leaves_need_unmet_and_makes_guests_swap(trace: Trace) -> None:
    wanted = demands(trace)
    tight = replayed(wanted, 60, "equal", 300.0 * MIB)
    assert tight.unmet_byte_seconds > 0
    assert tight.swapped_in_bytes > 0
    assert 0 == replayed(wanted, 60, "none", 300.0 * MIB).given_back_bytes


@pytest.mark.parametrize(
    ("told", "maxima"), [(None, [1, 8]), (96, [1, 8]), (300, [1, 8]), (2048, [1, 8]), (300, [8, 8])]
)
def test_the_floor_is_that_of_the_recorded_run(told: int | None, maxima: list[int]) -> None:
    """Which every guest has but those that are smaller, and those whose kernels need more to live."""
    maximum = np.array(maxima) * float(GIB)
    usual = floor_bytes(maximum) if told is None else np.full(2, told * float(MIB))
    floors = np.minimum(maximum, np.maximum(usual, hard_floor_bytes(maximum)))
    two = Trace(np.zeros(2), ("1", "2"), ("a", "b"), {"maximum_bytes": maximum, "floor_bytes": floors})

    found = floor_of(two)
    assert (found is None) == (told is None)
    if found is not None:
        np.testing.assert_array_equal(
            np.minimum(maximum, np.maximum(found, hard_floor_bytes(maximum))), floors
        )
    assert floor_of(replace(two, numbers={"maximum_bytes": maximum})) is None


def test_no_guest_of_a_replay_is_smaller_than_its_floor(trace: Trace) -> None:
    wanted = demands(trace)
    low, high = (replayed(wanted, 60, "ballonet", 600.0 * MIB, floor * MIB) for floor in (128, 500))
    assert low.given_back_bytes > 400 * MIB > 24 * MIB >= high.given_back_bytes


@pytest.mark.parametrize("column", ["usable_bytes", "unused_bytes", "available_bytes", "statistics_at"])
def test_a_column_that_is_needed_is_named(trace: Trace, column: str) -> None:
    without = {name: values for name, values in trace.numbers.items() if name != column}
    with pytest.raises(UsageError, match=column):
        demands(replace(trace, numbers=without))
