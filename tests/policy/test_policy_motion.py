"""From here to there: who grows now and out of what, and how slowly surplus is given."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from columns import NOW, known, settings, snapshot

from ballonet.facts.host import HostState
from ballonet.facts.memory import HostPast
from ballonet.facts.plan import Bound, Plan
from ballonet.facts.snapshot import Floats
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.plan import plan
from ballonet.policy.settings import Settings
from ballonet.units import MIB

M = 1024.0 * MIB
R = reserve_bytes(M)
POOL, STORE = 0.2 * M, 0.5 * M
# A guest that uses 490 of its 512 MiB needs 566.8 and wants a cushion of 41; one that rests has enough.
NEEDY: dict[str, Any] = {"actual": 512.0 * MIB, "unused": 10 * MIB, "usable": 22 * MIB}


def law(mib: float, **more: Any) -> Settings:
    return settings(mib / 1024, **more)


def decided(
    there: Settings, state: HostState = HostState.PLENTY, *, rows: int = 1, **columns: Any
) -> tuple[Plan, Floats]:
    """Return the plan of guests, and by how much each grows (0: it does not)."""
    table = snapshot(rows, **columns)
    memory = replace(known(table), host=HostPast(state, NOW))
    made = plan(table, memory, there)
    return made, np.nan_to_num(made.target - table.actual)


def test_a_need_may_use_up_what_is_held_back_for_bursts() -> None:
    made, grown = decided(law(570), **NEEDY)

    assert 490 * MIB + R - 512 * MIB == pytest.approx(grown[0], abs=4096)
    assert made.pool == pytest.approx(570 * MIB - 490 * MIB - R)


def test_a_cushion_may_not_and_waits_until_the_pool_is_full() -> None:
    """Two need nothing and want cushions, the third lets go of what it has in the meantime."""
    columns: dict[str, Any] = {
        "rows": 2,
        "actual": [512.0 * MIB, 900.0 * MIB],
        "unused": [100 * MIB, 800 * MIB],
        "usable": [100 * MIB, 800 * MIB],
    }

    _, poor = decided(law(1412 + 0.9 * POOL / MIB), **columns)
    _, little = decided(law(1412 + POOL / MIB + 10), **columns)
    _, rich = decided(law(1412 + POOL / MIB + 30), **columns)

    assert 0.0 >= poor[0]
    assert 10 * MIB == pytest.approx(little[0], abs=4096)
    assert 412 * MIB + R + 0.04 * M - 512 * MIB == pytest.approx(rich[0], abs=4096)


@pytest.mark.parametrize(
    ("state", "share"),
    [
        (HostState.PLENTY, 0.01),
        (HostState.COMFORT, 0.0),
        (HostState.TIGHT, 0.0),
        (HostState.HARD, 0.0),
    ],
)
def test_surplus_is_given_slowly_and_only_in_plenty(state: HostState, share: float) -> None:
    _, grown = decided(law(10_000), state, actual=700.0 * MIB, unused=300 * MIB, usable=300 * MIB)

    assert share * M == pytest.approx(max(0.0, grown[0]), abs=4096)


def test_surplus_is_given_only_beyond_pool_and_store() -> None:
    calm: dict[str, Any] = {"actual": 700.0 * MIB, "unused": 300 * MIB, "usable": 300 * MIB}

    _, short = decided(law(700 + (POOL + STORE) / MIB), **calm)
    _, little = decided(law(700 + (POOL + STORE) / MIB + 20), **calm)

    assert 0.0 == short[0]
    assert 0.01 * M == pytest.approx(little[0], abs=4096)


def test_surplus_that_is_kept_for_the_host_is_not_given() -> None:
    calm: dict[str, Any] = {"actual": 700.0 * MIB, "unused": 150 * MIB, "usable": 150 * MIB}

    made, grown = decided(law(10_000, give_surplus=False), **calm)

    assert grown[0] <= 0.0
    assert 0.0 == made.wanted[3][0]


def test_growth_out_of_what_is_free_is_shared_by_weight() -> None:
    """The third has all that the others need, and gives it back from now on; 40 MiB are free already."""
    columns: dict[str, Any] = {
        name: [value, value, give]
        for (name, value), give in zip(NEEDY.items(), (900 * MIB, 800 * MIB, 800 * MIB), strict=True)
    }

    made, grown = decided(law(1024 + 900 + 40), rows=3, weight=[100.0, 300.0, 100.0], **columns)

    assert 3 * grown[0] == pytest.approx(grown[1], abs=3 * 4096)
    assert 40 * MIB == pytest.approx(grown[:2].sum(), abs=2 * 4096)
    assert [Bound.HOST_SHORT, Bound.HOST_SHORT] == made.bound[:2].tolist()
    assert grown[2] < 0.0


@pytest.mark.parametrize(("lacking_mib", "grown_mib"), [(15, 0), (16, 16)])
def test_growth_by_less_than_half_of_the_deadband_is_not_made(lacking_mib: float, grown_mib: float) -> None:
    """3 % of the maximum are 30.7 MiB."""
    actual = 500 * MIB + R + 0.04 * M - lacking_mib * MIB
    calm: dict[str, Any] = {"actual": actual, "usable": actual - 500 * MIB, "unused": actual - 500 * MIB}

    _, grown = decided(law(10_000, give_surplus=False), **calm)

    assert grown_mib * MIB == pytest.approx(grown[0], abs=4096)


def test_a_guest_whose_maximum_is_unknown_keeps_nobody_from_growing() -> None:
    """H4."""
    columns: dict[str, Any] = {name: [value, value] for name, value in NEEDY.items()}

    made, grown = decided(law(4096), rows=2, **columns, maximum=[M, np.nan])

    assert grown[0] >= 490 * MIB + R - 512 * MIB - 4096
    assert 0.0 == grown[1]
    assert np.isfinite(made.free)
