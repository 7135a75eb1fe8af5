"""The reflex: what it answers, what it never does."""

from typing import Any

import numpy as np
import pytest
from columns import settings
from hypothesis import given
from hypothesis import strategies as st

from ballonet.facts.sight import Answer, Sight
from ballonet.policy.reflex import reflex
from ballonet.units import MIB

LAW = settings(4)
GROWN = 25.0  # MiB in a quarter of a second: 100 MiB/s


def sight(rows: int, **columns: Any) -> Sight:
    """Return guests of 1 GiB cut to half, with 40 MiB of room, that rest unless said."""
    defaults: dict[str, Any] = {
        "rss": 400.0 * MIB,
        "before": 400.0 * MIB,
        "at_sample": 400.0 * MIB,
        "held": 512.0 * MIB,
        "room": 40.0 * MIB,
        "ceiling": 1024.0 * MIB,
        "weight": 100.0,
        "cut": True,
        "spare": 0.0,
    }
    made = {
        name: np.array(np.broadcast_to(columns.get(name, value), rows)) for name, value in defaults.items()
    }
    return Sight(seconds=0.25, **made)


def answer(pool_mib: float, rows: int = 2, **columns: Any) -> Answer:
    return reflex(sight(rows, **columns), pool_mib * MIB, LAW)


def test_rest_is_not_answered() -> None:
    made = answer(1000)

    assert not made.bursts.any()
    assert not made.take.any()


def test_a_burst_is_granted_what_a_second_of_it_needs() -> None:
    made = answer(1000, rss=[(400 + GROWN) * MIB, 400 * MIB])

    room = 40 - GROWN
    assert [100 - room, 0] == (made.grant / MIB).tolist()


def test_a_guest_of_unknown_size_takes_nothing_from_the_others() -> None:
    """H4: an unknown among the wishes would make all grants unknown."""
    made = answer(1000, rss=[(400 + GROWN) * MIB, 400 * MIB], held=[512.0 * MIB, np.nan], cut=[True, False])

    assert [100 - (40 - GROWN), 0] == (made.grant / MIB).tolist()
    assert [True, False] == made.bursts.tolist()


def test_a_slow_burst_is_granted_64_mib() -> None:
    assert 64 * MIB == answer(1000, rss=406.0 * MIB, room=0.0).grant[0]


def test_of_what_nobody_has_unused_a_burst_is_promised_what_it_needs_in_a_third_of_a_second() -> None:
    made = answer(0, rss=[(400 + GROWN) * MIB, 400 * MIB])

    room = 40 - GROWN
    assert [0.3 * 100 - room, 0] == (made.promise / MIB).tolist()
    assert made.bursts.tolist() == [True, False]


def test_all_that_a_burst_needs_is_promised_where_others_can_spare_it() -> None:
    made = answer(0, rss=[(400 + GROWN) * MIB, 400 * MIB], spare=[0.0, 500 * MIB])

    room = 40 - GROWN
    assert [100 - room, 0] == (made.promise / MIB).tolist()


def test_while_the_pool_grants_all_that_is_wished_nobody_gives_though_it_would_not_last() -> None:
    """It grows by 200 MiB in the two seconds until others could be called in, and has 15 MiB of room."""
    made = answer(90, rss=[(400 + GROWN) * MIB, 400 * MIB], spare=[0.0, 500 * MIB])

    assert 85 * MIB == made.grant[0]
    assert [0.0, 0.0] == made.take.tolist()


def test_who_bursts_gives_nothing_to_itself() -> None:
    made = answer(0, rss=[(400 + GROWN) * MIB, 400 * MIB], spare=[500 * MIB, 0.0])

    assert [0.0, 0.0] == made.take.tolist()


def test_who_grows_gives_nothing_of_what_it_took_and_will_take_before_it_reports_again() -> None:
    """The other one grows by 40 MiB/s, and by 30 MiB since its statistics, with room enough for both."""
    grows: dict[str, Any] = {
        "before": [400 * MIB, 390 * MIB],
        "at_sample": [400 * MIB, 370 * MIB],
        "room": [40 * MIB, 1e12],
    }
    made = answer(0, rss=[(400 + GROWN) * MIB, 400 * MIB], spare=[0.0, 200 * MIB], **grows)

    assert 200 - 30 - 2 * 40 == made.take[1] / MIB


def test_growth_within_the_room_of_a_guest_needs_no_answer() -> None:
    assert not answer(1000, rss=(400 + GROWN) * MIB, room=300.0 * MIB).bursts.any()


def test_a_burst_is_answered_when_its_room_lasts_for_less_than_0_8_s() -> None:
    rooms = [m * MIB for m in (GROWN + 79.0, GROWN + 80.0)]

    assert [True, False] == answer(1000, rss=(400 + GROWN) * MIB, room=rooms).bursts.tolist()


def test_a_guest_that_is_not_cut_needs_no_answer() -> None:
    assert not answer(1000, rss=(400 + GROWN) * MIB, cut=False).bursts.any()


def test_a_guest_whose_resident_memory_is_unknown_gets_none() -> None:
    assert not answer(1000, rss=np.nan, before=np.nan, at_sample=np.nan).bursts.any()


def test_nothing_is_granted_above_the_ceiling() -> None:
    made = answer(1000, rows=1, rss=(400 + GROWN) * MIB, held=1000.0 * MIB)

    assert 24 * MIB == made.grant[0]


def test_what_the_pool_lacks_is_called_in_from_those_who_can_spare_it() -> None:
    made = answer(30, rows=3, rss=[(400 + GROWN) * MIB, 400 * MIB, 400 * MIB], spare=[50 * MIB, 500 * MIB, 0])

    assert 30 * MIB == made.grant.sum()
    assert [0, 170, 0] == (made.take / MIB).tolist()


@pytest.mark.parametrize("pool", [0, 10, 85, 1000])
def test_two_bursts_share_the_pool(pool: float) -> None:
    made = answer(pool, rss=(400 + GROWN) * MIB)

    assert made.grant[0] == made.grant[1]
    assert made.grant.sum() <= pool * MIB


mib = st.floats(0, 2048).map(lambda size: size * MIB)


@given(
    st.lists(st.tuples(mib, mib, mib, mib, st.booleans()), min_size=1, max_size=8),
    st.floats(-100, 4096).map(lambda size: size * MIB),
)
def test_it_never_grants_more_than_the_pool_nor_takes_what_was_not_spare(
    rows: list[tuple[float, float, float, float, bool]], pool: float
) -> None:
    """H1 and H6."""
    rss, before, room, spare, cut = (np.array(column) for column in zip(*rows, strict=True))
    seen = sight(len(rows), rss=rss, before=before, room=room, spare=spare, cut=cut)

    made = reflex(seen, pool, LAW)

    assert made.grant.sum() <= max(0.0, pool) + 1
    assert np.all(made.take <= spare + 1)
    assert not np.any(made.bursts & (made.take > 0))
    assert np.all(seen.held + made.grant <= seen.ceiling)
