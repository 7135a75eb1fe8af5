"""What a guest's statistics say: use, growth and debt, and what is distress and what only looks like it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from columns import NOW, known, later, settings, snapshot

from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.learn import learn, promised, told
from ballonet.policy.sample import read_sample
from ballonet.units import GIB, MIB

LAW = settings(4)
R = reserve_bytes(1024.0 * MIB)
# Cut to half and with nothing left to drop: what swaps here lacks memory.
POOR: dict[str, Any] = {"actual": 512 * MIB, "unused": 10 * MIB, "usable": 20 * MIB}
WAITS = ("alloc_stalls", "direct_scans")


def after(memory: Memory, *tables: Snapshot) -> Memory:
    for table in tables:
        memory = learn(memory, table, LAW)
    return memory


def seen(before: Memory, **columns: Any) -> Memory:
    """Return the memory after one more sample, two seconds later, of a guest that is cut and short."""
    return read_sample(before, later(2, **{**POOR, **columns}), LAW)


def at_rest(**columns: Any) -> Memory:
    """Return the memory of such a guest whose balloon has long been still."""
    return replace(known(snapshot(1, **{**POOR, **columns})), moved_at=np.array([NOW - 60]))


def test_the_first_sight_is_not_trusted_before_the_balloon_was_seen_at_rest() -> None:
    first = learn(Memory.blank(1), snapshot(1), LAW)
    second = learn(first, later(2.5), LAW)

    assert np.isnan(first.used[0])
    assert 512 * MIB == second.used[0]


def test_who_swaps_shows_it_with_the_second_sample_that_is_seen_of_it() -> None:
    """As after a restart: what it uses is not known from the first, but its counters are."""
    first = learn(Memory.blank(1), snapshot(1, **POOR), LAW)
    second = learn(first, later(2.5, **POOR, swap_in=20.0 * MIB), LAW)

    assert np.isnan(first.used[0])
    assert [True, 1.0] == [second.distress[0], second.worse[0]]


def test_a_sample_from_the_future_does_not_make_those_after_it_old() -> None:
    """As where the wall clock was set back by an hour just after the guest reported."""
    ahead = later(2, usable=100 * MIB, stats_at=NOW + 3600)
    memory = after(known(snapshot(1)), ahead)
    assert 512 * MIB == memory.used[0]

    assert 724 * MIB == after(memory, later(4, usable=300 * MIB)).used[0]


def test_use_is_right_while_the_balloon_moves() -> None:
    """The sample's own `available` tells the size that it belongs to."""
    memory = known(snapshot(1))
    moving = later(actual=512 * MIB, available=(700 - 50) * MIB, usable=188 * MIB)

    assert 512 * MIB == learn(told(memory, np.array([0]), np.array([512.0 * MIB]), NOW), moving, LAW).used[0]


def test_a_guest_that_nobody_resized_does_not_show_how_its_balloon_counts_while_it_moves() -> None:
    table = snapshot(1, actual=900 * MIB, available=950 * MIB)

    moving, still = known(table, moved_at=NOW), known(table)

    assert [False] == read_sample(moving, table, LAW).counted.tolist()
    assert [True] == read_sample(still, table, LAW).counted.tolist()


@pytest.mark.parametrize(
    ("available", "sent_at", "counted"),
    [
        (974, NOW + 1.6, True),
        (950, NOW + 1.6, False),  # it followed, if not yet all the way
        (974, NOW + 0.4, False),  # the sample may be of before
    ],
)
def test_what_a_kernel_manages_tells_how_the_balloon_counts_though_it_is_never_still(
    available: float, sent_at: float, *, counted: bool
) -> None:
    """It was told a smaller size after its last sample, and has it."""
    before = replace(known(snapshot(1, available=974.0 * MIB)), moved_at=np.array([NOW + 60]))
    resized = replace(told(before, np.array([0]), np.array([900.0 * MIB]), NOW), arrived=np.array([True]))
    table = later(2, actual=900 * MIB, available=available * MIB, usable=400 * MIB, stats_at=sent_at)

    assert [counted] == read_sample(resized, table, LAW).counted.tolist()


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


def test_growth_outlives_a_sample_that_does_not_tell_of_use() -> None:
    silent = read_sample(known(snapshot(1), growth=5.0), later(available=np.nan), LAW)

    assert 5.0 == pytest.approx(silent.growth[0], rel=0.01)


def test_what_is_unused_beyond_the_reserve_is_spare() -> None:
    assert 512 * MIB - R == read_sample(known(snapshot(1)), later(), LAW).spare[0]
    assert 0.0 == seen(at_rest()).spare[0]


# --- distress ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("counter", ["swap_in", "swap_out"])
def test_a_guest_that_swaps_while_cut_and_short_is_in_distress(counter: str) -> None:
    """Beyond 16 pages a second: kernels swap a stray page now and then."""
    assert seen(at_rest(), **{counter: 0.2 * MIB}).distress[0]
    assert not seen(at_rest(), **{counter: 0.1 * MIB}).distress[0]


@pytest.mark.parametrize(
    ("column", "enough", "too_little"),
    [
        ("unused", 1.61 * R, 1.59 * R),  # memory is free: it heals
        ("usable", 2.01 * R, 1.99 * R),  # there is cache to drop: its kernel prefers to swap
        ("actual", 1023 * MIB, 1000 * MIB),  # at its maximum nobody but itself is to blame
    ],
)
def test_swap_traffic_of_a_guest_that_lacks_nothing_is_no_distress(
    column: str, enough: float, too_little: float
) -> None:
    calm = {**POOR, "usable": 1.7 * R} | {column: enough}
    short = {**POOR, "usable": 1.7 * R} | {column: too_little}

    assert not seen(at_rest(**calm), swap_in=100 * MIB, swap_out=100 * MIB, **calm).distress[0]
    assert seen(at_rest(**short), swap_in=100 * MIB, swap_out=100 * MIB, **short).distress[0]


def test_what_inflating_swapped_out_is_no_distress_but_what_came_back_is() -> None:
    """The sample before was sent before the balloon was told; from the next one on it is the guest's own."""
    inflated = replace(at_rest(), changed_at=np.array([NOW + 0.5]))
    since = replace(inflated, need_at=np.array([NOW + 0.6]))

    assert not seen(inflated, swap_out=50 * MIB).distress[0]
    assert seen(inflated, swap_in=50 * MIB).distress[0]
    assert seen(since, swap_out=50 * MIB).distress[0]


def test_a_guest_that_was_in_distress_is_left_more_usable_than_it_had_then() -> None:
    """Else what was given for its relief would be taken at its next sample, and it would swap again."""
    had = {"usable": 1.5 * R}
    swapped = seen(at_rest(**had), swap_in=50 * MIB, **had)
    later_on = read_sample(swapped, later(602, **{**POOR, "swap_in": 50 * MIB}), LAW)

    assert 1.5 * R + 0.02 * 1024 * MIB == pytest.approx(swapped.margin[0])
    assert swapped.margin[0] / 2 == pytest.approx(later_on.margin[0], rel=0.01)
    assert 0.0 == seen(at_rest()).margin[0]


@pytest.mark.parametrize("counter", WAITS)
def test_waits_for_memory_are_distress(counter: str) -> None:
    before = at_rest(**{counter: 5.0})
    risen_from: dict[str, Any] = {counter: np.array([5.0])}
    before = replace(before, **risen_from)

    assert seen(before, **{counter: 6.0}).distress[0]
    assert not seen(before, **{counter: 5.0}).distress[0]
    assert not seen(before, **{counter: np.nan}).distress[0]


def test_programs_that_wait_more_than_a_thousandth_of_the_time_are_distress() -> None:
    assert seen(at_rest(), pressure=0.0011).distress[0]
    assert not seen(at_rest(), pressure=0.0009).distress[0]


@pytest.mark.parametrize(
    "unsettled",
    [
        {"arrived": np.array([False]), "target": np.array([400.0 * MIB])},  # the balloon is on its way
        {"moved_at": np.array([NOW + 1.5])},  # it moved after the sample
        {"changed_at": np.array([NOW + 1.5])},  # the sample knows nothing of what it was told
    ],
)
@pytest.mark.parametrize(
    "sign", [{"alloc_stalls": 1.0}, {"direct_scans": 4096.0}, {"pressure": 0.5}, {"swap_out": 1.0 * MIB}]
)
def test_our_own_inflation_is_no_distress(unsettled: dict[str, Any], sign: dict[str, float]) -> None:
    before = replace(at_rest(), alloc_stalls=np.zeros(1), direct_scans=np.zeros(1))

    assert seen(before, **sign).distress[0]
    assert not seen(replace(before, **unsettled), **sign).distress[0]


def test_a_guest_that_loses_much_of_its_time_suffers_even_while_its_balloon_moves() -> None:
    """16 MiB in two seconds are 2,048 pages a second of 250 us each: half of one processor's time."""
    moving = replace(at_rest(), arrived=np.array([False]), target=np.array([400.0 * MIB]))

    suffers = seen(moving, swap_in=16 * MIB)

    assert suffers.distress[0]
    assert 1.0 == suffers.worse[0]


def test_time_lost_is_of_the_processors_that_are_busy() -> None:
    """1 MiB in two seconds: 3.2 % of one processor, 0.8 % of four; suffering begins at 2 %."""
    four = replace(at_rest(), busy=np.array([4.0]))

    assert 1.0 == seen(at_rest(), swap_in=1.0 * MIB).worse[0]
    assert 0.0 == seen(four, swap_in=1.0 * MIB).worse[0]
    assert seen(four, swap_in=1.0 * MIB).distress[0]


def test_samples_of_much_suffering_in_a_row_are_counted() -> None:
    once = seen(at_rest(), swap_in=16 * MIB)
    twice = read_sample(once, later(4, swap_in=32 * MIB, **POOR), LAW)
    over = read_sample(twice, later(6, swap_in=32 * MIB, **POOR), LAW)

    assert [1.0, 2.0, 0.0] == [once.worse[0], twice.worse[0], over.worse[0]]
    assert not over.distress[0]


def test_a_kill_for_want_of_memory_is_much_suffering_though_memory_is_free_now() -> None:
    free: dict[str, Any] = {"actual": 512 * MIB, "unused": 300 * MIB, "usable": 300 * MIB}
    before = replace(at_rest(**free), oom_kills=np.array([3.0]))

    killed = seen(before, oom_kills=4.0, **free)

    assert killed.distress[0]
    assert 1.0 == killed.worse[0]
    assert not seen(before, oom_kills=3.0, **free).distress[0]


def test_a_kill_at_the_maximum_is_no_doing_of_ours() -> None:
    whole: dict[str, Any] = {"actual": 1024 * MIB}
    before = replace(at_rest(**whole), oom_kills=np.array([3.0]))

    assert not seen(before, oom_kills=4.0, **whole).distress[0]


def test_distress_lasts_until_a_newer_sample_says_otherwise() -> None:
    """And ends where the guest has its maximum again, or free memory, or just swaps no more."""
    distressed = seen(at_rest(), swap_out=10 * MIB)
    columns: dict[str, Any] = {"swap_out": 10 * MIB, **POOR}

    assert read_sample(distressed, later(3, stats_at=NOW + 1, **columns), LAW).distress[0]
    assert not read_sample(distressed, later(4, **columns), LAW).distress[0]
    for healed in ({"actual": 1024 * MIB}, {"unused": 2 * R, "usable": 2 * R}):
        table = later(4, **{**columns, "swap_in": 10 * MIB, **healed})
        assert not read_sample(distressed, table, LAW).distress[0]
