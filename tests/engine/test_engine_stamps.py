"""When statistics were sent, whatever the wall clock says meanwhile."""

import numpy as np

from ballonet.engine.stamps import Stamps
from ballonet.engine.table import Now
from ballonet.facts.snapshot import Floats

EPOCH = 1_700_000_000.0


def look(stamps: Stamps, at: float, said_at: dict[str, float], set_by: float = 0.0) -> list[float]:
    """Return the seconds that what these guests said comes to at this second."""
    stamp: Floats = EPOCH + np.array(list(said_at.values()))
    found: list[float] = stamps.sent_at(tuple(said_at), stamp, Now(EPOCH + at + set_by, at)).tolist()
    return found


def test_statistics_were_sent_when_their_stamp_says() -> None:
    stamps = Stamps()

    assert [98.0, 99.0] == look(stamps, 100.0, {"a": 98.0, "b": 99.0})
    assert [98.0, 101.0] == look(stamps, 102.0, {"a": 98.0, "b": 101.0})


def test_a_clock_that_is_set_back_makes_nothing_newer_than_it_was() -> None:
    stamps = Stamps()
    look(stamps, 100.0, {"a": 98.0})

    assert [98.0] == look(stamps, 110.0, {"a": 98.0}, set_by=-8.0)
    assert [107.0] == look(stamps, 112.0, {"a": 99.0}, set_by=-8.0)


def test_a_clock_that_is_set_forward_makes_them_old_for_good() -> None:
    stamps = Stamps()
    look(stamps, 100.0, {"a": 98.0})

    assert [58.0] == look(stamps, 102.0, {"a": 98.0}, set_by=40.0)
    assert [58.0] == look(stamps, 104.0, {"a": 98.0})


def test_no_sample_is_newer_than_its_first_sight() -> None:
    """From the future is more than a second of it; what is so seen stays as old as it is."""
    stamps = Stamps()

    assert [100.0, 109.0] == look(stamps, 100.0, {"a": 100.5, "b": 109.0})
    assert [100.0, 100.0] == look(stamps, 109.5, {"a": 100.5, "b": 109.0})


def test_guests_are_known_again_in_another_order_and_strangers_are_new() -> None:
    stamps = Stamps()
    look(stamps, 100.0, {"a": 90.0, "b": 98.0})

    assert [98.0, 108.0, 90.0] == look(stamps, 110.0, {"b": 98.0, "c": 100.0, "a": 90.0}, set_by=-8.0)


def test_who_never_sent_any_has_sent_none() -> None:
    assert [True] == np.isnan(look(Stamps(), 100.0, {"a": np.nan})).tolist()
