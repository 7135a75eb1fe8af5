"""A simulated host: its guests behind the ports that the engine works through."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ballonet.engine.ports import Event, EventKind, HypervisorFacts
from ballonet.errors import NoSuchGuestError, RefusedError
from ballonet.facts.guest import Device, Guest, State
from ballonet.facts.host import HostMemory
from ballonet.facts.snapshot import Floats
from ballonet.facts.statistics import Statistics
from ballonet.simulator import guests as model
from ballonet.simulator.kernel import PAGE, overhead
from ballonet.simulator.programs import Answers, Programs, work
from ballonet.simulator.schedule import Step
from ballonet.simulator.virtual import VirtualClock
from ballonet.units import GIB, MIB

STEP_SECONDS = 0.05  # half of what the reflex looks at


@dataclass(frozen=True, slots=True)
class Spec:
    """A guest to simulate; sizes in bytes."""

    name: str
    maximum_bytes: int
    schedule: Sequence[Step]
    swap_bytes: int = 512 * MIB
    requests: float = 1000.0  # a second, of its disks
    vcpus: int = 1
    autodeflate: bool = False
    free_page_reporting: bool = True
    period_seconds: int = 1


class World:
    """Guests that live on while nobody looks: every look brings them to the clock's time first."""

    def __init__(self, specs: Sequence[Spec], *, clock: VirtualClock, host_bytes: int = 64 * GIB) -> None:
        self.specs = sorted(specs, key=lambda spec: spec.name)
        self.answers: list[tuple[float, Answers]] = []  # with the second at which each step began
        self._clock = clock
        self._host_bytes = host_bytes
        self._rows = {self.uuid(spec): row for row, spec in enumerate(self.specs)}
        self.make = model.Make(
            maximum=self._column("maximum_bytes"),
            swap=self._column("swap_bytes"),
            requests=self._column("requests"),
            vcpus=self._column("vcpus"),
            deflates=self._column("autodeflate").astype(np.bool_),
            reports_free=self._column("free_page_reporting").astype(np.bool_),
        )
        self.state = model.State.booted(self.make)
        self._programs = Programs.following([spec.schedule for spec in self.specs])
        self._target = self.make.maximum.copy()
        self._now = 0.0
        self._sample, self._sampled_at = self.state, np.zeros(len(self.specs))

    @staticmethod
    def uuid(spec: Spec) -> str:
        """Return a guest's UUID."""
        return f"simulated-{spec.name}"

    def _column(self, name: str) -> Floats:
        return np.array([getattr(spec, name) for spec in self.specs], dtype=np.float64)

    # --- time ---------------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Live on until the clock's time, in whole steps."""
        while self._clock.monotonic() - self._now > STEP_SECONDS / 2:
            self._programs, state, load, answers = work(
                self._programs, self.make, self.state, self._now, STEP_SECONDS
            )
            self.state, _ = model.step(self.make, state, load, self._target, STEP_SECONDS)
            self.answers.append((self._now, answers))
            self._now += STEP_SECONDS
            self._report()

    def _report(self) -> None:
        """Take a sample of the guests whose period is over."""
        period = self._column("period_seconds")
        due = (period > 0) & (self._now - self._sampled_at >= period - STEP_SECONDS / 2)
        if due.any():
            self._sampled_at = np.where(due, self._now, self._sampled_at)
            columns = {
                name: np.where(due, getattr(self.state, name), getattr(self._sample, name))
                for name in model.State.__dataclass_fields__
            }
            self._sample = model.State(**columns)

    # --- the ports ----------------------------------------------------------------------------------

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return all guests by name; none is ever shut off (`inactive`)."""
        _ = inactive
        self._catch_up()
        sizes = {
            "usable": self._sample.usable(self.make),
            "unused": np.maximum(self._sample.free(self.make), 0.0),
            "available": self._sample.actual - overhead(self.make.maximum),
            "cache": self._sample.cache(),
        }
        whole = {name: column.astype(np.int64).tolist() for name, column in sizes.items()}
        rows = range(len(self.specs))
        return [self._guest(row, {name: column[row] for name, column in whole.items()}) for row in rows]

    def _guest(self, row: int, sizes: dict[str, int]) -> Guest:
        spec, sample = self.specs[row], self._sample
        statistics = Statistics(
            unused_bytes=sizes["unused"],
            usable_bytes=sizes["usable"],
            available_bytes=sizes["available"],
            disk_caches_bytes=sizes["cache"],
            rss_bytes=int(self.state.resident[row]),
            swap_in_bytes_total=int(sample.swap_in[row]) * PAGE,
            swap_out_bytes_total=int(sample.swap_out[row]) * PAGE,
            major_faults_total=int(sample.major_faults[row]),
            last_update=VirtualClock.EPOCH + float(self._sampled_at[row]),
        )
        return Guest(
            name=spec.name,
            uuid=self.uuid(spec),
            id=row + 1,
            state=State.RUNNING,
            read_at=self._clock.time(),
            maximum_bytes=spec.maximum_bytes,
            actual_bytes=int(self.state.actual[row]),
            device=Device("virtio", spec.autodeflate, spec.free_page_reporting, spec.period_seconds),
            statistics=statistics if self._sampled_at[row] > 0 else replace(statistics, last_update=None),
            disk_reads_total=int(self.state.disk_reads[row]),
            vcpus=spec.vcpus,
        )

    async def guest(self, reference: str) -> Guest:
        """Return one guest by name or UUID."""
        for found in await self.guests():
            if reference in {found.name, found.uuid}:
                return found
        raise NoSuchGuestError(f"no guest {reference!r}", hint="see who is there: ballonet guests")

    async def resize(self, uuid: str, size_bytes: int, *, live: bool = True, config: bool = False) -> None:
        """Tell a guest's balloon its next size."""
        _ = live, config
        self._catch_up()
        self._target[self._rows[uuid]] = size_bytes

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Refuse: simulated guests are stored nowhere."""
        raise RefusedError(f"{uuid} keeps its maximum; {size_bytes} bytes", hint="change the scenario")

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Ask a guest for its statistics every so many seconds."""
        _ = live, config
        row = self._rows[uuid]
        self.specs[row] = replace(self.specs[row], period_seconds=seconds)

    async def refresh(self, uuid: str) -> None:
        """Ask a guest for its statistics now."""
        self._catch_up()
        self._sampled_at[self._rows[uuid]] = -np.inf
        self._report()

    async def events(self) -> AsyncIterator[Event]:
        """Yield nothing, for ever: guests neither come nor go."""
        await asyncio.Event().wait()
        yield Event(EventKind.CHANGED)  # never: it makes this a generator

    async def facts(self) -> HypervisorFacts:
        """Return what this is."""
        return HypervisorFacts("sim:", read_only=False, local=True)

    async def close(self) -> None:
        """Do nothing."""

    def memory(self) -> HostMemory:
        """Return the host's memory: guests are all that it has."""
        self._catch_up()
        used = int(self.state.resident.sum())
        return HostMemory(self._host_bytes, self._host_bytes - used, 0, 0, 0, None, None, 0)

    def follow(self, uuids: Iterable[str]) -> None:
        """See all guests anyway."""

    def read(self) -> dict[str, int]:
        """Return resident memory by UUID."""
        self._catch_up()
        return dict(zip(self._rows, self.state.resident.astype(np.int64).tolist(), strict=True))

    def started_at(self, uuid: str) -> float | None:
        """Return when the world began."""
        return VirtualClock.EPOCH if uuid in self._rows else None
