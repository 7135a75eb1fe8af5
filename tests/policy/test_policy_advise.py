import re
from dataclasses import replace
from typing import Any

import pytest

from ballonet.facts.guest import Device, Guest, Obstacle, State
from ballonet.facts.statistics import Statistics
from ballonet.policy.advise import Advice, Allowed, Rates, advise, rates_between
from ballonet.policy.floors import floor_bytes, hard_floor_bytes, reserve_bytes
from ballonet.units import GIB, MIB

NOW = 1_700_000_000.0
DEVICE = Device("virtio", autodeflate=False, free_page_reporting=True, period_seconds=2)
M = 2 * GIB
R = reserve_bytes(M)
FLOOR = floor_bytes(M)


def guest(
    *, actual: int = M, unused: int | None = GIB, usable: int | None = GIB, at: float = NOW, **counters: Any
) -> Guest:
    return Guest(
        name="web",
        uuid="u",
        id=1,
        state=State.RUNNING,
        read_at=at,
        maximum_bytes=M,
        actual_bytes=actual,
        device=DEVICE,
        statistics=Statistics(unused_bytes=unused, usable_bytes=usable, last_update=at, **counters),
    )


def taken(advice: Advice) -> tuple[int | None, int | None, int | None]:
    return advice.free_bytes, advice.cache_bytes, advice.swap_bytes


def test_the_three_prices() -> None:
    advice = advise(guest(unused=500 * MIB, usable=900 * MIB))
    assert (500 * MIB - R, 400 * MIB, M - FLOOR - (900 * MIB - R)) == taken(advice)
    assert FLOOR == advice.floor_bytes
    assert "" == advice.unknown


def test_the_example_of_the_source_text() -> None:
    """actual 1,536,000 KiB, usable 592,880, unused 118,808: less unused than the reserve."""
    example = guest(actual=1_536_000 * 1024, usable=592_880 * 1024, unused=118_808 * 1024)
    advice = advise(example)
    assert (0, 592_880 * 1024 - R) == taken(advice)[:2]
    assert 1_536_000 * 1024 - FLOOR == sum(size or 0 for size in taken(advice))


@pytest.mark.parametrize("actual", [M, GIB, FLOOR + MIB, FLOOR, FLOOR - MIB, hard_floor_bytes(M)])
@pytest.mark.parametrize("usable", [0, 100 * MIB, 300 * MIB, 600 * MIB, M])
@pytest.mark.parametrize("unused", [0, 100 * MIB, 300 * MIB, 600 * MIB, M])
def test_nothing_is_taken_below_the_floor(actual: int, usable: int, unused: int) -> None:
    sizes = [size or 0 for size in taken(advise(guest(actual=actual, usable=usable, unused=unused)))]
    assert 0 <= min(sizes)
    assert max(0, actual - FLOOR) == sum(sizes)


def test_a_guest_with_less_than_its_reserve_needs_more_and_gives_nothing() -> None:
    advice = advise(guest(actual=GIB, unused=50 * MIB, usable=R - MIB))
    assert ("exhausted",) == advice.lacks
    assert (0, 0, GIB - FLOOR) == taken(advice)
    assert int(0.15 * M) == advice.more_bytes


def test_a_guest_that_misses_more_than_a_share_is_given_it() -> None:
    squeezed = replace(guest(actual=80 * MIB, usable=0, unused=0), maximum_bytes=300 * MIB)
    assert reserve_bytes(300 * MIB) == advise(squeezed).more_bytes


def test_an_administrators_limits_are_kept() -> None:
    allowed = Allowed(floor_bytes=900 * MIB, ceiling_bytes=GIB + MIB)
    advice = advise(guest(actual=GIB, unused=600 * MIB, usable=900 * MIB), None, allowed)
    assert (124 * MIB, 0, 0) == taken(advice)
    assert (900 * MIB, GIB + MIB) == (advice.floor_bytes, advice.ceiling_bytes)
    assert MIB == advise(guest(actual=GIB, unused=0, usable=0), None, allowed).more_bytes
    assert "excluded by the administrator" == advise(guest(), None, Allowed(excluded=True)).unknown


def test_at_its_maximum_a_guest_cannot_grow() -> None:
    advice = advise(guest(actual=M, unused=0, usable=0))
    assert (("exhausted",), 0) == (advice.lacks, advice.more_bytes)


@pytest.mark.parametrize(
    ("unused", "counters", "lacks"),
    [
        (R, {"swap_out_bytes_total": 8 * 4096 * 2}, ("swapping",)),
        (R, {"swap_in_bytes_total": 8 * 4096 * 2}, ("swapping",)),
        (R, {"major_faults_total": 16}, ("faulting",)),
        (R, {"swap_in_bytes_total": MIB, "major_faults_total": 999}, ("swapping", "faulting")),
        (R, {"swap_out_bytes_total": 4096, "major_faults_total": 15}, ()),
        # With memory free it heals, or starts programs.
        (2 * R, {"swap_in_bytes_total": GIB, "major_faults_total": 9999}, ()),
    ],
)
def test_what_shows_in_counters(unused: int, counters: dict[str, int], lacks: tuple[str, ...]) -> None:
    zero = dict.fromkeys(("swap_in_bytes_total", "swap_out_bytes_total", "major_faults_total"), 0)
    before = guest(actual=GIB, unused=unused, usable=400 * MIB, **zero)
    after = guest(actual=GIB, unused=unused, usable=400 * MIB, at=NOW + 2, **(zero | counters))
    advice = advise(after, before)
    assert lacks == advice.lacks
    assert (int(0.15 * M) if lacks else 0) == advice.more_bytes


def test_one_sample_says_nothing_about_swapping() -> None:
    swapped = guest(swap_out_bytes_total=GIB, swap_in_bytes_total=GIB)
    assert (None, (), None) == (advise(swapped).rates, advise(swapped).lacks, advise(swapped).more_bytes)


BEFORE = guest(swap_in_bytes_total=100, swap_out_bytes_total=100, major_faults_total=100)


def after(*, seconds: float = 2.0, **counters: Any) -> Guest:
    return guest(at=NOW + seconds, **counters)


@pytest.mark.parametrize(
    ("later", "rates"),
    [
        (after(swap_in_bytes_total=300, major_faults_total=100), Rates(2.0, 100.0, None, 0.0)),
        (after(seconds=0, swap_in_bytes_total=300), None),
        (after(seconds=-1, swap_in_bytes_total=300), None),
        (after(swap_in_bytes_total=300, major_faults_total=3), None),  # rebooted
        (replace(after(swap_in_bytes_total=300), id=2), None),  # restarted
        (replace(after(), statistics=Statistics()), None),
    ],
)
def test_rates(later: Guest, rates: Rates | None) -> None:
    assert rates == rates_between(BEFORE, later)


@pytest.mark.parametrize(
    ("row", "unknown"),
    [
        (replace(guest(), state=State.PAUSED), "it is paused"),
        (replace(guest(), device=None), "no balloon device"),
        (replace(guest(), obstacles=frozenset({Obstacle.HUGEPAGES})), "huge pages .* free nothing"),
        (replace(guest(), job="migration"), "a job holds it"),
        (replace(guest(), actual_bytes=None), "its size is unknown"),
        (replace(guest(), maximum_bytes=None), "its size is unknown"),
        (replace(guest(), device=replace(DEVICE, period_seconds=0)), "period 0"),
        (replace(guest(), statistics=Statistics()), "silent"),
        (replace(guest(), read_at=NOW + 16), "16 s old"),
        (replace(guest(), read_at=NOW - 5), "future"),
        (guest(usable=None), "usable"),
        (guest(unused=None), "usable"),
        (replace(guest(usable=None), read_at=NOW + 60), "usable"),
        (guest(usable=3 * GIB), "cannot be true"),
        (guest(unused=600 * MIB, available_bytes=500 * MIB), "cannot be true"),
    ],
)
def test_unknown_stays_unknown_and_says_why(row: Guest, unknown: str) -> None:
    advice = advise(row, row)
    assert (None, None, None) == taken(advice)
    assert (None, ()) == (advice.more_bytes, advice.lacks)
    assert re.search(unknown, advice.unknown)


def test_a_long_period_makes_old_statistics_fresh() -> None:
    row = replace(guest(), device=replace(DEVICE, period_seconds=10), read_at=NOW + 29)
    assert "" == advise(row).unknown
