"""How sure a mean over seeds is."""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 2000
SEED = 1  # the same figures give the same interval


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % confidence interval of the mean, by the percentile bootstrap."""
    drawn = np.random.default_rng(SEED).choice(np.array(values), (RESAMPLES, len(values)))
    low, high = np.percentile(drawn.mean(axis=1), (2.5, 97.5))
    return float(low), float(high)
