"""What is known of simulated guests beside their statistics: by their agents, and by the host's disks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ballonet.facts.snapshot import Bools, Floats, anybody, everybody
from ballonet.simulator.life import Life
from ballonet.simulator.pressure import Pressure
from ballonet.simulator.spec import Spec

ASK_SECONDS = 1.5  # between two questions to an agent, as to real ones


class Beside:
    """Keeps what agents told last; one row a guest, NaN of those that have none."""

    def __init__(self, specs: Sequence[Spec]) -> None:
        def who(name: str) -> Bools:
            return np.array([getattr(spec, name) for spec in specs], dtype=np.bool_)

        self._tells_pressure, self._agent, self._seen = who("tells_pressure"), who("agent"), who("seen")
        self._told: dict[str, Floats] = {}
        self._nothing = {"pressure": np.full(len(specs), np.nan)}
        self._pressure = Pressure(len(specs))
        self._asked_at = -np.inf
        self._waited: Floats = np.full(len(specs), np.nan)

    def take(self, life: Life, seconds: float) -> None:
        """Take in how long programs waited, so many seconds after the last time."""
        if anybody(self._tells_pressure):
            self._pressure.take(life.waited(), seconds)

    def columns(self, now: float, life: Life) -> dict[str, Any]:
        """Return what is told at this look, `now` being epoch seconds; agents are asked at it."""
        if anybody(self._agent) and now - self._asked_at >= ASK_SECONDS:
            self._ask(now, life)
        if not anybody(self._tells_pressure):
            return self._told or self._nothing
        return {"pressure": np.where(self._tells_pressure, self._pressure.share, np.nan), **self._told}

    def _ask(self, now: float, life: Life) -> None:
        state, waited = life.state(), life.waited()
        since, self._asked_at = self._asked_at, now
        before, self._waited = self._waited, waited
        swapped = state.swapped() + state.swap_cache
        told = {
            "heard": np.full(len(waited), now),
            "waits_since": np.full(len(waited), since if since > 0.0 else np.nan),
            "pressure": np.clip((waited - before) / (now - since), 0.0, 1.0),
            "swapped": np.floor(swapped),
            "swap_left": np.floor(np.maximum(life.make.swap - swapped, 0.0)),
        }
        self._told = {name: np.where(self._agent, column, np.nan) for name, column in told.items()}

    def reads(self, life: Life, all_reads: Floats) -> Floats:
        """Return the disk reads that the host sees: where files lie elsewhere, those of swap."""
        return all_reads if everybody(self._seen) else np.where(self._seen, all_reads, life.state().swap_in)
