"""How far simulated guests are from real ones that did the same: one number a guest and measure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ballonet.facts.snapshot import Floats
from ballonet.simulator.recording import COUNTERS, LEVELS, Answers, Series

LEVEL_APART = 0.03  # of the guest's maximum, in the mean over time
FACTOR = 2.0  # between what happened here and there
# Disks serve a thousand requests a second: a hundredth of that is nothing.
LITTLE_PER_SECOND = 10.0
# An emulated guest with nothing else to do takes 0.8 to 2.6 ms to wake up and answer.
LITTLE_SECONDS = 3e-3


@dataclass(frozen=True, slots=True)
class Agreement:
    """One measure of one guest, here and there. NaN is unknown."""

    guest: str
    measure: str
    unit: str  # "bytes", "pages", "faults", "requests", "seconds"
    real: float  # mean of a level, total of what is counted, mean latency of all requests
    simulated: float
    apart: float  # mean of the difference in a second, as a share of the maximum (of a rate: its highest)
    ratio: float  # simulated to real, of what is more than little; NaN for levels
    little: bool  # next to nothing happened on both sides
    within: bool


def agreements(guest: str, real: Series, simulated: Series) -> list[Agreement]:
    """Return all measures of a guest; both runs have the same length."""
    levels = [
        _level(guest, key, real.levels[key], simulated.levels[key], real.maximum_bytes) for key in LEVELS
    ]
    rates = [_rate(guest, key, real.rates[key], simulated.rates[key]) for key in COUNTERS]
    requests = _rate(guest, "answered", real.answers.answered, simulated.answers.answered)
    return [*levels, *rates, requests, _latency(guest, real.answers, simulated.answers)]


def _level(guest: str, measure: str, real: Floats, simulated: Floats, maximum_bytes: float) -> Agreement:
    apart = float(np.abs(real - simulated).mean()) / maximum_bytes
    return Agreement(
        guest,
        measure,
        unit="bytes",
        real=float(real.mean()),
        simulated=float(simulated.mean()),
        apart=apart,
        ratio=np.nan,
        little=False,
        within=apart <= LEVEL_APART,
    )


_UNITS = {"swapped in": "pages", "swapped out": "pages", "major faults": "faults"}


def _rate(guest: str, measure: str, real: Floats, simulated: Floats) -> Agreement:
    least = LITTLE_PER_SECOND * len(real)
    here, there = float(real.sum()), float(simulated.sum())
    ratio = max(there, least) / max(here, least) if not np.isnan(here + there) else np.nan
    highest = max(float(real.max()), float(simulated.max()))
    return Agreement(
        guest,
        measure,
        unit=_UNITS.get(measure, "requests"),
        real=here,
        simulated=there,
        apart=float(np.abs(real - simulated).mean()) / highest if highest > 0 else 0.0,
        ratio=ratio,
        little=max(here, there) < least,
        within=_near(ratio),
    )


def _latency(guest: str, real: Answers, simulated: Answers) -> Agreement:
    here, there = mean_seconds(real), mean_seconds(simulated)
    ratio = float(np.maximum(there, LITTLE_SECONDS) / np.maximum(here, LITTLE_SECONDS))
    return Agreement(
        guest,
        "latency",
        unit="seconds",
        real=here,
        simulated=there,
        apart=_apart(real.seconds, simulated.seconds),
        ratio=ratio,
        little=bool(np.isnan(here) and np.isnan(there)),
        within=_near(ratio) or bool(np.isnan(here) and np.isnan(there)),
    )


def mean_seconds(answers: Answers) -> float:
    """Return the mean latency of all requests answered; NaN if none was."""
    total = float(answers.answered.sum())
    return float((answers.answered * np.nan_to_num(answers.seconds)).sum()) / total if total else np.nan


def _apart(real: Floats, simulated: Floats) -> float:
    """Return the mean difference of the seconds known on both sides, as a share of the highest value."""
    both = ~np.isnan(real + simulated)
    if not both.any():
        return np.nan
    highest = max(float(real[both].max()), float(simulated[both].max()))
    return float(np.abs(real - simulated)[both].mean()) / highest if highest > 0 else 0.0


def _near(ratio: float) -> bool:
    return 1 / FACTOR <= ratio <= FACTOR


def furthest(found: Sequence[Agreement], count: int) -> list[Agreement]:
    """Return those that are out of bounds, the furthest first: by bounds' widths for both kinds."""
    outside = [one for one in found if not one.within]
    return sorted(outside, key=_excess, reverse=True)[:count]


def _excess(one: Agreement) -> float:
    """Return how many times the bound it is off; what is unknown on one side comes first."""
    if np.isnan(one.ratio):
        return np.inf if np.isnan(one.apart) else one.apart / LEVEL_APART
    return max(one.ratio, 1 / one.ratio) / FACTOR
