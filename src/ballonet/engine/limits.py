"""Limits for who has no settings file: the usual ones, or one floor for all."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ballonet.facts.columns import Columns
from ballonet.facts.limits import Limits
from ballonet.policy.floors import floor_bytes

LimitsOf: TypeAlias = Callable[[Columns], Limits]
"""What an engine asks at each tick: the limits of these guests, in their order."""


def usual(guests: Columns) -> Limits:
    """Return the limits of guests that nobody set any for."""
    rows, maximum = len(guests), guests.maximum
    return Limits(
        floor=floor_bytes(maximum),
        ceiling=maximum,
        weight=np.full(rows, 100.0),
        excluded=np.zeros(rows, dtype=np.bool_),
    )


def one_floor(floor: float | None) -> LimitsOf:
    """Return the usual limits, but with one floor (bytes) for all; None: each has its usual one."""
    if floor is None:
        return usual
    return lambda guests: replace(usual(guests), floor=np.full(len(guests), float(floor)))
