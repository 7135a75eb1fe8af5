"""The signals that are added, each a counter by guest: what is written, pressure, and balloon events."""

import asyncio
import os
import select
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from signals import TRIGGER, pid_of
from signals_added import Calls, Tally

from ballonet.errors import BallonetError
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.hypervisor.libvirt.connection import libvirt
from ballonet.simulator.world import World
from ballonet.units import MIB

LEAST_WRITTEN = 0.5 * MIB
DISKS_SECONDS = 0.1  # between two looks at all disks, as between two glances
PAGE = 4096


class ProcessWrites:
    """Bytes that each guest's process wrote, to its swap disk and all else; its user and root can read it.

    `wchar`, not `write_bytes`: there a page counts but once while it is dirty in the host's cache.
    """

    least = LEAST_WRITTEN

    def __init__(self) -> None:
        self._files: dict[str, int] = {}

    def follow(self, uuids: Iterable[str]) -> None:
        """Open the files of those that are new."""
        for uuid in set(uuids) - self._files.keys():
            self._files[uuid] = os.open(f"/proc/{pid_of(uuid)}/io", os.O_RDONLY)

    def read(self) -> Mapping[str, float]:
        """Return bytes."""
        return {uuid: _written(os.pread(file, 4096, 0)) for uuid, file in self._files.items()}

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            os.close(file)


def _written(text: bytes) -> float:
    word = b"wchar:"
    return float(text[text.index(word) + len(word) :].split(None, 1)[0])


class SwapDisks:
    """Bytes written to each guest's swap disk, its first one, from one call to libvirt for all guests.

    It is made beside the glances, which must not wait for it; what it takes is tallied there.
    """

    least = LEAST_WRITTEN

    def __init__(self, hypervisor: LibvirtHypervisor, tally: Tally) -> None:
        self._hypervisor, self._tally = hypervisor, tally
        self._written: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    def follow(self, uuids: Iterable[str]) -> None:
        """Begin to look."""
        del uuids
        self._task = self._task or asyncio.create_task(self._look_on())

    async def _look_on(self) -> None:
        while True:
            begun = time.perf_counter()
            with suppress(BallonetError):  # the next look is soon
                call = self._hypervisor._connection.call  # noqa: SLF001 - no part of the port
                self._written |= await call(_disks, "reading disks")
            self._tally.seconds += time.perf_counter() - begun
            await asyncio.sleep(DISKS_SECONDS)

    def read(self) -> Mapping[str, float]:
        """Return bytes as they were at the last look."""
        return self._written

    def close(self) -> None:
        """Look no more."""
        if self._task:
            self._task.cancel()


def _disks(raw: Any) -> dict[str, float]:  # noqa: ANN401 - libvirt's objects have no types
    """Return bytes written to the first disks by UUID, of guests that no job holds (in a thread)."""
    flags = (
        libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    )
    records = raw.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_BLOCK, flags)
    return {
        domain.UUIDString(): float(record["block.0.wr.bytes"])
        for domain, record in records
        if "block.0.wr.bytes" in record
    }


class Pressure:
    """How often the trigger on the memory pressure of each guest's control group fired; root sets it."""

    least = 1.0

    def __init__(self, groups: Mapping[str, Path]) -> None:
        self._fired: Counter[str] = Counter()
        self._poll = select.poll()
        self._files: dict[int, str] = {}
        for uuid, group in groups.items():
            file = os.open(group / "memory.pressure", os.O_RDWR | os.O_NONBLOCK)
            os.write(file, TRIGGER + b"\0")
            self._poll.register(file, select.POLLPRI)
            self._files[file] = uuid

    def follow(self, uuids: Iterable[str]) -> None:
        """Do nothing: the groups are there for as long as the guests."""

    def read(self) -> Mapping[str, float]:
        """Return how often each one's trigger fired."""
        self._fired.update(self._files[file] for file, what in self._poll.poll(0) if what & select.POLLPRI)
        return {uuid: float(self._fired[uuid]) for uuid in self._files.values()}

    def close(self) -> None:
        """Take the triggers away."""
        for file in self._files:
            os.close(file)


class BalloonEvents:
    """How often libvirt told that a guest grew beyond what it was told to: autodeflate gave it memory."""

    least = 1.0

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._uuids: tuple[str, ...] = ()

    def follow(self, uuids: Iterable[str]) -> None:
        """Follow these guests from now on."""
        self._uuids = tuple(uuids)

    def read(self) -> Mapping[str, float]:
        """Return how often, of each."""
        return {uuid: float(self._calls.grown[uuid]) for uuid in self._uuids}

    def close(self) -> None:
        """Do nothing."""


class SimulatedWrites:
    """Bytes that simulated guests wrote to swap, which is all that they write."""

    least = LEAST_WRITTEN

    def __init__(self, world: World) -> None:
        self._world = world

    def follow(self, uuids: Iterable[str]) -> None:
        """Do nothing: all are there."""

    def read(self) -> Mapping[str, float]:
        """Return bytes as of the last look at resident memory."""
        written = (PAGE * self._world.state.swap_out).tolist()
        return {self._world.uuid(spec): size for spec, size in zip(self._world.specs, written, strict=True)}

    def close(self) -> None:
        """Do nothing."""
