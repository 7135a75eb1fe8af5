"""Forgetting: values that fade, and averages that follow."""

import numpy as np

from ballonet.facts.snapshot import Floats


def fade(value: Floats, seconds: Floats, half_life_seconds: float | Floats) -> Floats:
    """Return the value after these seconds of exponential decay (untouched where they are unknown)."""
    faded: Floats = value * _left(seconds, half_life_seconds)
    return faded


def follow(average: Floats, value: Floats, seconds: Floats, half_life_seconds: float | Floats) -> Floats:
    """Return the average after these seconds at a value: the value itself where there was no average yet."""
    mixed = value + _left(seconds, half_life_seconds) * (average - value)
    return np.where(np.isnan(mixed), np.fmax(average, value), mixed)  # of two the one that is known


def _left(seconds: Floats, half_life_seconds: float | Floats) -> Floats:
    """Return the share that is left of a value after these seconds."""
    known = np.where(seconds < np.inf, np.fmax(seconds, 0.0), 0.0)
    left: Floats = np.exp2(-known / half_life_seconds)
    return left
