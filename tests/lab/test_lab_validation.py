"""What is run on both sides, and the simulated side of it."""

import numpy as np
import pytest

from ballonet.errors import UsageError
from ballonet.lab.validation import CASES, Case, Run, case, guest_spec, on_simulated_guests
from ballonet.simulator.scenarios import SCENARIOS
from ballonet.units import MIB


@pytest.mark.parametrize("name", [*CASES, "trade-places"])
def test_real_guests_are_made_as_simulated_ones(name: str) -> None:
    specs = case(name).specs()
    assert list(case(name).scenario.loads) == [spec.name for spec in specs]
    for simulated in specs:
        real = guest_spec(simulated)
        for field in ("name", "vcpus", "autodeflate", "free_page_reporting", "period_seconds", "swap_bytes"):
            assert getattr(simulated, field) == getattr(real, field)
        assert simulated.maximum_bytes == real.memory_bytes
        assert simulated.requests == real.iops


def test_kinds_differ_as_their_names_say() -> None:
    made = {spec.name: spec for spec in case("kinds").specs()}
    assert 0 == made["bare"].swap_bytes
    assert made["rescued"].autodeflate
    assert not made["silent"].free_page_reporting
    assert {512 * MIB, 384 * MIB} == {spec.maximum_bytes for spec in made.values()}


def test_a_case_that_is_none_is_answered_with_the_nearest() -> None:
    assert Case(SCENARIOS["idle"]) == case("idle")
    with pytest.raises(UsageError) as caught:
        case("kind")
    assert "there is kinds" == caught.value.hint


def test_simulated_guests_begin_with_their_loads_when_they_have_settled() -> None:
    found = on_simulated_guests(Run("cold-memory", case("cold-memory"), "equal", 10))
    assert {"cold", "files", "rest"} == set(found)
    cold = found["cold"]
    assert 10 == len(cold.answers.answered)
    # Nothing is answered at rest: 50 a second from the first on, those that a swap-out delays a little later.
    assert [50.0, 500.0] == pytest.approx([cold.answers.answered[0], cold.answers.answered.sum()], abs=10)
    # The budget was split before; the load's 240 MiB come after two seconds, at 100 MiB/s.
    assert (np.abs(cold.levels["actual"] - 1000 * MIB / 3) < MIB).all()
    assert cold.levels["resident"][1] < 200 * MIB < 300 * MIB < cold.levels["resident"][8]
