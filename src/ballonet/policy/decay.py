"""Forgetting: values that fade, and averages that follow."""

import numpy as np

from ballonet.facts.snapshot import Floats


def fade(value: Floats, seconds: Floats, half_life_seconds: float | Floats) -> Floats:
    """Return the value after these seconds of exponential decay (untouched where they are unknown)."""
    known = np.where(np.isfinite(seconds), np.maximum(seconds, 0.0), 0.0)
    faded: Floats = value * np.exp2(-known / half_life_seconds)
    return faded


def follow(average: Floats, value: Floats, seconds: Floats, half_life_seconds: float | Floats) -> Floats:
    """Return the average after these seconds at a value: the value itself where there was no average yet."""
    left = fade(np.ones_like(value), seconds, half_life_seconds)
    return np.where(
        np.isnan(average), value, np.where(np.isnan(value), average, value + left * (average - value))
    )
