"""Looks at guests become one value a second."""

import numpy as np
import pytest
from columns import snapshot

from ballonet.facts.memory import Memory
from ballonet.policy.rivals import RIVALS
from ballonet.policy.settings import Settings
from ballonet.simulator.recording import Recorder, by_second, series
from ballonet.units import MIB


def recorded(*looks: tuple[float, float, float]) -> Recorder:
    """Return what ticks saw of a guest: when, its size in MiB, and the bytes that it swapped in."""
    recorder = Recorder(1000.0)
    for at, actual, swapped in looks:
        table = snapshot(1, taken_at=1000.0 + at, actual=actual * MIB, swap_in=swapped, usable=np.nan)
        recorder.take(RIVALS["none"](table, Memory.blank(1), Settings(budget_bytes=0.0)))
    return recorder


def test_levels_are_taken_at_the_end_of_a_second_and_counters_over_it() -> None:
    answers = by_second(np.array([0.5, 1.5]), np.array([10.0, 20.0]), np.array([0.1, 0.2]), 2)
    looks = recorded((0.0, 512, 4096), (0.5, 412, np.nan), (2.5, 212, 6 * 4096))
    found = series(looks, "g0", answers)
    assert [362.0, 262.0] == pytest.approx((found.levels["actual"] / MIB).tolist())
    # From 1 page to 6 in 2.5 s: the look between knew nothing of it.
    assert [2.0, 2.0] == pytest.approx(found.rates["swapped in"].tolist())
    assert np.isnan(found.levels["usable"]).all()
    assert 1024 * MIB == found.maximum_bytes


def test_answers_are_gathered_by_second_with_the_mean_of_their_latency() -> None:
    at = np.array([-0.5, 0.0, 0.5, 2.9, 3.0])
    found = by_second(at, np.array([9.0, 1.0, 3.0, 2.0, 9.0]), np.array([9.0, 0.1, 0.5, 0.3, 9.0]), 3)
    assert [4.0, 0.0, 2.0] == found.answered.tolist()
    assert [0.4, 0.3] == pytest.approx([found.seconds[0], found.seconds[2]])
    assert np.isnan(found.seconds[1])
