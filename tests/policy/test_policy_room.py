"""What there is to give: what is held, what the host has left, and the pool for bursts."""

from typing import Any

import numpy as np
import pytest
from columns import NOW, known, settings, snapshot

from ballonet.facts.host import HostMemory
from ballonet.policy.room import Room, host_free, room
from ballonet.policy.settings import Settings
from ballonet.units import GIB, MIB

LEAST = 0.2 * 1024 * MIB  # the pool before bursts were seen
MOST = 0.5 * 1024 * MIB


def given(
    rows: int,
    law: Settings,
    *,
    need_mib: float = 300.0,
    managed: list[bool] | None = None,
    host: HostMemory | None = None,
    columns: dict[str, Any] | None = None,
    **remembered: Any,
) -> Room:
    """Return what there is for guests of 1 GiB that have 512 MiB and need so much."""
    table = snapshot(rows, host=host, **{"actual": 512 * MIB, "rss": 512 * MIB, **(columns or {})})
    need = np.full(rows, need_mib * MIB)
    return room(table, known(table, **remembered), law, np.array(managed or [True] * rows), need)


def host(available: float) -> HostMemory:
    return HostMemory(8 * GIB, int(available), 0, 0, None, None, None, 0)


# --- what is held -----------------------------------------------------------------------------------


def test_what_was_granted_and_what_is_not_given_back_yet_are_held() -> None:
    there = given(3, settings(4), arrived=[True, False, False], target=[300 * MIB, 700 * MIB, 300 * MIB])

    assert [512 * MIB, 700 * MIB, 512 * MIB] == there.held.tolist()
    assert 4 * GIB - (512 + 700 + 512) * MIB == there.free


def test_who_was_told_more_and_did_not_follow_holds_what_it_has() -> None:
    assert [512 * MIB] == given(1, settings(4), arrived=True, target=700 * MIB).held.tolist()


def test_who_is_on_its_way_nobody_knows_where_holds_what_it_has() -> None:
    assert [512 * MIB] == given(1, settings(4), arrived=False, target=np.nan).held.tolist()


def test_what_a_guest_without_its_driver_may_take_is_handed_out_to_nobody_and_taken_from_nobody() -> None:
    reset = {"uptime": [9.0, 900.0], "stats_at": [NOW - 10.0, NOW - 1.0]}
    assert 4 * GIB - (1024 + 512) * MIB == given(2, settings(4), columns=reset).free
    tight = given(2, settings(1.25), columns=reset)
    assert (0.0, 0.0) == (tight.free, tight.over)
    short = given(2, settings(0.75), columns=reset)
    assert (-256 * MIB, 256 * MIB) == (short.free, short.over)
    later = {"uptime": 200.0, "stats_at": NOW - 300.0}  # its boot took longer than any should
    assert 512 * MIB == given(1, settings(1.5), columns=later).free


@pytest.mark.parametrize(("uptime", "free_mib"), [(9.0, 512), (900.0, 1024), (np.nan, 1024)])
def test_a_guest_that_tells_nothing_may_take_all_only_while_it_boots(uptime: float, free_mib: int) -> None:
    columns = {"uptime": uptime, "stats_at": np.nan}
    assert free_mib * MIB == given(1, settings(1.5), columns=columns).free


def test_what_is_kept_for_guests_to_come_is_not_free() -> None:
    there = given(1, settings(4, leased_bytes=300.0 * MIB))

    assert 4 * GIB - 512 * MIB - 300 * MIB == there.free
    assert 4 * GIB - 300 * MIB == there.budget + there.pool


def test_guests_that_are_not_managed_keep_what_they_hold() -> None:
    alone = given(2, settings(4), managed=[True, False])

    assert 4 * GIB - 512 * MIB == alone.budget + alone.pool


def test_a_guest_whose_size_is_unknown_holds_its_maximum() -> None:
    there = given(2, settings(4), managed=[False, False], columns={"actual": [512 * MIB, np.nan]})

    assert [512 * MIB, 1024 * MIB] == there.held.tolist()


def test_what_is_held_beyond_the_budget_is_told() -> None:
    assert 512 * MIB == given(3, settings(1)).over
    assert 0.0 == given(3, settings(4)).over


# --- what the host has ------------------------------------------------------------------------------


def test_a_host_gives_what_is_available_less_its_reserve_and_what_was_never_touched() -> None:
    there = HostMemory(8 * GIB, 2 * GIB, 0, 0, None, None, None, 512 * MIB)
    table = snapshot(2, host=there, actual=512 * MIB, rss=[512 * MIB, 12 * MIB])
    law = settings(100, reserve_bytes=1.0 * GIB)

    assert (2048 + 512 - 500 - 1024) * MIB == host_free(table, law)
    assert np.inf == host_free(snapshot(1), law)


def test_what_ksm_saves_is_not_given_twice() -> None:
    """It was granted to those whose pages were merged, and they take it by writing to them."""
    there = HostMemory(8 * GIB, 2 * GIB, 0, 0, None, None, None, 0, merged_bytes=700 * MIB)
    table = snapshot(1, host=there, actual=512 * MIB, rss=512 * MIB)

    assert (2048 - 700 - 1024) * MIB == host_free(table, settings(100, reserve_bytes=1.0 * GIB))


def test_guests_whose_resident_memory_is_unknown_are_taken_to_have_touched_theirs() -> None:
    table = snapshot(1, host=host(2 * GIB), rss=np.nan)

    assert 1 * GIB == host_free(table, settings(100, reserve_bytes=1.0 * GIB))


@pytest.mark.parametrize("left_mib", [200, 0, -200])
def test_a_host_with_less_than_the_budget_says_gives_what_it_has(left_mib: float) -> None:
    """Two guests hold 1,024 MiB, and may hold so much more, or must hold less."""
    there = given(2, settings(100, reserve_bytes=300.0 * MIB), host=host((300 + left_mib) * MIB))

    assert (1024 + left_mib) * MIB == there.budget + there.pool
    assert left_mib * MIB == there.free
    assert max(0.0, -left_mib * MIB) == there.over


@pytest.mark.parametrize(("rss_mib", "spent_mib"), [(512, 188), (600, 100), (np.nan, 188), (400, 188 + 112)])
def test_what_a_guest_was_told_that_it_may_take_is_not_the_hosts_to_give_either(
    rss_mib: float, spent_mib: float
) -> None:
    """It has 512 MiB and is on its way to 700: nothing of the host shows what it will take."""
    columns = {"rss": rss_mib * MIB}
    there = given(
        1,
        settings(100, reserve_bytes=0.0),
        host=host(1000 * MIB),
        columns=columns,
        arrived=False,
        target=700 * MIB,
    )

    assert (1000 - spent_mib) * MIB == there.free


# --- the pool ---------------------------------------------------------------------------------------


def test_the_pool_is_a_share_of_the_largest_guest_until_bursts_were_seen() -> None:
    assert LEAST == given(2, settings(10)).pool
    assert 0.2 * 2 * GIB == given(2, settings(10), columns={"maximum": [1.0 * GIB, 2.0 * GIB]}).pool
    assert LEAST == given(2, settings(10), growth=50.0 * MIB).pool


def test_bursts_that_were_seen_are_pooled_by_the_root_of_their_squares() -> None:
    """Those of many rarely coincide. Each counts a second of it, and no more than its guest may grow."""
    assert 500 * MIB == pytest.approx(given(2, settings(10), growth=[300.0 * MIB, 400.0 * MIB]).pool)
    half = settings(10, pool_seconds=0.5)
    assert 250 * MIB == pytest.approx(given(2, half, growth=[300.0 * MIB, 400.0 * MIB]).pool)
    assert 400 * MIB == pytest.approx(given(2, settings(10), growth=[np.nan, 400.0 * MIB]).pool)
    assert 224 * MIB == pytest.approx(given(1, settings(10), need_mib=800, growth=400.0 * MIB).pool)


def test_the_pool_is_half_of_the_largest_guest_at_most() -> None:
    assert MOST == given(4, settings(10), growth=1e12).pool


def test_bursts_of_guests_that_are_not_managed_are_not_pooled() -> None:
    assert LEAST == given(2, settings(10), growth=[0.0, 1e12], managed=[True, False]).pool
    assert 0.0 == given(1, settings(10), managed=[False]).pool


def test_the_pool_gives_way_to_needs_and_to_cache_in_use() -> None:
    """Two guests that need 800 MiB each on 1,700 MiB leave 100; with 30 MiB of cache in use each, 40."""
    law = settings(1700 / 1024)
    tight = given(2, law, need_mib=800)
    used = given(2, law, need_mib=800, kept=30 * MIB)

    assert 100 * MIB == pytest.approx(tight.pool)
    assert 1600 * MIB == pytest.approx(tight.budget)
    assert 40 * MIB == pytest.approx(used.pool)
    assert 0.0 == given(2, law, need_mib=900).pool


def test_the_pool_does_not_give_way_to_cache_on_trial() -> None:
    law = settings(1700 / 1024)

    assert 70 * MIB == pytest.approx(given(2, law, need_mib=800, kept=30 * MIB, trial=15 * MIB).pool)


def test_the_store_is_half_of_the_largest_guest() -> None:
    assert MOST == given(2, settings(10)).store


def test_without_the_reflex_nothing_is_held_back_for_bursts() -> None:
    there = given(2, settings(10, reflex=False), growth=1e12)

    assert [0.0, 0.0, 10 * GIB] == [there.pool, there.store, there.budget]
