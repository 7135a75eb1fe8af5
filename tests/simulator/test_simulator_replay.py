"""What a trace shows of demand is what made it, and its replay runs under policies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_simulator_trace import recorded as record

from ballonet.engine.limits import one_floor
from ballonet.engine.table import side_by_side
from ballonet.errors import UsageError
from ballonet.facts.guest import Guest, State
from ballonet.policy.floors import floor_bytes
from ballonet.simulator.replay import demands, limits_in, recorded, replayed
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


def test_each_guest_keeps_the_limits_that_it_had_last_in_the_recorded_run() -> None:
    numbers = {
        "maximum_bytes": np.full(4, 4.0 * GIB),
        "floor_bytes": np.array([1.0, np.nan, 2.0, np.nan]) * GIB,
        "weight": np.array([100.0, 100.0, 400.0, 100.0]),
        "excluded": np.array([0.0, 0.0, 0.0, 1.0]),
    }
    guests = side_by_side(
        [Guest(name, name, 1, State.RUNNING, 0.0, maximum_bytes=4 * GIB) for name in ("b", "a")]
    )

    found = limits_in(Trace(np.array([0.0, 0.0, 2.0, 2.0]), ("1", "2") * 2, ("a", "b") * 2, numbers))(guests)

    assert [floor_bytes(4.0 * GIB), 2.0 * GIB] == found.floor.tolist()
    assert [4.0 * GIB] * 2 == found.ceiling.tolist()
    assert [100.0, 400.0] == found.weight.tolist()
    assert [True, False] == found.excluded.tolist()


def test_no_guest_of_a_replay_is_smaller_than_its_floor(trace: Trace) -> None:
    wanted = demands(trace)
    low, high = (
        replayed(wanted, 60, "ballonet", 600.0 * MIB, one_floor(floor * MIB)) for floor in (128, 500)
    )
    assert low.given_back_bytes > 400 * MIB > 24 * MIB >= high.given_back_bytes


@pytest.mark.parametrize("column", ["usable_bytes", "unused_bytes", "available_bytes", "statistics_at"])
def test_a_column_that_is_needed_is_named(trace: Trace, column: str) -> None:
    without = {name: values for name, values in trace.numbers.items() if name != column}
    with pytest.raises(UsageError, match=column):
        demands(replace(trace, numbers=without))
