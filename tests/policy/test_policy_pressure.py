"""The host's state: what it is entered and left by, how soon, and what is no emergency."""

from dataclasses import replace

import numpy as np
import pytest
from columns import NOW, settings, snapshot

from ballonet.facts.host import HostMemory, HostState
from ballonet.facts.memory import HostPast
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.pressure import read_host
from ballonet.units import GIB

LAW = settings(10, reserve_bytes=0.0)
LONG_AGO = NOW - 3600.0


def held(free_share: float, host: HostMemory | None = None) -> Snapshot:
    """Return a guest that leaves this share of the budget free."""
    size = (1.0 - free_share) * 10 * GIB
    return snapshot(1, host=host, maximum=20.0 * GIB, actual=size, rss=size)


def host(free_share: float, swapped_out: int | None = 0) -> HostMemory:
    """Return a host of 100 GiB that has this share of it available."""
    return HostMemory(100 * GIB, int(free_share * 100 * GIB), 0, 0, swapped_out, None, None, 0)


def state_after(state: HostState, table: Snapshot, entered_at: float = LONG_AGO) -> HostState:
    return read_host(HostPast(state, entered_at), table, LAW).state


@pytest.mark.parametrize(
    ("free_share", "state"),
    [
        (0.50, HostState.PLENTY),
        (0.13, HostState.PLENTY),
        (0.11, HostState.COMFORT),
        (0.07, HostState.COMFORT),
        (0.05, HostState.TIGHT),
        (0.03, HostState.TIGHT),
        (0.02, HostState.HARD),
    ],
)
def test_a_state_is_entered_below_its_level_of_budget_or_host(free_share: float, state: HostState) -> None:
    assert state == state_after(HostState.PLENTY, held(free_share))
    assert state == state_after(HostState.PLENTY, held(0.5, host(free_share)))


@pytest.mark.parametrize(
    ("state", "stays", "leaves", "better"),
    [
        (HostState.COMFORT, 0.155, 0.165, HostState.PLENTY),
        (HostState.TIGHT, 0.085, 0.095, HostState.COMFORT),
        (HostState.HARD, 0.035, 0.045, HostState.TIGHT),
    ],
)
def test_a_state_is_left_above_a_higher_level(
    state: HostState, stays: float, leaves: float, better: HostState
) -> None:
    assert state == state_after(state, held(stays))
    assert better == state_after(state, held(leaves))


def test_what_is_kept_for_guests_to_come_is_not_free() -> None:
    leased = replace(LAW, leased_bytes=4.0 * GIB)

    assert HostState.PLENTY == state_after(HostState.PLENTY, held(0.5))
    assert HostState.COMFORT == read_host(HostPast(HostState.PLENTY, LONG_AGO), held(0.5), leased).state


def test_it_gets_better_only_after_it_held_for_ten_seconds_but_worse_at_once() -> None:
    assert HostState.HARD == state_after(HostState.HARD, held(0.5), entered_at=NOW - 9)
    assert HostState.PLENTY == state_after(HostState.HARD, held(0.5), entered_at=NOW - 10)
    assert HostState.HARD == state_after(HostState.COMFORT, held(0.01), entered_at=NOW)


def test_the_dwell_begins_when_the_state_changes_and_not_at_each_look() -> None:
    entered = read_host(HostPast(HostState.PLENTY, LONG_AGO), held(0.01), LAW)
    again = read_host(entered, held(0.01), LAW)

    assert NOW == entered.entered_at
    assert NOW == again.entered_at
    assert LONG_AGO == read_host(HostPast(HostState.PLENTY, LONG_AGO), held(0.5), LAW).entered_at


@pytest.mark.parametrize("free_share", [0.005, 0.0, -3.0])
def test_a_budget_alone_never_is_an_emergency(free_share: float) -> None:
    assert HostState.HARD == state_after(HostState.PLENTY, held(free_share))
    assert HostState.HARD == state_after(HostState.PLENTY, held(free_share, host(0.5)))


def test_a_host_without_memory_is_an_emergency_until_it_has_some() -> None:
    assert HostState.EMERGENCY == state_after(HostState.PLENTY, held(0.5, host(0.005)))
    assert HostState.EMERGENCY == state_after(HostState.EMERGENCY, held(0.5, host(0.02)))
    assert HostState.HARD == state_after(HostState.EMERGENCY, held(0.5, host(0.03)))


def test_memory_that_was_granted_and_never_touched_is_spent() -> None:
    untouched = snapshot(1, host=host(0.1), maximum=20.0 * GIB, actual=5.0 * GIB, rss=0.0)
    touched = snapshot(1, host=host(0.1), maximum=20.0 * GIB, actual=5.0 * GIB, rss=5.0 * GIB)

    assert HostState.TIGHT == state_after(HostState.PLENTY, untouched)
    assert HostState.COMFORT == state_after(HostState.PLENTY, touched)


def test_a_host_that_writes_to_its_swap_is_in_an_emergency_whatever_is_free() -> None:
    rested = read_host(HostPast(), held(0.5, host(0.5, swapped_out=4096)), LAW)
    swapped = read_host(rested, held(0.5, host(0.5, swapped_out=8192)), LAW)
    again = read_host(swapped, held(0.5, host(0.5, swapped_out=8192)), LAW)

    assert HostState.PLENTY == rested.state  # what it wrote before anybody looked
    assert (HostState.EMERGENCY, True) == (swapped.state, swapped.swaps)
    assert (HostState.EMERGENCY, False) == (again.state, again.swaps)  # for its dwell


@pytest.mark.parametrize("there", [None, host(0.5, swapped_out=None)])
def test_a_host_that_does_not_tell_of_its_swap_does_not_swap(there: HostMemory | None) -> None:
    past = HostPast(swapped_out=4096)

    assert HostState.PLENTY == read_host(past, held(0.5, there), LAW).state


def test_a_guest_whose_size_is_unknown_holds_its_maximum() -> None:
    unknown = snapshot(1, maximum=9.5 * GIB, actual=np.nan)

    assert HostState.TIGHT == state_after(HostState.PLENTY, unknown)
