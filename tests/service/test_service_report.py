"""What histories come to: constructed ones, and what is advised after them."""

from typing import Any

import numpy as np
import pytest
from columns import snapshot

from ballonet.facts.memory import Memory
from ballonet.policy.plan import plan
from ballonet.policy.settings import Settings
from ballonet.service import models
from ballonet.service.report import LONG_ENOUGH_SECONDS, Reckoning, of_guests, sizing
from ballonet.service.samples import GUEST, Table
from ballonet.units import GIB, MIB

USUAL: dict[str, float] = {
    "maximum_bytes": 4 * GIB,
    "floor_bytes": GIB,
    "actual_bytes": 2 * GIB,
    "rss_bytes": 3 * GIB,
    "most_need_bytes": 600 * MIB,
    "most_wanted_bytes": 900 * MIB,
    "swap_in_bytes": 4096,
    "swap_out_bytes": 8192,
    "major_faults": 3,
    "managed_seconds": 60,
    "distress_seconds": 0,
    "pinched_seconds": 0,
    "changes": 1,
    "bursts": 0,
}


def samples(*rows: tuple[str, dict[str, float]]) -> Table:
    """Return a minute of each named guest: as usual, but for what is said."""
    uuids = sorted({uuid for uuid, _ in rows})
    cells = np.full((len(rows), len(GUEST)), np.nan, dtype=np.float32)
    for row, (_, values) in enumerate(rows):
        for name, value in {**USUAL, **values}.items():
            cells[row, GUEST.names.index(name)] = value
    return Table(uuids, np.array([uuids.index(uuid) for uuid, _ in rows]), np.arange(float(len(rows))), cells)


def reckoned(*parts: Table) -> dict[str, models.GuestReport]:
    reckoning = Reckoning()
    for part in parts:
        reckoning.add(part)
    names = {uuid: uuid for part in parts for uuid in part.uuids}
    return {guest.uuid: guest for guest in reckoning.guests(names)}


def guest(**values: Any) -> models.GuestReport:
    """Return what a guest came to in a whole day."""
    return reckoned(samples(("web", {"managed_seconds": LONG_ENOUGH_SECONDS, **values})))["web"]


# --- sums ------------------------------------------------------------------------------------------------


def test_only_what_the_process_does_not_hold_is_seen() -> None:
    totals = reckoned(samples(("a", {})))["a"].totals
    assert (2.0 * GIB * 60, 1.0 * GIB * 60) == (totals.given_back_byte_seconds, totals.seen_byte_seconds)
    assert totals.compared_byte_seconds == totals.given_back_byte_seconds
    untouched = reckoned(samples(("a", {"rss_bytes": GIB})))["a"].totals
    assert (2.0 * GIB * 60, 3.0 * GIB * 60) == (untouched.seen_byte_seconds, untouched.unheld_byte_seconds)


def test_where_resident_memory_is_unknown_nothing_is_compared() -> None:
    totals = reckoned(samples(("a", {"rss_bytes": np.nan}), ("a", {})))["a"].totals
    assert 4.0 * GIB * 60 == totals.given_back_byte_seconds
    assert 2.0 * GIB * 60 == totals.compared_byte_seconds
    assert 1.0 * GIB * 60 == totals.seen_byte_seconds


def test_time_in_which_a_guest_was_left_alone_gives_nothing_back() -> None:
    totals = reckoned(samples(("a", {"managed_seconds": 0}), ("a", {"managed_seconds": 30})))["a"].totals
    assert (30.0, 2.0 * GIB * 30) == (totals.managed_seconds, totals.given_back_byte_seconds)


def test_parts_add_up_with_the_last_sizes_and_the_highest_needs() -> None:
    found = reckoned(
        samples(("a", {"most_need_bytes": 700 * MIB}), ("b", {})),
        samples(("a", {"maximum_bytes": 8 * GIB, "most_need_bytes": 500 * MIB, "most_wanted_bytes": np.nan})),
        samples(("a", {"maximum_bytes": np.nan, "changes": 4, "swap_in_bytes": np.nan})),
    )
    a = found["a"]
    assert (8 * GIB, 700 * MIB, 900 * MIB) == (a.maximum_bytes, a.highest_need_bytes, a.highest_wanted_bytes)
    assert (6, 8192, 9) == (a.totals.changes, a.totals.swap_in_bytes, a.totals.major_faults)
    assert 1 == found["b"].totals.changes


def test_what_is_unknown_of_a_guest_stays_unknown() -> None:
    found = reckoned(samples(("a", dict.fromkeys(USUAL, np.nan))))["a"]
    assert found.maximum_bytes is found.highest_need_bytes is found.floor_bytes is None
    assert 0.0 == found.totals.managed_seconds


def test_the_whole_is_the_sum_of_all_guests_and_names_those_left_alone() -> None:
    there = snapshot(3, excluded=[True, False, False], device=[True, True, False])
    decided = plan(there, Memory.blank(3), Settings(budget_bytes=4.0 * GIB))
    plans = [(decided, lambda _: "qmp:/run/*.qmp")]
    found = of_guests([*reckoned(samples(("g1", {}), ("gone", {}))).values()], plans)
    assert 2 == found["totals"].changes
    alone = [(each.name, each.verdict.code) for each in found["left_alone"]]
    assert [("g0", "excluded"), ("g2", "no-device")] == alone
    assert "-device virtio-balloon-pci" in str(found["left_alone"][1].verdict.remedy)


# --- advice ----------------------------------------------------------------------------------------------


def test_a_maximum_that_nobody_needs_is_said_with_the_figures_behind_it() -> None:
    [advice] = sizing([guest()])
    assert ("maximum", 4 * GIB, GIB) == (advice.kind, advice.now_bytes, advice.better_bytes)
    assert "ballonet set-max web 1GiB --config" == advice.remedy
    assert (
        "in 20 h it needed 900 MiB at most, its cushion included, of a maximum of 4.00 GiB" in advice.sentence
    )


@pytest.mark.parametrize(
    "values",
    [
        {"managed_seconds": LONG_ENOUGH_SECONDS - 60},  # it may need more at night
        {"most_wanted_bytes": 3.2 * GIB},
        {"maximum_bytes": GIB + 200 * MIB},
        {"most_wanted_bytes": np.nan},
        {"floor_bytes": 3.5 * GIB},
    ],
)
def test_no_maximum_is_called_too_large_without_good_reason(values: dict[str, float]) -> None:
    assert [] == sizing([guest(**values)])


def test_a_floor_that_leaves_a_guest_too_little_is_said() -> None:
    lacked = {"pinched_seconds": 42, "most_need_bytes": 1.2 * GIB, "maximum_bytes": 2 * GIB}
    [advice] = sizing([guest(**lacked, most_wanted_bytes=1.9 * GIB)])
    assert ("floor", GIB, 1280 * MIB) == (advice.kind, advice.now_bytes, advice.better_bytes)
    assert 'in the settings, [guest."web"]: floor = "1280MiB"' == advice.remedy
    assert "it lacked memory for 42 s while it had no more than its floor of 1.00 GiB" in advice.sentence


@pytest.mark.parametrize(
    "values",
    [{"pinched_seconds": 4}, {"pinched_seconds": 42, "floor_bytes": 2 * GIB}, {"most_need_bytes": np.nan}],
)
def test_no_floor_is_called_too_low_for_a_moment_or_where_it_cannot_be_higher(
    values: dict[str, float],
) -> None:
    assert [] == sizing([guest(maximum_bytes=2 * GIB, most_wanted_bytes=1.9 * GIB, **values)])
