"""Forgetting: values that fade, and averages that follow."""

import numpy as np

from ballonet.facts.snapshot import Floats, anybody


def elapsed(seconds: Floats) -> Floats:
    """Return the seconds that passed: none where that is unknown, infinite, or below 0."""
    return np.where(seconds < np.inf, np.fmax(seconds, 0.0), 0.0)


def fade(value: Floats, seconds: Floats, half_life_seconds: float | Floats) -> Floats:
    """Return the value after these seconds (as `elapsed` gives them) of exponential decay."""
    faded: Floats = value * left(seconds, half_life_seconds)
    return faded


def follow(average: Floats, value: Floats, left: Floats) -> Floats:
    """Return the average after some time at a value, with this share of it left: the value where none was."""
    mixed: Floats = value + left * (average - value)
    unknown = np.isnan(mixed)
    if anybody(unknown):
        mixed[unknown] = np.fmax(average, value)[unknown]  # of two the one that is known
    return mixed


def left(seconds: Floats, half_life_seconds: float | Floats) -> Floats:
    """Return the share that is left of a value after these seconds (as `elapsed` gives them)."""
    share: Floats = np.exp2(-seconds / half_life_seconds)
    return share
