"""Scenarios and how seeds vary them."""

import pytest

from ballonet.simulator.scenarios import REPORT_SEEDS, SCENARIOS, TUNING_SEEDS, scenario
from ballonet.simulator.schedule import steps


def test_no_number_is_chosen_on_what_is_reported() -> None:
    assert not set(TUNING_SEEDS) & set(REPORT_SEEDS)
    assert 20 == len(REPORT_SEEDS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_seed_gives_the_same_host_again_and_another_one_another(name: str) -> None:
    assert scenario(name, 101) == scenario(name, 101)
    assert scenario(name, 101).loads != scenario(name, 102).loads
    assert all(steps(load) for load in scenario(name, 101).loads.values())


@pytest.mark.parametrize("name", [name for name, found in SCENARIOS.items() if found.in_lab])
def test_varied_loads_are_no_larger_and_come_no_sooner(name: str) -> None:
    usual, varied = scenario(name), scenario(name, 103)
    assert (usual.budget_bytes, usual.seconds) == (varied.budget_bytes, varied.seconds)
    for guest, load in usual.loads.items():
        for before, after in zip(steps(load), steps(varied.loads[guest]), strict=True):
            assert 0.0 <= after.at - before.at <= 3.0
            assert 0.79 * before.anon_mib <= after.anon_mib <= before.anon_mib


@pytest.mark.parametrize(("name", "guests"), [("mix", 16), ("host", 48)])
def test_a_mix_has_guests_of_several_kinds_and_sizes_on_less_than_they_could_take(
    name: str, guests: int
) -> None:
    found = scenario(name, 5)
    assert guests == len(found.loads)
    assert len({found.maximum(name) for name in found.loads}) > 1
    assert len({name.split("-")[0] for name in found.loads}) > 3
    assert found.budget_bytes == pytest.approx(0.6 * found.whole_bytes())


def test_an_hour_of_a_day_is_mostly_quiet() -> None:
    found = scenario("hour", 5)
    assert 24 == len(found.loads)
    assert 3600 == found.seconds
    for load in found.loads.values():
        assert 0.0 == steps(load)[0].at
        assert 2 <= len(steps(load)) < 12
        assert len({step.file_mib for step in steps(load)}) == 1
    assert any(step.grow_mib_s > 60 for load in found.loads.values() for step in steps(load))
    assert 1 < sum(steps(load)[0].file_mib > 0 for load in found.loads.values()) < 16
