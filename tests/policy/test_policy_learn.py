"""What is remembered between two snapshots: arrival, what others did, and what is forgotten."""

from typing import Any

import numpy as np
import pytest
from columns import NOW, known, later, settings, snapshot
from numpy.testing import assert_array_equal

from ballonet.facts.host import HostState
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.learn import learn, promised, told
from ballonet.units import MIB

LAW = settings(4)


def after(memory: Memory, *tables: Snapshot) -> Memory:
    for table in tables:
        memory = learn(memory, table, LAW)
    return memory


def test_a_guest_that_was_started_anew_is_a_new_guest() -> None:
    memory = known(snapshot(1, swap_out=9.0 * MIB), swap_debt=9.0 * MIB, growth=1.0 * MIB)

    assert 0 == learn(memory, later(uptime=1.0), LAW).swap_debt[0]
    assert 0 == learn(memory, later(uptime=np.nan, swap_out=0.0), LAW).growth[0]


def test_statistics_from_before_a_change_stay_so_where_a_reset_shows_late() -> None:
    memory = told(known(snapshot(1, swap_out=9.0 * MIB)), np.array([0]), np.array([900.0 * MIB]), NOW)

    anew = learn(memory, later(uptime=np.nan, swap_out=0.0), LAW)
    assert [NOW, True] == [anew.changed_at[0], np.isnan(anew.target[0])]


@pytest.mark.parametrize(("began", "target"), [(3.0, 900 * MIB), (0.5, np.nan)])
def test_what_a_guest_was_told_after_it_began_anew_is_under_way_still(began: float, target: float) -> None:
    """A new process may see only then that it began anew; it was told two seconds ago."""
    memory = told(known(snapshot(1), nearest=np.nan), np.array([0]), np.array([900.0 * MIB]), NOW)
    anew = learn(memory, later(uptime=began, actual=1024 * MIB), LAW)

    assert target == pytest.approx(anew.target[0], nan_ok=True)
    assert np.isnan(target) == anew.arrived[0]


def test_a_target_is_reached_when_actual_is_near() -> None:
    memory = told(known(snapshot(1)), np.array([0]), np.array([900.0 * MIB]), NOW)

    assert not memory.arrived[0]
    assert not learn(memory, later(actual=950 * MIB), LAW).arrived[0]
    assert learn(memory, later(actual=901 * MIB), LAW).arrived[0]


@pytest.mark.parametrize("seconds", [2.0, 60.0])
def test_who_is_on_its_way_is_so_still_while_its_size_is_unknown(seconds: float) -> None:
    memory = told(known(snapshot(1, actual=500 * MIB)), np.array([0]), np.array([900.0 * MIB]), NOW)
    memory = learn(memory, later(seconds, actual=np.nan), LAW)
    assert [False, 900 * MIB, -np.inf] == [memory.arrived[0], memory.target[0], memory.stuck_until[0]]

    memory = learn(memory, later(seconds + 1.0, actual=700 * MIB), LAW)
    assert [900 * MIB, -np.inf] == [memory.target[0], memory.foreign_until[0]]


def test_who_was_there_is_so_still_while_its_size_is_unknown() -> None:
    memory = learn(known(snapshot(1), target=1024 * MIB), later(actual=np.nan), LAW)
    assert memory.arrived[0]


def test_a_guest_that_grows_on_its_way_is_nobody_elses() -> None:
    memory = told(known(snapshot(1, actual=500 * MIB)), np.array([0]), np.array([900.0 * MIB]), NOW)
    memory = learn(memory, later(actual=700 * MIB), LAW)

    assert [False, 900 * MIB] == [memory.arrived[0], memory.target[0]]


@pytest.mark.parametrize(("mib", "moves"), [(0.9, False), (1.1, True)])
def test_a_mebibyte_is_no_movement_and_what_it_has_is_known_all_the_same(mib: float, *, moves: bool) -> None:
    memory = learn(known(snapshot(1), moved_at=NOW - 60), later(actual=(1024 - mib) * MIB), LAW)

    assert (1024 - mib) * MIB == memory.actual[0]
    assert moves == (memory.moved_at[0] == NOW + 2)


def test_a_guest_began_when_the_look_that_dates_it_latest_says() -> None:
    memory = learn(known(snapshot(1)), later(uptime=3600.5), LAW)

    assert NOW - 3598.5 == memory.born_at[0]


def test_a_look_tells_how_short_of_memory_the_host_is() -> None:
    assert HostState.HARD is learn(known(snapshot(4)), later(rows=4), LAW).host.state
    assert HostState.PLENTY is learn(known(snapshot(3)), later(rows=3), LAW).host.state


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
    assert NOW + 4 == memory.changed_at[0]  # what it reported before that is of another size
    assert memory.foreign_until[0] > NOW + 4


@pytest.mark.parametrize("actual", [850, 1010])
def test_a_guest_that_goes_past_its_target_or_away_from_it_was_told_so_by_somebody_else(
    actual: float,
) -> None:
    memory = after(known(snapshot(1)), later(1, actual=1000 * MIB))
    memory = told(memory, np.array([0]), np.array([900.0 * MIB]), NOW + 1)
    memory = after(memory, later(2, actual=actual * MIB))

    assert actual * MIB == memory.target[0]
    assert memory.foreign_until[0] > NOW + 4


@pytest.mark.parametrize(
    ("actual", "uptime", "foreign"),
    [
        (700.0, 900.0, True),
        (300.0, np.nan, True),
        (512.0, 900.0, False),
        (np.nan, 900.0, False),
        (700.0, 9.0, False),
    ],
)
def test_who_was_told_nothing_and_moves_was_moved_by_somebody_else(
    actual: float,
    uptime: float,
    foreign: bool,  # noqa: FBT001 - a column of the table
) -> None:
    memory = known(snapshot(1, actual=512 * MIB, uptime=uptime), target=np.nan)
    memory = after(memory, later(2, actual=actual * MIB, uptime=uptime + 2))

    assert foreign == (memory.foreign_until[0] > NOW)
    assert foreign == (memory.target[0] == actual * MIB)


@pytest.mark.parametrize("size", [930, 1010])
def test_a_guest_that_is_told_otherwise_on_its_way_is_nobody_elses(size: float) -> None:
    """It was at 1000 MiB when it was looked at, and at 905 when it was told to grow again."""
    memory = after(known(snapshot(1, actual=1000 * MIB)), later(1, actual=1000 * MIB))
    memory = told(memory, np.array([0]), np.array([900.0 * MIB]), NOW + 1)
    memory = told(memory, np.array([0]), np.array([size * MIB]), NOW + 1.5)
    memory = after(memory, later(2, actual=905 * MIB), later(4, actual=size * MIB))

    assert size * MIB == memory.target[0]
    assert memory.arrived[0]
    assert -np.inf == memory.foreign_until[0]


@pytest.mark.parametrize(
    ("actual", "unused", "rescued"), [(950, 20, True), (950, 400, False), (850, 20, False)]
)
def test_a_guest_that_autodeflate_rescued_is_nobodys_wish(
    actual: float, unused: float, *, rescued: bool
) -> None:
    memory = told(known(snapshot(1)), np.array([0]), np.array([900.0 * MIB]), NOW)
    there: dict[str, Any] = {"autodeflate": True, "unused": unused * MIB}
    memory = after(memory, later(2, actual=900 * MIB, **there), later(4, actual=actual * MIB, **there))

    assert actual * MIB == memory.target[0]
    assert rescued == (memory.foreign_until[0] < NOW)
    assert rescued == (NOW + 4 == memory.grew_at[0])


def test_so_is_a_rescue_of_who_was_told_nothing() -> None:
    there: dict[str, Any] = {"autodeflate": True, "unused": 20 * MIB}
    memory = known(snapshot(1, actual=900 * MIB, **there), target=np.nan)
    memory = after(memory, later(2, actual=950 * MIB, **there))

    assert memory.foreign_until[0] < NOW
    assert NOW + 2 == memory.grew_at[0]


def test_what_is_taken_beyond_unused_memory_is_a_bite() -> None:
    """It had 200 MiB unused beyond its reserve: of 250 MiB taken 50 may have been in use."""
    memory = known(snapshot(2), spare=200 * MIB)
    rows = np.array([0, 1])

    taken = told(memory, rows, np.array([774.0, 824.0]) * MIB, NOW)

    assert [50 * MIB, 0.0] == np.nan_to_num(taken.bite).tolist()
    assert [NOW, -np.inf] == taken.bitten_at.tolist()


def test_only_who_is_told_was_bitten() -> None:
    memory = known(snapshot(3), spare=200 * MIB, bite=[1.0 * MIB, 2.0 * MIB, 3.0 * MIB])

    taken = told(memory, np.array([0, 2]), np.array([774.0, 824.0]) * MIB, NOW)

    assert [50 * MIB, 2 * MIB, 3 * MIB] == taken.bite.tolist()


def test_only_who_is_told_is_on_its_way() -> None:
    memory = told(known(snapshot(2)), np.array([0]), np.array([900.0 * MIB]), NOW)

    assert [False, True] == memory.arrived.tolist()
    assert 900 * MIB == memory.target[0]
    assert np.isnan(memory.target[1])
    assert [NOW, -np.inf] == memory.progress_at.tolist()
    assert [NOW, -np.inf] == memory.changed_at.tolist()
    assert [NOW, -np.inf] == memory.bitten_at.tolist()
    assert 124 * MIB == memory.nearest[0]
    assert np.isnan(memory.nearest[1])


def test_who_is_told_the_size_that_it_has_is_there() -> None:
    memory = told(known(snapshot(2)), np.array([0, 1]), np.array([1024.0, 1023.9]) * MIB, NOW)

    assert [True, False] == memory.arrived.tolist()


def test_only_who_is_told_grew_and_only_who_bursts_was_promised_something() -> None:
    memory = known(snapshot(2, actual=512 * MIB))
    row, size = np.array([0]), np.array([600.0 * MIB])

    assert [NOW, -np.inf] == told(memory, row, size, NOW).grew_at.tolist()
    assert_array_equal([600 * MIB, np.nan], promised(memory, row, size, NOW).promised)
    assert [NOW, -np.inf] == promised(memory, row, size, NOW).promised_at.tolist()


def test_only_growth_is_remembered_as_growth() -> None:
    memory = known(snapshot(2, actual=512 * MIB), grew_at=NOW - 30)

    grown = told(memory, np.array([0, 1]), np.array([600.0, 400.0]) * MIB, NOW)

    assert [NOW, NOW - 30] == grown.grew_at.tolist()
    assert [NOW, NOW] == grown.changed_at.tolist()
    assert -np.inf == grown.bitten_at[0]


def test_a_balloon_that_came_nearer_and_goes_back_again_was_told_so_by_somebody_else() -> None:
    """It was 100 MiB away, came within 20, and is 60 away now: further than it had come."""
    memory = after(known(snapshot(1)), later(1, actual=1000 * MIB))
    memory = told(memory, np.array([0]), np.array([900.0 * MIB]), NOW + 1)
    memory = after(memory, later(2, actual=920 * MIB), later(3, actual=960 * MIB))

    assert 960 * MIB == memory.target[0]


def test_a_balloon_that_goes_back_by_little_is_still_on_its_way() -> None:
    memory = after(known(snapshot(1)), later(1, actual=1000 * MIB))
    memory = told(memory, np.array([0]), np.array([900.0 * MIB]), NOW + 1)
    memory = after(memory, later(2, actual=920 * MIB), later(3, actual=923 * MIB))

    assert [False, 900 * MIB] == [memory.arrived[0], memory.target[0]]
    assert memory.foreign_until[0] > NOW + 3


def test_the_pause_of_a_guest_that_does_not_follow_begins_anew_only_when_it_follows() -> None:
    rested = known(snapshot(1), stuck_seconds=40.0)
    on_its_way = told(rested, np.array([0]), np.array([900.0 * MIB]), NOW)

    assert [40.0] == after(rested, later(2)).stuck_seconds.tolist()
    assert [40.0] == after(on_its_way, later(2, actual=960 * MIB)).stuck_seconds.tolist()
    assert [LAW.stuck_seconds] == after(on_its_way, later(2, actual=900 * MIB)).stuck_seconds.tolist()
