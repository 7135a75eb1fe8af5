"""Forgetting: values that fade, and averages that follow."""

import numpy as np

from ballonet.facts.snapshot import Floats, anybody


def elapsed(seconds: Floats) -> Floats:
    """Return the seconds that passed: none where that is unknown, infinite, or below 0."""
    return np.where(seconds < np.inf, np.fmax(seconds, 0.0), 0.0)


def fade(value: Floats, seconds: Floats, half_life_seconds: float | Floats) -> Floats:
    """Return the value after these seconds (as `elapsed` gives them) of exponential decay."""
    faded: Floats = value * _left(seconds, half_life_seconds)
    return faded


def follow(average: Floats, value: Floats, seconds: Floats, half_life_seconds: float | Floats) -> Floats:
    """Return the average after these seconds at a value: the value itself where there was no average yet."""
    mixed: Floats = value + _left(seconds, half_life_seconds) * (average - value)
    unknown = np.isnan(mixed)
    if anybody(unknown):
        mixed[unknown] = np.fmax(average, value)[unknown]  # of two the one that is known
    return mixed


def _left(seconds: Floats, half_life_seconds: float | Floats) -> Floats:
    """Return the share that is left of a value after these seconds."""
    left: Floats = np.exp2(-seconds / half_life_seconds)
    return left
