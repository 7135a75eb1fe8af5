"""The memory pressure that simulated guests' kernels reckon, as Linux does: PSI "some", over ten seconds."""

import numpy as np

from ballonet.facts.snapshot import Floats

AVERAGE_SECONDS = 10.0


class Pressure:
    """Shares of time in which programs waited for memory; one row a guest."""

    def __init__(self, rows: int) -> None:
        self.share = np.zeros(rows)  # 0..1
        self._waited = np.zeros(rows)

    def take(self, waited: Floats, seconds: float) -> None:
        """Take in what was waited since each guest booted (seconds), so many seconds after the last time."""
        latest = np.clip((waited - self._waited) / seconds, 0.0, 1.0)
        left = np.exp(-seconds / AVERAGE_SECONDS)
        self._waited, self.share = waited, latest + left * (self.share - latest)
