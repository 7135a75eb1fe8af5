"""How much cache is worth keeping: what a bite that hurt gives back, how trials end, what is forgotten."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from columns import NOW, known, settings, snapshot

from ballonet.facts.host import HostState
from ballonet.facts.memory import HostPast, Memory
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.probe import probe
from ballonet.units import MIB

LAW = settings(4)
# Cut, at its kernel's watermark, with 200 MiB of cache.
POOR: dict[str, Any] = {"actual": 600.0 * MIB, "unused": 10 * MIB, "usable": 210 * MIB}
HARMED: dict[str, Any] = {"lost": 0.05, "read_rate": 400.0}
BITTEN: dict[str, Any] = {"bitten_at": NOW - 5.0, "bite": 100.0 * MIB}
RESERVE = reserve_bytes(1024 * MIB)
# What it has beside its use, its reserve and its cushion: it is not known to have swap.
BESIDE = 600 * MIB - (390 * MIB + RESERVE + 2 * 0.02 * 1024 * MIB)
# Tried for long enough, with its memory there and filled, and the guest reads as before.
TRIED: dict[str, Any] = {
    "kept": 300 * MIB,
    "trial": 50.0 * MIB,
    "trial_at": NOW - 6.0,
    "trial_rate": 400.0,
    "trial_from": 550 * MIB,
}


def table(rows: int = 1, **columns: Any) -> Snapshot:
    return snapshot(rows, **{**POOR, **columns})


def probed(
    there: Snapshot, seconds: float = 2.0, state: HostState = HostState.COMFORT, **remembered: Any
) -> Memory:
    """Return the memory after a look, so many seconds after the one before."""
    before = replace(known(there, **remembered), host=HostPast(state, NOW))
    return probe(before, there, np.full(len(there), seconds), LAW)


# --- a bite that hurt -------------------------------------------------------------------------------


def test_a_bite_that_makes_a_guest_read_more_is_given_back_twice() -> None:
    hurt = probed(table(), **HARMED, **BITTEN)

    assert BESIDE + 2 * 100 * MIB == pytest.approx(hurt.kept[0])
    assert 2 * 100 * MIB == hurt.trial[0]
    assert [NOW, 400.0, 600 * MIB] == [hurt.trial_at[0], hurt.trial_rate[0], hurt.trial_from[0]]


def test_what_a_guest_has_swapped_out_is_no_cache_in_use() -> None:
    owing = probed(table(), **HARMED, **BITTEN, swap_debt=20 * MIB)

    assert BESIDE - 20 * MIB + 2 * 100 * MIB == pytest.approx(owing.kept[0])


def test_harm_long_after_a_bite_is_answered_by_a_first_step() -> None:
    late = probed(table(), **HARMED, bitten_at=NOW - 20.0, bite=400.0 * MIB)
    big = probed(table(maximum=65536.0 * MIB), **HARMED)

    assert 2 * RESERVE == late.trial[0]
    assert 0.02 * 65536 * MIB == big.trial[0]


def test_while_the_host_has_plenty_the_whole_of_the_trial_is_given_at_once() -> None:
    """A quarter of the maximum, or what makes plenty where that is less, shared by those that are tried."""
    alone = probed(table(), state=HostState.PLENTY, **HARMED)
    large = probed(table(rows=2, maximum=1600.0 * MIB), state=HostState.PLENTY, **HARMED)

    assert 0.25 * 1024 * MIB == pytest.approx(alone.trial[0])
    assert [0.06 * 4096 * MIB] * 2 == pytest.approx(large.trial.tolist())


@pytest.mark.parametrize(
    ("state", "unused_mib", "rate", "begins"),
    [
        (HostState.PLENTY, 150, 400.0, True),
        (HostState.PLENTY, 160, 400.0, False),  # more than two reserves of 76.8 MiB: it will be seen again
        (HostState.PLENTY, 150, 4.0, False),
        (HostState.COMFORT, 150, 400.0, False),  # what it is given then is somebody's: harm comes first
    ],
)
def test_who_will_soon_drop_what_it_reads_is_given_memory_before_while_there_is_plenty(
    state: HostState, unused_mib: float, rate: float, *, begins: bool
) -> None:
    fills = probed(table(unused=unused_mib * MIB, usable=350.0 * MIB), state=state, read_rate=rate)

    assert begins == (fills.trial[0] > 0.0)


def test_a_bite_that_made_a_guest_swap_is_given_back_as_well() -> None:
    """A kernel may swap rather than drop cache."""
    assert 200 * MIB == probed(table(), distress=True, **BITTEN).trial[0]
    assert 0.0 == probed(table(), distress=True).trial[0]


def test_what_is_to_be_kept_may_exceed_what_is_there_but_not_the_ceiling() -> None:
    """Dropped cache cannot be seen, only its reads."""
    known_to_be_used = probed(table(), **HARMED, kept=250 * MIB)
    at_most = probed(table(ceiling=270.0 * MIB), **HARMED, kept=250 * MIB)

    assert 250 * MIB + 2 * RESERVE == known_to_be_used.kept[0]
    assert 270 * MIB == at_most.kept[0]


@pytest.mark.parametrize(
    "unsettled", [{"arrived": False, "target": 500.0 * MIB}, {"changed_at": NOW}, {"lost": 0.002}]
)
def test_nothing_is_tried_before_the_last_change_shows_or_without_harm(unsettled: dict[str, float]) -> None:
    calm = probed(table(), **{**HARMED, **BITTEN, **unsettled})

    assert [0.0, 0.0] == [calm.trial[0], calm.kept[0]]


# --- how a trial ends -------------------------------------------------------------------------------


def test_reads_that_fell_were_for_want_of_memory_and_the_guest_is_held_for_a_minute() -> None:
    helped = probed(table(), **TRIED, read_rate=3.0)

    assert 0.0 == helped.trial[0]
    assert 200 * MIB == helped.kept[0]  # all that there is, and no more: it reads no more
    assert NOW + 60 == helped.hold_until[0]
    assert 120.0 == helped.hold_seconds[0]


def test_so_they_were_where_the_guest_does_not_even_use_all_that_came_back() -> None:
    """Twice the bite is more than it missed: half of that stays unused."""
    helped = probed(table(unused=100 * MIB, usable=260 * MIB), **TRIED, read_rate=10.0)

    assert 0.0 == helped.trial[0]
    assert NOW + 60 == helped.hold_until[0]


@pytest.mark.parametrize(("hold", "following"), [(60.0, 120.0), (1920.0, 3600.0), (3600.0, 3600.0)])
def test_a_hold_doubles_up_to_an_hour(hold: float, following: float) -> None:
    helped = probed(table(), **TRIED, read_rate=10.0, hold_until=NOW + 1, hold_seconds=hold)

    assert NOW + hold == helped.hold_until[0]
    assert following == helped.hold_seconds[0]


def test_a_hold_shortens_again_in_peace() -> None:
    calm = probed(table(), seconds=1200.0, hold_seconds=960.0)
    held = probed(table(), seconds=1200.0, hold_seconds=960.0, hold_until=NOW + 1)

    assert 480.0 == calm.hold_seconds[0]
    assert 960.0 == held.hold_seconds[0]
    assert 60.0 == probed(table(), seconds=1e6, hold_seconds=960.0).hold_seconds[0]


def test_a_guest_that_reads_less_but_still_for_want_of_memory_is_not_held_and_tried_further() -> None:
    """30 % fewer reads tell that it helped, and more may."""
    better = probed(table(), **TRIED, lost=0.05, read_rate=280.0)

    again = probe(better, table(), np.full(1, 2.0), LAW)

    assert -np.inf == better.hold_until[0]
    assert 60.0 == better.hold_seconds[0]
    assert [0.0, 2 * RESERVE] == [better.trial[0], again.trial[0]]
    assert 300 * MIB + 2 * RESERVE == again.kept[0]


def test_more_is_tried_while_it_does_not_help() -> None:
    more = probed(table(), **TRIED, lost=0.05, read_rate=281.0)

    assert 100 * MIB == more.trial[0]
    assert 350 * MIB == more.kept[0]
    assert NOW == more.trial_at[0]
    assert 550 * MIB == more.trial_from[0]


@pytest.mark.parametrize(
    ("columns", "trial"),
    [
        ({}, 257.0 * MIB),  # twice of this is more than half of its maximum
        ({"ceiling": 600.0 * MIB}, 50.0 * MIB),  # it has all that it may have
    ],
)
def test_reads_that_never_fall_are_streaming_and_the_memory_may_be_taken_again(
    columns: dict[str, Any], trial: float
) -> None:
    tried: dict[str, Any] = {**TRIED, "trial": trial, "trial_from": 100.0 * MIB, "kept": 400 * MIB}

    streams = probed(table(**columns), **tried, lost=0.05, read_rate=390.0)

    assert 0.0 == streams.trial[0]
    assert min(400 * MIB - trial, 200 * MIB) == streams.kept[0]
    assert 390.0 == streams.usual_reads[0]
    assert NOW + 60 == streams.streams_until[0]
    assert 120.0 == streams.hold_seconds[0]
    assert -np.inf == streams.hold_until[0]


def test_a_guest_that_streams_is_tried_again_only_after_a_pause() -> None:
    assert 0.0 == probed(table(), **HARMED, streams_until=NOW + 1).trial[0]
    assert 2 * RESERVE == probed(table(), **HARMED, streams_until=NOW).trial[0]


# The first 50 MiB came, and as much again is tried.
SECOND: dict[str, Any] = {**TRIED, "trial": 100.0 * MIB, "trial_from": 560.0 * MIB, "trial_at": NOW - 12.0}


def test_a_trial_that_gained_nothing_ends_when_nobody_has_more_for_it() -> None:
    """Or it would wait for ever, with all that it has, beside others that read for want of it."""
    streams = probed(table(), **SECOND, lost=0.05, read_rate=380.0)

    assert [0.0, 200 * MIB] == [streams.trial[0], streams.kept[0]]
    assert 380.0 == streams.usual_reads[0]
    assert NOW + 60 == streams.streams_until[0]


@pytest.mark.parametrize(
    "undecided",
    [
        {"trial_at": NOW - 11.0},
        {"trial_from": 580.0 * MIB},  # not even the first step has come
        {"read_rate": 350.0},  # it gained a little
    ],
)
def test_a_trial_that_nobody_has_more_for_goes_on(undecided: dict[str, Any]) -> None:
    waiting = probed(table(), **{**SECOND, "lost": 0.05, "read_rate": 380.0, **undecided})

    assert [100 * MIB, 300 * MIB] == [waiting.trial[0], waiting.kept[0]]


@pytest.mark.parametrize(
    "unripe",
    [
        {"trial_from": 576.0 * MIB},  # less than half of what is tried has come
        {"trial_at": NOW - 5.0},
        {"arrived": False, "target": 700.0 * MIB},
        {"changed_at": NOW},
    ],
)
def test_a_trial_is_not_judged_before_its_memory_came_and_was_watched(unripe: dict[str, Any]) -> None:
    waiting = probed(table(), **{**TRIED, "lost": 0.05, "read_rate": 390.0, **unripe})

    assert 50 * MIB == waiting.trial[0]
    assert 300 * MIB == waiting.kept[0]
    assert 60.0 == waiting.hold_seconds[0]


def test_a_trial_whose_memory_is_not_filled_yet_is_not_judged() -> None:
    """What is unused has been given and not been read into: reads cannot have fallen for it."""
    filling = probed(table(unused=100 * MIB, usable=300 * MIB), **TRIED, read_rate=390.0)

    assert 50 * MIB == filling.trial[0]
    assert -np.inf == filling.hold_until[0]


def test_reads_are_measured_by_the_most_since_a_trial_began() -> None:
    """It began while a file was read in for the first time, and its reads were still on the rise."""
    begun: dict[str, Any] = {**TRIED, "trial_rate": 100.0, "lost": 0.05}
    filling = probed(table(unused=100 * MIB, usable=300 * MIB), **begun, read_rate=400.0)
    judged = probed(table(), **{**begun, "trial_rate": float(filling.trial_rate[0])}, read_rate=110.0)

    assert 400.0 == filling.trial_rate[0]
    assert 0.0 == judged.trial[0]
    assert judged.streams_until[0] < NOW


def test_a_guest_that_reads_no_more_keeps_no_more_than_there_is() -> None:
    """Whether it got what was to be tried or not: k does not run away."""
    rests = probed(table(), **{**TRIED, "trial_from": 600.0 * MIB}, read_rate=0.0)
    reads = probed(table(), **{**TRIED, "trial_from": 600.0 * MIB}, read_rate=17.0)

    assert [0.0, 200 * MIB] == [rests.trial[0], rests.kept[0]]
    assert [50 * MIB, 300 * MIB] == [reads.trial[0], reads.kept[0]]


# --- forgetting -------------------------------------------------------------------------------------


def test_what_is_kept_is_half_forgotten_in_ten_minutes_after_its_hold() -> None:
    free: dict[str, Any] = {"unused": 10 * MIB, "usable": 210 * MIB}
    held = probed(table(**free), seconds=600.0, kept=100 * MIB, hold_until=NOW + 1)

    assert 50 * MIB == probed(table(**free), seconds=600.0, kept=100 * MIB).kept[0]
    assert 100 * MIB == held.kept[0]


def test_it_is_half_forgotten_in_20_s_where_another_reads_for_want_of_memory() -> None:
    two = table(2)
    harmed = probed(two, seconds=20.0, kept=100 * MIB, lost=[0.0, 0.05], read_rate=400.0)
    on_trial = probed(two, seconds=20.0, kept=100 * MIB, trial=[0.0, 50 * MIB], read_rate=400.0)

    assert 50 * MIB == harmed.kept[0]
    assert harmed.kept[1] > 100 * MIB
    assert [50 * MIB, 100 * MIB] == on_trial.kept.tolist()


def test_a_guest_that_reads_a_little_for_want_of_memory_itself_forgets_slowly() -> None:
    two = probed(table(2), seconds=20.0, kept=100 * MIB, lost=[0.001, 0.05], read_rate=400.0)

    assert 100 * MIB * 0.5 ** (20 / 600) == pytest.approx(two.kept[0])


def test_all_cache_is_kept_where_nobody_would_notice_that_it_is_missed() -> None:
    unseen = probed(table(disk_reads=np.nan), kept=0.0, seconds=600.0)

    assert 200 * MIB == unseen.kept[0]


def test_what_is_kept_outlives_a_look_at_which_the_maximum_is_unknown() -> None:
    """Unknown once, it would be so for ever, and with it what there is for everybody else."""
    lost_sight = probed(table(maximum=np.nan, ceiling=np.nan), kept=100 * MIB, hold_until=NOW + 1)
    harmed = probed(table(maximum=np.nan, ceiling=np.nan), **HARMED, kept=100 * MIB)

    assert 100 * MIB == lost_sight.kept[0]
    assert [0.0, 100 * MIB] == [harmed.trial[0], harmed.kept[0]]


def test_more_than_the_ceiling_is_never_kept() -> None:
    tried: dict[str, Any] = {**TRIED, "kept": 580 * MIB, "lost": 0.05, "read_rate": 390.0}
    unseen = table(disk_reads=np.nan, usable=2048.0 * MIB, ceiling=620.0 * MIB)

    assert 620 * MIB == probed(table(ceiling=620.0 * MIB), **tried).kept[0]
    assert 620 * MIB == probed(unseen).kept[0]
