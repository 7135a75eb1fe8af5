"""Rivals' published rules: what they come to by hand."""

import numpy as np
import pytest
from columns import known, snapshot

from ballonet.policy.rivals import RIVALS
from ballonet.policy.settings import Settings
from ballonet.units import GIB, MIB


def settings(budget: float = 8.0 * GIB) -> Settings:
    return Settings(budget_bytes=budget)


def targets(name: str, table: object, budget: float = 8.0 * GIB) -> list[float]:
    made = RIVALS[name](table, known(table), settings(budget))  # type: ignore[arg-type]
    return [round(value / MIB) if not np.isnan(value) else -1 for value in made.target.tolist()]


def test_none_leaves_all_as_they_are() -> None:
    assert [-1, -1] == targets("none", snapshot(2), budget=1.0 * GIB)


def test_an_equal_split_is_by_weight() -> None:
    table = snapshot(2, maximum=4.0 * GIB, actual=4.0 * GIB, weight=np.array([1.0, 3.0]))
    assert [1024, 3072] == targets("equal", table, budget=4.0 * GIB)


def test_mom_shrinks_by_five_percent_when_the_host_is_short_and_else_grows() -> None:
    table = snapshot(2, maximum=4.0 * GIB, actual=2.0 * GIB, unused=1.5 * GIB, usable=1.5 * GIB)
    assert [1946, 1946] == targets("mom", table, budget=4.5 * GIB)  # 11 % free: 2,048 less 5 %
    assert [2150, 2150] == targets("mom", table, budget=8.0 * GIB)  # 50 % free: 2,048 and 5 %


def test_proxmox_moves_by_a_hundred_mib_and_asks_the_comfortable_first() -> None:
    unused = np.array([1.0 * GIB, 10.0 * MIB])
    table = snapshot(2, maximum=4.0 * GIB, actual=2.0 * GIB, unused=unused, usable=unused)
    assert [1948, -1] == targets("proxmox", table, budget=4.0 * GIB)
    assert [-1, 2148] == targets("proxmox", table, budget=8.0 * GIB)


def test_hyper_v_gives_a_fifth_more_than_is_used() -> None:
    table = snapshot(1, maximum=4.0 * GIB, actual=3.0 * GIB, unused=1.0 * GIB, usable=2.0 * GIB)
    assert [1229] == targets("hyper-v", table)


@pytest.mark.parametrize(("usable", "target"), [(0.3, 3994), (0.40, -1), (0.6, 2765)])
def test_virtui_steps_up_by_thirty_and_down_by_ten_percent(usable: float, target: int) -> None:
    table = snapshot(
        1,
        maximum=8.0 * GIB,
        actual=3072.0 * MIB,
        available=3072.0 * MIB,
        unused=0.0,
        usable=usable * 3072 * MIB,
    )
    assert [target] == targets("virtui", table)


def test_xen_goes_down_by_an_eighth_of_the_way() -> None:
    table = snapshot(1, maximum=4.0 * GIB, actual=4.0 * GIB, unused=3.0 * GIB, usable=3.0 * GIB)
    goal = 1024 + 99 + 0.02 * 4096
    assert [round(4096 - (4096 - goal) / 8)] == targets("xen", table)


@pytest.mark.parametrize("name", RIVALS)
def test_none_of_them_touches_whom_nobody_may_touch_or_leaves_the_limits(name: str) -> None:
    table = snapshot(3, maximum=4.0 * GIB, actual=2.0 * GIB, device=np.array([True, False, True]))
    made = RIVALS[name](table, known(table), settings(1.0 * GIB))
    assert np.isnan(made.target[1])
    told = made.target[~np.isnan(made.target)]
    assert (told >= table.floor[0] - 4096).all()
    assert (told <= table.ceiling[0]).all()
