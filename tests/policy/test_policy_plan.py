"""The decision: what it does in the situations that the law names."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from columns import NOW, known, settings, snapshot

from ballonet.facts.host import HostMemory, HostState
from ballonet.facts.memory import HostPast
from ballonet.facts.plan import Bound, Plan
from ballonet.facts.snapshot import Floats
from ballonet.facts.verdict import CODES
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.plan import plan
from ballonet.units import GIB, MIB

MAXIMUM = 1024.0 * MIB
R = reserve_bytes(MAXIMUM)


def end_sizes(made: Plan) -> Floats:
    return np.where(np.isnan(made.target), made.snapshot.actual, made.target)


def test_a_settled_host_writes_nothing() -> None:
    """Q1: everybody has what it should have."""
    table = snapshot(4)

    made = plan(table, known(table), settings(5))

    assert made.changes() == []
    assert set(made.bound.tolist()) == {Bound.NOTHING}


def test_constant_load_reaches_an_empty_plan_and_stays_there() -> None:
    """Q1: four guests that use 300 MiB each, on half of the sum of their maxima."""
    used = np.array([250.0, 300.0, 350.0, 100.0]) * MIB
    actual = np.full(4, MAXIMUM)
    sent = []
    for _ in range(20):
        table = snapshot(4, actual=actual, unused=actual - used, usable=actual - used)
        made = plan(table, known(table), settings(2))
        sent.append(len(made.changes()))
        actual = end_sizes(made)

    assert sum(sent[:8]) > 0
    assert [0] * 8 == sent[-8:]
    assert actual.sum() <= 2 * GIB


def carried_out(actual: Floats, used: Floats, budget_gib: float) -> list[Plan]:
    """Return the plans under constant load, each carried out, to the first that changes nothing."""
    made: list[Plan] = []
    while not made or made[-1].changes():
        table = snapshot(len(actual), actual=actual, unused=actual - used, usable=actual - used)
        made.append(plan(table, known(table), settings(budget_gib)))
        actual = end_sizes(made[-1])
        assert len(made) < 50
    return made


@pytest.mark.parametrize("budget_gib", [1.8, 2.0, 2.5, 3.0])
@pytest.mark.parametrize(
    "actual_mib",
    [[1024, 1024, 1024, 1024], [300, 1024, 420, 400], [400, 400, 400, 848], [650, 320, 650, 428]],
)
def test_a_plan_that_is_interrupted_anywhere_ends_where_it_would_have(
    actual_mib: list[float], budget_gib: float
) -> None:
    """S3: whatever part of which plan was carried out, the next ones make up for the rest."""
    used = np.array([250.0, 300.0, 350.0, 100.0]) * MIB
    plans = carried_out(np.array(actual_mib) * MIB, used, budget_gib)
    end = plans[-1].snapshot.actual
    for made in plans:
        rows = made.changes()
        for sent in range(len(rows)):
            begun = made.snapshot.actual.copy()
            begun[rows[:sent]] = made.target[rows[:sent]]
            again = carried_out(begun, used, budget_gib)[-1].snapshot.actual
            # Half of the deadband, 3 % of the maximum, is not worth a growth, and all of it not a shrink.
            assert end == pytest.approx(again, abs=1.5 * 0.03 * MAXIMUM)


def test_a_guest_in_need_grows_at_once_and_fully() -> None:
    used, actual = 600 * MIB, 620 * MIB
    table = snapshot(
        2, actual=[actual, MAXIMUM / 2], usable=[20 * MIB, 300 * MIB], unused=[10 * MIB, 300 * MIB]
    )

    made = plan(table, known(table), settings(2))

    assert made.target[0] >= used + R
    left = 2 * GIB - table.actual.sum() - (made.target[0] - actual)
    assert left == pytest.approx(made.free, abs=4096)  # H1: what it got is spent


def test_growth_waits_for_memory_that_is_free() -> None:
    """H2: the neighbour shrinks first; nothing grows on what it has only been told to give."""
    table = snapshot(
        2, actual=[512 * MIB, MAXIMUM], usable=[20 * MIB, 700 * MIB], unused=[10 * MIB, 700 * MIB]
    )

    made = plan(table, known(table), settings(1.5))

    assert np.isnan(made.target[0])
    assert Bound.HOST_SHORT == made.bound[0]
    assert made.target[1] < MAXIMUM


def test_untouched_memory_of_guests_counts_as_spent() -> None:
    """H1: a host with 600 MiB available whose guests never touched 500 MiB of theirs has 100 to give."""
    host = HostMemory(8 * GIB, 1624 * MIB, 0, 0, None, None, None, 0)
    table = snapshot(
        2, host=host, actual=512 * MIB, usable=10 * MIB, unused=5 * MIB, rss=[512 * MIB, 12 * MIB]
    )

    made = plan(table, known(table), settings(100))

    assert 100 * MIB == pytest.approx(np.nansum(made.target - table.actual), abs=2 * 4096)


def test_nobody_shrinks_below_need_when_needs_do_not_fit() -> None:
    table = snapshot(3, actual=700 * MIB, usable=40 * MIB, unused=30 * MIB)

    made = plan(table, known(table), settings(1.2))

    assert made.changes() == []
    assert made.wanted[:3].sum() - 1.2 * GIB == pytest.approx(made.short)


def test_where_swapping_is_allowed_all_give_bites_down_to_their_share() -> None:
    table = snapshot(3, actual=700 * MIB, usable=40 * MIB, unused=30 * MIB, weight=[100.0, 100.0, 200.0])
    allowed = replace(settings(1.8), allow_swap=True)

    made = plan(table, known(table), allowed)

    # Tiers sum to 1,843 MiB; one of double weight keeps what it needs, its share is larger than that.
    assert [(1.8 * 1024 - 737) / 2] * 2 == pytest.approx((made.allotted / MIB)[:2].tolist(), abs=1)
    assert (made.target[:2] < 700 * MIB).all()
    assert (made.target[:2] > made.allotted[:2]).all()
    assert np.isnan(made.target[2])


def test_swapping_that_is_allowed_takes_nothing_while_needs_fit() -> None:
    table = snapshot(3, actual=760 * MIB, usable=100 * MIB, unused=90 * MIB)
    there = settings(2.3)

    made = plan(table, known(table), replace(there, allow_swap=True))

    assert made.changes() == plan(table, known(table), there).changes()


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("running", False, "not-running"),
        ("excluded", True, "excluded"),
        ("held", True, "held"),
        ("device", False, "no-device"),
        ("obstacle", 0, "passthrough"),
        ("obstacle", 2, "hugepages"),
        ("busy", True, "busy"),
        ("maximum", np.nan, "unknown-size"),
        ("uptime", 5.0, "booting"),
        ("period", 0.0, "no-period"),
        ("stats_at", np.nan, "silent"),
        ("stats_at", NOW - 31, "blind"),
        ("usable", np.nan, "no-usable"),
        ("usable", 1.2 * MAXIMUM, "absurd"),
        ("unused", 1.2 * MAXIMUM, "absurd"),
        ("usable", -1.0, "absurd"),
        ("available", 100.0 * MIB, "absurd"),
    ],
)
def test_guests_that_must_not_be_touched_are_not(column: str, value: float, code: str) -> None:
    usual: Any = getattr(snapshot(1), column)[0]
    columns: dict[str, Any] = {column: [value, usual]}
    table = snapshot(2, **columns)

    made = plan(table, known(table), settings(1))

    assert CODES[code] == made.verdict[0]
    assert np.isnan(made.target[0])
    assert Bound.VERDICT == made.bound[0]


def test_a_guest_that_is_not_managed_wants_nothing_and_is_told_nothing_whatever_it_was_told_before() -> None:
    table = snapshot(2, excluded=[True, False])

    made = plan(table, known(table, target=500 * MIB), settings(4))

    assert np.isnan(made.target[0])
    assert [0.0] * 4 == made.wanted[:, 0].tolist()


@pytest.mark.parametrize(("until", "code"), [(NOW + 0.1, "foreign"), (NOW, "managed")])
def test_what_somebody_else_changed_is_left_alone_until_its_time_is_over(until: float, code: str) -> None:
    """Q2."""
    table = snapshot(1)

    made = plan(table, known(table, foreign_until=until), settings(0.5))

    assert [CODES[code]] == made.verdict.tolist()
    assert (code == "managed") == bool(made.changes())


@pytest.mark.parametrize(("ahead_seconds", "code"), [(1.0, "managed"), (1.1, "stale")])
def test_statistics_from_the_future_allow_growing_only_beyond_what_is_rounding(
    ahead_seconds: float, code: str
) -> None:
    table = snapshot(1, stats_at=NOW + ahead_seconds)

    assert [CODES[code]] == plan(table, known(table), settings(4)).verdict.tolist()


def test_a_plan_says_what_there_was_to_give_what_is_left_and_how_short_the_host_is() -> None:
    table = snapshot(2)

    made = plan(table, replace(known(table), host=HostPast(HostState.TIGHT, NOW)), settings(4))

    assert HostState.TIGHT is made.state
    assert 2 * GIB == made.free
    assert 4 * GIB == made.budget + made.pool
    assert made.pool > 0


def test_old_statistics_allow_growing_only() -> None:
    usable = [9 * MIB, 900 * MIB]
    table = snapshot(2, stats_at=NOW - 20, actual=[512 * MIB, MAXIMUM], usable=usable, unused=usable)

    made = plan(table, known(table), settings(2))

    assert made.target[0] > 512 * MIB
    assert np.isnan(made.target[1])


def test_statistics_older_than_our_last_change_do_not_shrink() -> None:
    """G3."""
    table = snapshot(1)

    assert plan(table, known(table), settings(0.5)).changes() == [0]
    assert plan(table, known(table, changed_at=NOW - 0.5), settings(0.5)).changes() == []


def test_nothing_is_taken_from_a_guest_that_swaps() -> None:
    """G4."""
    table = snapshot(1, actual=700 * MIB)
    made = plan(table, known(table, distress=True), settings(0.5))

    assert made.changes() == []


def test_no_new_shrink_before_the_last_one_arrived() -> None:
    """G6."""
    table = snapshot(1)

    assert plan(table, known(table, arrived=False, target=900 * MIB), settings(0.5)).changes() == []


def test_a_shrink_leaves_the_reserve_and_takes_unused_memory_in_bites() -> None:
    """G5: at most 60 % of what is unused beyond the reserve, and a bite of cache; for a need half of it."""
    table = snapshot(1, unused=300 * MIB, usable=500 * MIB)
    unused, cache = 0.6 * (300 * MIB - R), 200 * MIB

    for_a_need = MAXIMUM - plan(table, known(table), settings(0.25)).target[0]
    for_itself = MAXIMUM - plan(table, known(table), settings(1.0, give_surplus=False)).target[0]

    assert unused + 0.3 * cache < for_a_need <= unused + 0.5 * cache + 4096
    assert for_itself <= unused + 0.06 * MAXIMUM


def test_surplus_kept_for_the_host_is_taken_in_bites_and_not_soon_after_a_growth() -> None:
    table = snapshot(1)
    keep = settings(100, give_surplus=False)

    bitten = plan(table, known(table), keep)
    rested = plan(table, known(table, grew_at=NOW - 10), keep)

    assert MAXIMUM - bitten.target[0] == pytest.approx(0.03 * MAXIMUM, abs=4096)
    assert Bound.BITE == bitten.bound[0]
    assert Bound.DWELL == rested.bound[0]


def test_more_weight_gets_more_when_there_is_not_enough() -> None:
    table = snapshot(2, weight=[100, 300], usable=500 * MIB, unused=100 * MIB)

    got = plan(table, known(table), settings(1.5)).got[2]

    assert 3 * got[0] == pytest.approx(got[1])


def test_of_cache_that_part_comes_first_that_is_known_to_be_in_use() -> None:
    table = snapshot(2, usable=500 * MIB, unused=100 * MIB)

    got = plan(table, known(table, kept=[20 * MIB, 0.0]), settings(1.5)).got[2]

    assert 20 * MIB == pytest.approx(got[0] - got[1])
    assert got[1] > 0


def test_more_weight_gets_more_of_what_is_not_enough_for_cache_in_use() -> None:
    table = snapshot(2, weight=[100, 300], usable=500 * MIB, unused=100 * MIB)

    got = plan(table, known(table, kept=300 * MIB), settings(1.5)).got[2]

    assert 3 * got[0] == pytest.approx(got[1])
    assert 0 < got[1] < 300 * MIB


def test_a_burst_in_sight_counts_as_need_until_the_guest_reports_again() -> None:
    table = snapshot(1, actual=512 * MIB, usable=200 * MIB, unused=200 * MIB)
    memory = known(table, promised=800 * MIB, promised_at=NOW)

    assert plan(table, memory, settings(2)).wanted[0][0] == 800 * MIB


def test_a_stuck_guest_is_told_to_stay_where_it_is() -> None:
    table = snapshot(1, actual=700 * MIB)
    memory = known(table, stuck_until=NOW + 5, target=500 * MIB)

    made = plan(table, memory, settings(0.5))

    assert 700 * MIB == made.target[0]
    assert CODES["stuck"] == made.verdict[0]


@pytest.mark.parametrize("off_bytes", [0, settings(1).settle_bytes])
def test_a_stuck_guest_that_was_told_so_is_not_told_again(off_bytes: float) -> None:
    table = snapshot(1, actual=700 * MIB)

    made = plan(table, known(table, stuck_until=NOW + 5, target=700 * MIB - off_bytes), settings(0.5))

    assert [] == made.changes()


def test_a_row_says_why_a_guest_has_its_size() -> None:
    table = snapshot(2, usable=500 * MIB, unused=100 * MIB)

    row = plan(table, known(table), settings(1.5)).row(0)

    assert row.name == "g0"
    assert row.got_bytes[0] == row.wanted_bytes[0]
    assert 0 < row.got_bytes[2] < row.wanted_bytes[2]
    assert row.short_bytes > 0
    assert 1.0 == row.stats_age_seconds


@pytest.mark.parametrize(("more_mib", "changes"), [(29, []), (33, [0])])
def test_what_nobody_lacks_is_not_taken_by_small_change(more_mib: int, changes: list[int]) -> None:
    """A guest of 1 GiB is left as it is for less than 3 % of it."""
    used = 300.0 * MIB
    actual = used + R + 0.04 * MAXIMUM + more_mib * MIB  # its need, its cushion, and more
    table = snapshot(1, actual=actual, unused=actual - used, usable=actual - used)

    assert changes == plan(table, known(table), settings(100, give_surplus=False)).changes()
