"""How small a host may be."""

import pytest

from ballonet.simulator.density import Density, density, failures, hosts
from ballonet.simulator.pool import everywhere
from ballonet.simulator.trial import Trial


def double(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    return 2 * number


def test_tasks_run_elsewhere_and_come_back_in_order() -> None:
    done: list[int] = []
    assert [6, 2, 4, 2] == everywhere(double, [3, 1, 2, 1], done.append)
    assert [1, 1, 2, 3] == sorted(done)
    with pytest.raises(ValueError, match="-1"):
        everywhere(double, [1, -1])


def test_density_is_the_part_that_is_saved_of_what_can_be() -> None:
    assert Density("s", "p", 0.6, 0.5, ()).density == pytest.approx(0.8)
    assert 0.0 == Density("s", "p", None, 0.5, ("budget",)).density


def test_every_larger_host_passes_and_the_next_smaller_fails() -> None:
    on = hosts("same-instant", [101])
    trial = Trial(on[0].scenario, "equal")
    found = density("same-instant", on, trial)
    assert found.least_share is not None
    assert found.oracle_share < found.least_share < 1.0
    assert () == failures(on, trial, 1.0) == failures(on, trial, found.least_share)
    assert found.fails == failures(on, trial, round(found.least_share - 0.01, 2))
    assert "95th percentile of work lost" in found.fails


def test_a_budget_below_what_guests_must_have_is_not_kept() -> None:
    on = hosts("idle", [0])
    assert ("budget",) == failures(on, Trial(on[0].scenario, "equal"), 0.2)


def test_who_takes_what_programs_use_passes_on_no_host() -> None:
    on = hosts("trade-places", [0])
    found = density("trade-places", on, Trial(on[0].scenario, "hyper-v"))
    assert found.least_share is None
    assert "worst guest's work lost" in found.fails
