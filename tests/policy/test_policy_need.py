"""What a guest needs: use, debt and reserve, relief in steps, cushions, and cache known to be in use."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from columns import NOW, known, settings, snapshot

from ballonet.facts.host import HostState
from ballonet.facts.memory import HostPast, Memory
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.need import cushion, need, wants
from ballonet.policy.plan import plan
from ballonet.units import MIB

LAW = settings(4)
M = 1024.0 * MIB
R = reserve_bytes(M)
# It uses 592 MiB, and has 8 MiB more.
POOR: dict[str, Any] = {"actual": 600.0 * MIB, "unused": 4 * MIB, "usable": 8 * MIB}


def needed(columns: dict[str, Any], **remembered: Any) -> float:
    table = snapshot(1, **columns)
    return float(need(table, known(table, **remembered), LAW)[0])


def cushioned(columns: dict[str, Any] | None = None, **remembered: Any) -> float:
    table = snapshot(1, **{"swap_out": 1.0, "rss": 600.0 * MIB, **(columns or {})})
    return float(cushion(table, known(table, **remembered), LAW)[0])


def wanted(columns: dict[str, Any], **remembered: Any) -> list[float]:
    """Return need, cushion, cache and surplus."""
    table = snapshot(1, **columns)
    return [float(tier) for tier in wants(table, known(table, **remembered), LAW)[:, 0]]


def in_state(state: HostState, memory: Memory) -> Memory:
    return replace(memory, host=HostPast(state, NOW))


# --- need -------------------------------------------------------------------------------------------


def test_need_is_use_and_debt_and_reserve() -> None:
    """What was swapped out raises `usable`: without the debt a guest that swaps needs less and less."""
    assert 592 * MIB + R == needed(POOR)
    assert 592 * MIB + 70 * MIB + R == needed(POOR, swap_debt=70 * MIB)


def test_relief_comes_in_steps_and_the_second_very_bad_sample_gets_all() -> None:
    columns = {**POOR, "actual": 800.0 * MIB}
    remembered: dict[str, Any] = {"used": 500 * MIB, "distress": True}

    assert [(800 + 2 * 0.04 * 1024) * MIB, (800 + 0.15 * 1024) * MIB, 1024 * MIB, 1024 * MIB] == [
        needed(columns, **remembered, worse=worse) for worse in (0.0, 1.0, 2.0, 3.0)
    ]
    assert 900 * MIB == needed({**columns, "ceiling": 900.0 * MIB}, **remembered, worse=2.0)


def test_relief_is_32_mib_at_least_and_two_cushions() -> None:
    small = {**POOR, "maximum": 512.0 * MIB, "actual": 400.0 * MIB, "rss": 450.0 * MIB, "swap_out": 1.0}
    remembered: dict[str, Any] = {"used": 300 * MIB, "distress": True}

    assert (400 + 32) * MIB == needed(small, **remembered)
    assert (400 + 2 * 0.3 * 100) * MIB == pytest.approx(needed(small, **remembered, growth=100.0 * MIB))
    assert (400 + 2 * 0.3 * 512) * MIB == pytest.approx(
        needed(small, **remembered, growth=1e12, worse=1.0)  # more than 15 % of M
    )


def test_a_guest_in_distress_that_needs_more_than_relief_gets_that() -> None:
    assert 700 * MIB + R == needed(POOR, used=700 * MIB, distress=True)


def test_a_promise_is_a_need_until_it_is_outgrown() -> None:
    assert 900 * MIB == needed(POOR, promised=900 * MIB, promised_at=NOW - 0.4)
    assert 592 * MIB + R == needed(POOR, promised=300 * MIB, promised_at=NOW - 0.4)


def test_a_burst_that_is_over_keeps_what_it_was_given_and_calls_for_no_more() -> None:
    over: dict[str, Any] = {"promised": 900 * MIB, "promised_at": NOW - 0.6}
    assert 800 * MIB == needed(POOR, **over, target=800 * MIB)
    assert 900 * MIB == needed(POOR, **over, target=950 * MIB)
    assert 592 * MIB + R == needed(POOR, **over)


def test_a_burst_that_is_over_keeps_no_more_than_it_can_have_taken_and_a_little() -> None:
    """It used 592 MiB at its last statistics, and its resident memory rose by 50 MiB since."""
    over: dict[str, Any] = {"promised": 900 * MIB, "promised_at": NOW - 0.6, "target": 900 * MIB}
    assert 592 * MIB + R + (50 + 32) * MIB == needed({**POOR, "risen": 50 * MIB}, **over)
    assert 592 * MIB + R + 32 * MIB == needed({**POOR, "risen": -50 * MIB}, **over)
    assert 900 * MIB == needed({**POOR, "risen": 500 * MIB}, **over)
    assert 592 * MIB + R + (70 + 32) * MIB == needed({**POOR, "risen": 0.0}, **over, swap_debt=70 * MIB)
    assert 900 * MIB == needed({**POOR, "risen": 0.0}, **{**over, "promised_at": NOW - 0.4})


def test_what_a_balloon_took_from_a_burst_does_not_hide_its_growth() -> None:
    """Its kernel managed 100 MiB more than now when it sent its statistics."""
    over: dict[str, Any] = {"promised": 900 * MIB, "promised_at": NOW - 0.6, "target": 900 * MIB}
    taken = {**POOR, "risen": -60 * MIB, "available": POOR["actual"] + 50 * MIB}
    assert 592 * MIB + R + (100 + 32) * MIB == needed(taken, **over, overhead=50 * MIB)


# --- cushion ----------------------------------------------------------------------------------------


def test_a_cushion_lasts_until_the_reflex_answers_or_until_the_next_tick() -> None:
    """0.3 s; or a tick of 2 s, statistics a second old, and half a second."""
    assert 0.3 * 100 * MIB == pytest.approx(cushioned(growth=100 * MIB))
    assert 3.5 * 50 * MIB == pytest.approx(cushioned({"watched": False}, growth=50 * MIB))


@pytest.mark.parametrize(
    ("rss", "reports_free", "shows"),
    [
        (824 + 38, False, True),  # of 1,024 MiB 200 are unused, and half of R of these resident
        (824 + 39, False, False),
        (824 + 39, True, True),
        (np.nan, False, True),
        (np.nan, True, True),
        (824 + 256, True, True),  # its process has some beside
        (825 + 256, True, False),  # its driver does not report
    ],
)
def test_growth_into_memory_that_is_resident_already_is_not_seen_by_the_reflex(
    rss: float, *, reports_free: bool, shows: bool
) -> None:
    columns = {"rss": rss * MIB, "unused": 200.0 * MIB, "reports_free": reports_free}
    seconds = 0.3 if shows else 3.5
    assert seconds * 80 * MIB == pytest.approx(cushioned(columns, growth=80 * MIB))


def test_a_cushion_does_not_go_up_and_down_with_the_age_of_statistics() -> None:
    columns = {"watched": False, "period": 22.0}
    just_come, due = ({**columns, "stats_at": NOW - age} for age in (0.0, 22.0))
    assert cushioned(just_come, growth=4 * MIB) == cushioned(due, growth=4 * MIB)
    late = {**columns, "stats_at": NOW - 30.0}
    assert 8 * 4 * MIB == pytest.approx(cushioned(late, growth=4 * MIB) - cushioned(due, growth=4 * MIB))


def test_a_cushion_is_2_to_30_percent_of_the_maximum_and_twice_the_least_without_swap() -> None:
    assert 0.02 * M == cushioned()
    assert 0.30 * M == cushioned(growth=1e12)
    assert 0.04 * M == cushioned({"swap_out": 0.0})
    assert 0.04 * M == cushioned({"swap_out": np.nan})
    assert 0.02 * M == cushioned({"swap_out": 0.0, "autodeflate": True})


def test_cushions_are_called_in_when_the_host_is_in_an_emergency() -> None:
    """To 60 %."""
    table = snapshot(1, swap_out=1.0)
    calm, alarmed = (
        cushion(table, in_state(state, known(table)), LAW)[0]
        for state in (HostState.HARD, HostState.EMERGENCY)
    )

    assert 0.6 * calm == alarmed


def test_what_cushions_give_up_reaches_the_plan() -> None:
    table = snapshot(2)
    memory = known(table)
    calm, alarmed = (
        plan(table, in_state(state, memory), LAW).wanted[1] for state in (HostState.HARD, HostState.EMERGENCY)
    )

    np.testing.assert_allclose(alarmed, 0.6 * calm)


# --- cache ------------------------------------------------------------------------------------------


def test_cache_that_is_only_there_makes_no_guest_grow() -> None:
    """A guest that streams would fill all that it got: it wishes for cache within what it has."""
    columns = {"actual": 700.0 * MIB, "unused": 0.0, "usable": 300 * MIB}

    assert 700 * MIB == pytest.approx(sum(wanted(columns)[:3]))
    assert 0.0 == wanted(columns, used=700 * MIB)[2]


def test_cache_known_to_be_in_use_may_exceed_what_is_there_and_what_the_guest_has() -> None:
    columns = {"actual": 500.0 * MIB, "unused": 0.0, "usable": 50 * MIB}

    assert 200 * MIB == pytest.approx(wanted(columns, kept=200 * MIB)[2])


def test_wishes_stay_between_floor_and_ceiling() -> None:
    over = wanted({"ceiling": 700.0 * MIB}, used=2000 * MIB, kept=500 * MIB)
    idle = wanted({"floor": 400.0 * MIB}, used=0.0)

    assert [700 * MIB, 0.0, 0.0, 0.0] == over
    assert 400 * MIB == idle[0]
    assert 1024 * MIB == sum(idle)


def test_a_guest_whose_use_is_unknown_has_no_wishes() -> None:
    assert np.isnan(wanted({}, used=np.nan)).all()
