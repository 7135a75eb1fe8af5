"""Weighted max-min fairness: who gets what, when there is not enough for all."""

import numpy as np

from ballonet.facts.snapshot import Floats


def waterfill(low: Floats, high: Floats, weight: Floats, budget: float) -> Floats:
    """Return x = clip(low + level * weight, low, high) with the one level at which x sums to `budget`.

    Columns of bytes, low <= high, weights above 0. Everybody gets `high` where the budget covers it, and
    `low` where it covers no more than that. O(n log n), and only where the budget cuts in between.
    """
    wish = np.maximum(high - low, 0.0)
    if budget == np.inf:
        return low + wish
    spare = budget - low.sum()
    if spare <= 0.0 or not len(low):
        return low.copy()
    if wish.sum() <= spare:
        return low + wish
    full_at = wish / weight
    order = full_at.argsort(kind="stable")
    filled = wish[order].cumsum()  # given to the guests that are full up to each one
    rising = weight.sum() - weight[order].cumsum()  # weight of those that are not
    # Bytes handed out when the level reaches each guest's own: rises with it, so it can be searched.
    handed = filled + full_at[order] * rising
    first = int(handed.searchsorted(spare, side="left"))
    before = filled[first - 1] if first else 0.0
    still = weight[order[first:]].sum()
    level = float((spare - before) / still)
    return low + np.minimum(level * weight, wish)
