"""The host beside its guests: memory that something else fills, and processes that cannot always be read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from ballonet.facts.host import HostMemory
from ballonet.facts.snapshot import Floats
from ballonet.simulator.world import World
from ballonet.torture.clock import TroubledClock
from ballonet.torture.names import Names
from ballonet.torture.process import Process
from ballonet.torture.seen import Eye
from ballonet.torture.trouble import Troubles, What
from ballonet.units import MIB

# After a look: what it changed shows in two glances. No whole tenths, so that none falls on the next look.
AWAKE_SECONDS = 0.403
FILL_BYTES = 6000 * MIB  # a second: earlyoom's figure for how fast a host's memory can be filled


class TroubledHost:
    """The simulated host's memory, less what something else took of it."""

    def __init__(
        self, world: World, clock: TroubledClock, troubles: Troubles, eye: Eye, process: Process
    ) -> None:
        self._world = world
        self._clock = clock
        self._troubles = troubles
        self._eye = eye
        self._process = process

    def memory(self) -> HostMemory:
        """Return the host's memory now."""
        self._process.writes("")
        found = self._world.memory()
        trouble = self._troubles.of(What.FILLED)
        if trouble is not None:
            most = max(found.available_bytes, 0) * (0.4 + 0.6 * trouble.amount)
            filled = min(most, FILL_BYTES * max(self._clock.loop_seconds() - trouble.at, 0.0))
            found = replace(found, available_bytes=found.available_bytes - int(filled))
        self._eye.host(found)
        return found


class TroubledResidents:
    """Resident memory of the simulated guests, by the names that they go by now.

    `next_look` tells in how many seconds the service will look at its guests.
    """

    def __init__(
        self,
        world: World,
        clock: TroubledClock,
        troubles: Troubles,
        names: Names,
        next_look: Callable[[], float],
    ) -> None:
        self._world = world
        self._clock = clock
        self._troubles = troubles
        self._names = names
        self._next_look = next_look
        self._followed: tuple[str, ...] = ()
        world.follow(())  # whom a process before this one followed it does not know

    def follow(self, uuids: Iterable[str]) -> None:
        """Follow these guests."""
        self._followed = tuple(self._names.inner(uuid) for uuid in uuids)
        self._world.follow(self._followed)

    def read(self) -> Mapping[str, int]:
        """Return resident bytes by UUID."""
        return {self._names.shown(uuid): size for uuid, size in self._world.read().items()}

    def started_at(self, uuid: str) -> float | None:
        """Return the epoch seconds of a process's start."""
        at = self._world.started_at(self._names.inner(uuid))
        return None if at is None else at + self._clock.set_by_seconds

    def column(self) -> Floats:
        """Return resident bytes side by side, NaN where they cannot be read."""
        column, unseen = self._world.column(), self._troubles.guests(What.UNSEEN)
        if not unseen:
            return column
        return np.where([self._names.name(uuid) in unseen for uuid in self._followed], np.nan, column)

    def started(self) -> Floats:
        """Return the epoch seconds of each start."""
        started: Floats = self._world.started() + self._clock.set_by_seconds
        return started

    def rise(self) -> Floats:
        """Return bytes/s by which each grows."""
        return self._world.rise()

    def even_seconds(self) -> float:
        """Return for how long, and no longer than until soon after the next look, which may change that."""
        return min(self._world.even_seconds(), self._next_look() + AWAKE_SECONDS)
