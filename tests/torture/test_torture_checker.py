"""The checker is checked: bugs that are planted in the product are found, each by its promise."""

import pytest
from planted import BUGS

from ballonet.torture.run import Task, lived

# The first seed that shows each, and the promise that it breaks: `python tests/torture/seek.py` found them.
FOUND: dict[str, tuple[int, str]] = {
    "kib_for_bytes": (0, "G1"),
    "floor_missing": (2, "G1"),
    "hard_floor_missing": (47, "G1"),
    "ceiling_ignored": (111, "G2"),
    "stale_accepted": (1, "G3"),
    "blind_accepted": (2, "G7"),
    "booting_accepted": (0, "G7"),
    "foreign_change_overridden": (4, "Q2"),
    "job_ignored": (7, "G7"),
    "unmanaged_guest_written": (34, "G7"),
    "statistics_older_than_the_last_change_accepted": (0, "G3"),
    "no_wait_for_arrival": (0, "G6"),
    "distress_ignored": (14, "G4"),
    "unbounded_bites": (0, "G5"),
    "grows_before_it_is_free": (2, "H1"),
    "unbounded_growth": (1, "G2"),
    "reserve_ignored": (0, "H1"),
    "lease_ignored": (26, "H1"),
    "hold_ignored": (0, "G7"),
    "pause_ignored": (4, "S2"),
    "observing_writes": (2, "S2"),
    "journal_after_the_act": (0, "S4"),
    "full_disk_ignored": (1, "S4"),
    "gap_ignored": (0, "S6"),
    "sentinel_is_a_number": (0, "G3"),
    "reflex_takes_what_is_used": (2, "G5"),
    "what_people_were_granted_is_forgotten": (2, "H1"),
    "resets_forgotten_by_a_restart": (39, "G7"),
    "kills_forget_who_is_left_alone": (21, "Q2"),
    "holds_forgotten_by_a_restart": (1, "G7"),
    "targets_forgotten_by_a_restart": (2, "Q2"),
    "watchdog_fed_by_failures": (0, "S8"),
    "tick_waits_for_a_hung_guest": (0, "H5"),
    "single_threshold": (1, "Q1"),
    "relief_merged_with_a_pending_shrink": (41, "G3"),
    "swap_debt_dropped": (47, "G4"),
    "accounting_mode_wrong": (0, "Q1"),
    "share_of_a_stuck_guest_given_away": (75, "H1"),
}


def test_every_planted_bug_is_found() -> None:
    assert set(BUGS) == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_a_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seed, promise = FOUND[name]
    BUGS[name](monkeypatch)
    failure = lived(Task(seed)).failure
    assert failure is not None
    assert promise == failure.promise
