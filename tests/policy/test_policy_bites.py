"""What is taken: how urgently, of whom, and what protects from which of it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from columns import NOW, known, settings, snapshot

from ballonet.facts.host import HostState
from ballonet.facts.memory import HostPast
from ballonet.facts.plan import Bound, Plan
from ballonet.facts.snapshot import Floats
from ballonet.policy.bites import Call, call
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.learn import learn
from ballonet.policy.plan import plan
from ballonet.policy.room import SURPLUS, Room, Share
from ballonet.policy.settings import Settings
from ballonet.units import MIB

M = 1024.0 * MIB
R = reserve_bytes(M)
BAND = 0.03 * M
# A guest of 700 MiB whose programs use 200; it has 400 MiB of cache, and nothing unused beyond its reserve.
CACHED: dict[str, Any] = {"actual": 700.0 * MIB, "unused": R, "usable": R + 400 * MIB}
# It lacks some 77 MiB of what it needs.
NEEDY: dict[str, Any] = {"actual": 500.0 * MIB, "unused": 0.0, "usable": 0.0}
CUSHION = 0.04 * M
# Nothing is held back for bursts, and some is free: nobody waits for what is probed.
QUIET = Settings(budget_bytes=730 * MIB, pool_share=0.0, store_share=0.0, give_surplus=False)
PROTECTED: list[dict[str, Any]] = [
    {"hold_until": NOW + 30},
    {"trial": 32.0 * MIB},
    {"lost": 0.01},
    {"bitten_at": NOW - 5.9},
]


def law(mib: float) -> Settings:
    return settings(mib / 1024)


def decided(
    there: Settings, guests: list[dict[str, Any]], state: HostState = HostState.TIGHT, **remembered: Any
) -> tuple[Plan, Floats]:
    """Return the plan of these guests, and what it takes of each (0: nothing)."""
    columns: dict[str, Any] = {name: [guest[name] for guest in guests] for name in guests[0]}
    table = snapshot(len(guests), **columns)
    made = plan(table, replace(known(table, **remembered), host=HostPast(state, NOW)), there)
    return made, np.nan_to_num(table.actual - made.target)


# --- how urgently -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "urgency"),
    [
        ({}, (Call.NOBODY, 0.0)),
        ({"free": 80.0}, (Call.NOBODY, 0.0)),
        ({"free": 74.0}, (Call.WANTED, 0.0)),  # less than three quarters of pool and store
        ({"held": 580.0}, (Call.WANTED, 0.0)),  # cache that is not known to be in use
        ({"held": 580.0, "kept": 40.0, "free": 65.0}, (Call.LACKED, 0.0)),
        ({"held": 580.0, "kept": 40.0}, (Call.WANTED, 0.0)),  # what is free beside the pool would do
        ({"held": 530.0, "free": 65.0}, (Call.LACKED, 0.0)),  # a part of its cushion
        ({"held": 530.0}, (Call.WANTED, 0.0)),
        ({"held": 490.0, "free": 9.0}, (Call.NEEDED, 10 * MIB)),
        ({"held": 490.0}, (Call.LACKED, 0.0)),  # a need may have all that is free, a cushion not the pool
        ({"held": 490.0, "growth": 10.0}, (Call.LACKED, 0.0)),
        ({"held": 530.0, "growth": 20.0}, (Call.WANTED, 0.0)),  # that fills its cushion
        ({"over": 30.0}, (Call.NEEDED, 30 * MIB)),
        ({"held": 490.0, "allotted": 480.0}, (Call.NOBODY, 0.0)),  # it shall have no more
        ({"held": 490.0, "managed": False}, (Call.NOBODY, 0.0)),
    ],
)
def test_it_is_called_for_memory_as_urgently_as_it_is_lacked(
    columns: dict[str, Any], urgency: tuple[Call, float]
) -> None:
    """One guest needs 500 MiB, with a cushion 550, and with its cache 600; 100 MiB are pool and store."""
    given = {"held": 600.0, "free": 100.0, "over": 0.0, "kept": 0.0, "growth": 0.0} | columns
    held, growth, kept = (np.array([given[name] * MIB]) for name in ("held", "growth", "kept"))
    wanted = np.array([[500.0], [50.0], [50.0], [0.0]]) * MIB
    allotted = np.array([columns.get("allotted", 600.0) * MIB])
    share = Share.of(wanted, allotted, np.array([columns.get("managed", True)]))
    room = Room(held, 0.0, 60 * MIB, 40 * MIB, given["free"] * MIB, given["over"] * MIB)

    assert urgency == call(share, replace(known(snapshot(1)), kept=kept), room, growth)


# --- for a need -------------------------------------------------------------------------------------


def test_what_is_taken_for_a_need_is_what_lacks() -> None:
    """Not half of all cache, though half could be taken; and of all alike."""
    made, taken = decided(law(1900), [NEEDY, CACHED, CACHED], hold_until=NOW + 30)

    assert Bound.HOST_SHORT == made.bound[0]  # nothing is free yet
    assert R == pytest.approx(taken.sum(), abs=3 * 4096)
    assert taken[1] == taken[2]


def test_unused_memory_goes_before_cache() -> None:
    """One has 200 MiB unused beyond its reserve: what is taken of these at once does for the need."""
    idle = {"actual": 700.0 * MIB, "unused": R + 200 * MIB, "usable": R + 400 * MIB}

    _, taken = decided(law(1900), [NEEDY, idle, CACHED], hold_until=NOW + 30)

    assert 0.6 * 200 * MIB == pytest.approx(taken[1], abs=4096)
    assert 0.0 == taken[2]


def test_what_a_guest_took_since_its_statistics_is_not_unused() -> None:
    """Its resident memory rose by 150 of the 200 MiB that it had unused beyond its reserve."""
    idle = {"actual": 700.0 * MIB, "unused": R + 200 * MIB, "usable": R + 400 * MIB, "risen": 150 * MIB}
    rested = {**idle, "risen": -150 * MIB}
    needy = {**NEEDY, "risen": 0.0}

    _, taken = decided(law(1900), [needy, idle, {**CACHED, "risen": 0.0}], hold_until=NOW + 30)
    _, unmoved = decided(law(1900), [needy, rested, {**CACHED, "risen": 0.0}], hold_until=NOW + 30)

    assert taken[2] > 0.0  # the other one gives cache, too
    assert 0.6 * 200 * MIB == pytest.approx(unmoved[1], abs=4096)


@pytest.mark.parametrize("protection", PROTECTED)
def test_what_protects_from_probing_does_not_protect_from_a_need(protection: dict[str, Any]) -> None:
    _, for_a_need = decided(law(1200), [NEEDY, CACHED], **protection)
    _, for_nobody = decided(QUIET, [CACHED], HostState.HARD, **protection)
    _, unprotected = decided(QUIET, [CACHED], HostState.HARD)

    assert R == pytest.approx(for_a_need[1], abs=4096)
    assert 0.0 == for_nobody[0]
    assert unprotected[0] >= BAND


def test_half_of_the_cache_is_the_most_at_once() -> None:
    starved = {"actual": 300.0 * MIB, "unused": 0.0, "usable": 0.0}

    made, taken = decided(law(1300), [*[starved] * 2, CACHED], used=[500 * MIB, 500 * MIB, 223 * MIB])

    assert 0.5 * 400 * MIB == pytest.approx(taken[2], abs=4096)
    assert Bound.BITE == made.bound[2]


def test_nobody_is_brought_below_its_need_for_another_one() -> None:
    """It has 90 MiB of cache, half of which could be taken at once, and 20 MiB more than it needs."""
    spare = 20 * MIB
    little = {"actual": 400 * MIB + R + spare, "unused": 0.0, "usable": 90 * MIB}

    _, taken = decided(law(900), [NEEDY, little], used=[500 * MIB, 400 * MIB])

    assert spare == pytest.approx(taken[1], abs=4096)


def test_a_guest_in_distress_gives_nothing_even_for_a_need() -> None:
    _, taken = decided(law(1200), [NEEDY, CACHED], distress=[False, True])

    assert 0.0 == taken[1]


def test_more_held_than_there_is_is_a_need() -> None:
    """The budget was lowered, or the host has less than it says."""
    _, taken = decided(law(600), [CACHED], hold_until=NOW + 30)

    assert 100 * MIB == pytest.approx(taken[0], abs=4096)


# --- probing ----------------------------------------------------------------------------------------


def of_cache(*cached_mib: float) -> list[dict[str, Any]]:
    """Return guests with 200 MiB used, a reserve, a cushion, and so much cache beyond these."""
    return [
        {
            "actual": 200 * MIB + R + CUSHION + mib * MIB,
            "unused": R + CUSHION,
            "usable": R + CUSHION + mib * MIB,
        }
        for mib in cached_mib
    ]


@pytest.mark.parametrize(
    ("state", "probes"),
    [
        (HostState.PLENTY, False),
        (HostState.COMFORT, False),
        (HostState.TIGHT, True),
        (HostState.HARD, True),
        (HostState.EMERGENCY, True),
    ],
)
def test_cache_that_nobody_waits_for_is_probed_only_while_the_host_is_tight(
    state: HostState, *, probes: bool
) -> None:
    _, taken = decided(QUIET, [CACHED], state)

    assert probes == (taken[0] > 0.0)


def test_bites_are_small_and_larger_when_the_host_is_hard_up() -> None:
    """2 % of 700 MiB are less than is worth a write; 6 % are not."""
    _, tight = decided(QUIET, [CACHED], HostState.TIGHT)
    _, hard = decided(QUIET, [CACHED], HostState.HARD)

    assert BAND == pytest.approx(tight[0], abs=4096)
    assert 0.06 * 700 * MIB == pytest.approx(hard[0], abs=4096)


def test_many_give_a_little_the_coldest_first_until_enough_will_be_free() -> None:
    """What lacks to 9 % of the budget is a bite and a half: two give one."""
    guests = of_cache(200, 400, 250, 300, 350)
    held = sum(guest["actual"] for guest in guests)
    budget = (held - 1.5 * 1.1 * BAND) / (1 - 0.09)

    def bitten(budget: float, **remembered: Any) -> list[int]:
        there = replace(QUIET, budget_bytes=budget)
        return [int(row) for row in np.flatnonzero(decided(there, guests, **remembered)[1])]

    assert [1, 4] == bitten(budget)
    assert [3, 4] == bitten(budget, kept=[0.0, 390.0 * MIB, 0.0, 0.0, 0.0])
    assert [3, 4] == bitten(budget, hold_until=[0.0, NOW + 30, 0.0, 0.0, 0.0])  # nor does it count as given
    assert [] == bitten(budget + 2 * BAND)
    assert [0, 1, 2, 3, 4] == bitten(budget - 5 * BAND)


def test_a_part_in_what_is_free_does_not_keep_cache_from_being_probed() -> None:
    """Fifty guests on a budget of which 5 % are free: of these pool and store are a third."""
    there = law(50 * 700 / 0.95)

    made, taken = decided(there, [CACHED] * 50, HostState.TIGHT)

    assert made.got[SURPLUS][0] > 20 * MIB
    assert 0.09 * there.budget_bytes - made.free == pytest.approx(taken.sum(), rel=0.1)
    assert BAND == pytest.approx(taken.max(), rel=0.11)


def test_cache_known_to_be_in_use_is_not_probed() -> None:
    _, all_of_it = decided(QUIET, of_cache(400), HostState.HARD, kept=400 * MIB)
    _, most_of_it = decided(QUIET, of_cache(400), HostState.HARD, kept=340 * MIB)

    assert 0.0 == all_of_it[0]
    assert BAND == pytest.approx(most_of_it[0], rel=0.11)  # half of 60 MiB, and what is worth a write


def test_after_a_bite_a_guest_is_watched_for_6_s_and_three_periods() -> None:
    slow = {**CACHED, "period": 5.0}

    def bitten(guest: dict[str, Any], seconds: float) -> bool:
        return bool(decided(QUIET, [guest], HostState.HARD, bitten_at=NOW - seconds)[1][0] > 0.0)

    assert [False, True] == [bitten(CACHED, 5.9), bitten(CACHED, 6.0)]
    assert [False, True] == [bitten(slow, 14.9), bitten(slow, 15.0)]


@pytest.mark.parametrize(("state", "seconds"), [(HostState.TIGHT, 60.0), (HostState.HARD, 20.0)])
def test_nothing_is_probed_for_a_while_after_a_growth(state: HostState, seconds: float) -> None:
    made, taken = decided(QUIET, [CACHED], state, grew_at=NOW - seconds + 0.1)
    _, rested = decided(QUIET, [CACHED], state, grew_at=NOW - seconds)

    assert [0.0, Bound.DWELL] == [taken[0], made.bound[0]]
    assert rested[0] > 0.0


def test_where_reads_cannot_be_seen_cache_is_never_probed() -> None:
    """All there is counts as in use, tick after tick."""
    changed = []
    for reads in (np.nan, 0.0):
        guest = of_cache(400)[0]
        now, then = (
            snapshot(1, taken_at=at, stats_at=at - 1, disk_reads=reads, **guest) for at in (NOW + 2, NOW)
        )
        memory = learn(known(then, looked_at=NOW, disk_reads=reads, target=then.actual), now, QUIET)
        changed.append(plan(now, replace(memory, host=HostPast(HostState.HARD, NOW)), QUIET).changes())

    assert [[], [0]] == changed


# --- how fast ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget_mib", "state", "seconds"),
    [
        (20_000, HostState.TIGHT, 2.0),  # the pool is not full: somebody may need it, and nobody does
        (20_000, HostState.HARD, None),
        (15_000, HostState.TIGHT, None),  # more is held than there is
    ],
)
def test_a_balloon_is_inflated_slowly_while_nobody_waits(
    budget_mib: float, state: HostState, seconds: float | None
) -> None:
    large: dict[str, Any] = {
        "maximum": 16384.0 * MIB,
        "ceiling": 16384.0 * MIB,
        "actual": 16000.0 * MIB,
        "unused": 9000.0 * MIB,
        "usable": 9000.0 * MIB,
    }

    _, taken = decided(law(budget_mib), [large], state)

    if seconds is None:
        assert taken[0] > 512 * MIB
    else:
        assert 128 * MIB * seconds == pytest.approx(taken[0], abs=4096)
