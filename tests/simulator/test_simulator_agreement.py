"""Two runs side by side: what is near, what is not, and what is nothing."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from ballonet.facts.snapshot import Floats
from ballonet.simulator.agreement import Agreement, agreements, furthest, mean_seconds
from ballonet.simulator.recording import COUNTERS, LEVELS, Answers, Series
from ballonet.units import MIB

SECONDS = 20


def flat(value: float) -> Floats:
    return np.full(SECONDS, value)


def run(**columns: float) -> Series:
    """Return a guest of 512 MiB at rest, some of its columns (blanks as `_`) flat at other values."""

    def column(key: str, usual: float) -> Floats:
        return flat(columns.get(key.replace(" ", "_"), usual))

    return Series(
        maximum_bytes=512.0 * MIB,
        levels={key: column(key, 100.0 * MIB) for key in LEVELS},
        rates={key: column(key, 0.0) for key in COUNTERS},
        answers=Answers(column("answered", 50.0), column("seconds", 0.004)),
    )


def compared(real: Series, simulated: Series) -> Mapping[str, Agreement]:
    return {one.measure: one for one in agreements("web", real, simulated)}


def test_a_run_agrees_with_itself() -> None:
    found = compared(run(disk_reads=300.0), run(disk_reads=300.0))
    assert all(one.within for one in found.values())
    assert {0.0} == {one.apart for one in found.values()}
    assert {"swapped in", "swapped out", "major faults"} == {key for key, one in found.items() if one.little}
    assert (300.0 * SECONDS, 1.0) == (found["disk reads"].real, found["disk reads"].ratio)


@pytest.mark.parametrize(("mib", "within"), [(100 + 15, True), (100 - 15, True), (100 + 16, False)])
def test_levels_are_held_to_three_percent_of_the_maximum(mib: float, *, within: bool) -> None:
    usable = compared(run(), run(usable=mib * MIB))["usable"]
    assert within is usable.within
    assert abs(mib - 100) / 512 == pytest.approx(usable.apart)


def test_a_level_that_is_right_on_average_only_is_off() -> None:
    swinging = 100.0 * MIB + np.tile([50.0, -50.0], SECONDS // 2) * MIB
    found = compared(run(), replace(run(), levels={**run().levels, "actual": swinging}))
    assert found["actual"].real == pytest.approx(found["actual"].simulated)
    assert not found["actual"].within


@pytest.mark.parametrize(
    ("real", "simulated", "ratio", "within"),
    [
        (100, 199, 1.99, True),
        (100, 51, 0.51, True),
        (100, 201, 2.01, False),
        (9, 0, 1.0, True),
        (0, 30, 3.0, False),
    ],
)
def test_rates_are_held_to_a_factor_of_two_of_what_is_more_than_little(
    real: float, simulated: float, ratio: float, *, within: bool
) -> None:
    swapped = compared(run(swapped_in=float(real)), run(swapped_in=float(simulated)))["swapped in"]
    assert within is swapped.within
    assert ratio == pytest.approx(swapped.ratio)


def test_latency_counts_each_request_once() -> None:
    answers = Answers(np.array([1.0, 0.0, 3.0]), np.array([0.1, np.nan, 0.5]))
    assert 0.4 == pytest.approx(mean_seconds(answers))


def test_latency_is_held_to_a_factor_of_two_beyond_waking_up() -> None:
    assert compared(run(seconds=0.0026), run(seconds=0.0005))["latency"].within
    assert not compared(run(seconds=0.02), run(seconds=0.0005))["latency"].within
    silent = run(answered=0.0, seconds=np.nan)
    assert compared(silent, silent)["latency"].within
    assert not compared(run(), silent)["latency"].within


def test_what_is_known_on_one_side_only_does_not_agree() -> None:
    found = compared(run(usable=np.nan), run())
    assert not found["usable"].within


def test_the_furthest_off_come_first() -> None:
    found = compared(run(disk_reads=100.0), run(disk_reads=900.0, usable=200.0 * MIB, swapped_in=25.0))
    assert ["usable", "disk reads"] == [one.measure for one in furthest(list(found.values()), 2)]
