"""What is remembered between two snapshots: use, growth, debt, arrival, and what is forgotten."""

from typing import Any

import numpy as np
import pytest
from columns import NOW, known, settings, snapshot

from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.learn import learn, promised, told
from ballonet.units import GIB, MIB

LAW = settings(4)


def later(seconds: float = 2.0, **columns: Any) -> Snapshot:
    """Return one guest so many seconds later, with a sample a second old."""
    usual = {"stats_at": NOW + seconds - 1, "uptime": 3600 + seconds}
    return snapshot(1, taken_at=NOW + seconds, **{**usual, **columns})


def after(memory: Memory, *tables: Snapshot) -> Memory:
    for table in tables:
        memory = learn(memory, table, LAW)
    return memory


def test_the_first_sight_is_not_trusted_before_the_balloon_was_seen_at_rest() -> None:
    first = learn(Memory.blank(1), snapshot(1), LAW)
    second = learn(first, later(2.5), LAW)

    assert np.isnan(first.used[0])
    assert 512 * MIB == second.used[0]


def test_use_is_right_while_the_balloon_moves() -> None:
    """The sample's own `available` tells the size that it belongs to."""
    memory = known(snapshot(1))
    moving = later(actual=512 * MIB, available=(700 - 50) * MIB, usable=188 * MIB)

    assert 512 * MIB == learn(told(memory, np.array([0]), np.array([512.0 * MIB]), NOW), moving, LAW).used[0]


@pytest.mark.parametrize(("actual", "usable", "used"), [(768, 256, 512), (768, 400, 512)])
def test_where_the_balloon_counts_as_used_a_shrinking_guest_uses_no_less_than_before(
    actual: int, usable: int, used: int
) -> None:
    memory = known(snapshot(1, autodeflate=True))
    memory = told(memory, np.array([0]), np.array([512.0 * MIB]), NOW)

    moving = later(autodeflate=True, actual=actual * MIB, usable=usable * MIB)

    assert used * MIB == learn(memory, moving, LAW).used[0]


def test_growth_is_remembered_and_fades() -> None:
    memory = known(snapshot(1))
    grown = learn(memory, later(2, usable=312 * MIB), LAW)
    rested = after(grown, later(1502, usable=312 * MIB))

    assert 100 * MIB == grown.growth[0]
    assert 50 * MIB == pytest.approx(rested.growth[0], rel=0.01)


def test_swap_debt_counts_while_cut_and_fades() -> None:
    cut = snapshot(1, actual=512 * MIB, usable=20 * MIB, unused=10 * MIB)
    columns: dict[str, Any] = {"actual": 512 * MIB, "usable": 20 * MIB, "unused": 10 * MIB}
    swapped = learn(known(cut), later(2, swap_out=100 * MIB, swap_in=20 * MIB, **columns), LAW)
    rested = after(swapped, later(602, swap_out=100 * MIB, swap_in=20 * MIB, **columns))

    assert 80 * MIB == swapped.swap_debt[0]
    assert swapped.distress[0]
    assert 40 * MIB == pytest.approx(rested.swap_debt[0], rel=0.01)
    assert not rested.distress[0]


def test_swap_at_the_maximum_is_no_debt_of_ours() -> None:
    swapped = learn(known(snapshot(1)), later(swap_out=100 * MIB, unused=0.0, usable=0.0), LAW)

    assert swapped.swap_debt[0] == 0
    assert not swapped.distress[0]


def test_healing_is_no_distress() -> None:
    """Swap-ins with memory free: the guest comes back by itself."""
    memory = known(snapshot(1, actual=700 * MIB))
    healing = later(actual=700 * MIB, swap_in=50 * MIB, unused=300 * MIB, usable=300 * MIB)

    assert not learn(memory, healing, LAW).distress[0]


def test_a_guest_that_was_started_anew_is_a_new_guest() -> None:
    memory = known(snapshot(1, swap_out=9.0 * MIB), swap_debt=9.0 * MIB, growth=1.0 * MIB)

    assert 0 == learn(memory, later(uptime=1.0), LAW).swap_debt[0]
    assert 0 == learn(memory, later(uptime=np.nan, swap_out=0.0), LAW).growth[0]


def test_a_target_is_reached_when_actual_is_near() -> None:
    memory = told(known(snapshot(1)), np.array([0]), np.array([900.0 * MIB]), NOW)

    assert not memory.arrived[0]
    assert not learn(memory, later(actual=950 * MIB), LAW).arrived[0]
    assert learn(memory, later(actual=901 * MIB), LAW).arrived[0]


def test_a_guest_that_crawls_is_stuck_and_its_pause_doubles() -> None:
    memory = told(known(snapshot(1)), np.array([0]), np.array([500.0 * MIB]), NOW)
    crawled = memory
    for second in range(2, 14, 2):
        crawled = learn(crawled, later(second, actual=(1024 - second / 4) * MIB), LAW)

    assert crawled.stuck_until[0] > NOW + 12
    assert 20.0 == crawled.stuck_seconds[0]


def test_a_guest_that_moves_is_not_stuck() -> None:
    memory = told(known(snapshot(1)), np.array([0]), np.array([500.0 * MIB]), NOW)
    for second in range(2, 30, 2):
        memory = learn(memory, later(second, actual=(1024 - 12 * second) * MIB), LAW)

    assert -np.inf == memory.stuck_until[0]


def test_a_change_by_somebody_else_is_adopted() -> None:
    memory = told(known(snapshot(1)), np.array([0]), np.array([900.0 * MIB]), NOW)
    memory = after(memory, later(2, actual=900 * MIB), later(4, actual=700 * MIB))

    assert 700 * MIB == memory.target[0]
    assert memory.arrived[0]
    assert memory.foreign_until[0] > NOW + 4


def test_a_promise_is_kept_until_the_guest_reported_again() -> None:
    memory = promised(known(snapshot(1)), np.array([0]), np.array([0.9 * GIB]), NOW)

    assert 0.9 * GIB == learn(memory, later(1.5), LAW).promised[0]
    assert np.isnan(learn(memory, later(3), LAW).promised[0])
    assert np.isnan(learn(memory, later(11, stats_at=NOW - 1), LAW).promised[0])


def test_what_is_unknown_changes_nothing() -> None:
    memory = known(snapshot(1), growth=5.0, swap_debt=7.0)
    blind = later(usable=np.nan, swap_in=np.nan, swap_out=np.nan, available=np.nan)

    learnt = learn(memory, blind, LAW)

    assert (5.0, 7.0, 512 * MIB) == (learnt.growth[0], learnt.swap_debt[0], learnt.used[0])
