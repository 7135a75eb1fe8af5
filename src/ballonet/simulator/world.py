"""A simulated host: its guests behind the ports that the engine works through."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ballonet.engine.ports import Event, EventKind, HypervisorFacts
from ballonet.errors import BallonetError, NoSuchGuestError, RefusedError
from ballonet.facts.columns import Columns
from ballonet.facts.guest import Device, Guest, State
from ballonet.facts.host import HostMemory
from ballonet.facts.snapshot import Bools, Floats
from ballonet.facts.statistics import Statistics
from ballonet.simulator import guests as model
from ballonet.simulator.kernel import PAGE, overhead
from ballonet.simulator.life import STEP_SECONDS, Life
from ballonet.simulator.programs import Answers
from ballonet.simulator.schedule import Step
from ballonet.simulator.timetable import Timetable
from ballonet.simulator.virtual import VirtualClock
from ballonet.units import GIB, MIB

AWAKE_SECONDS = 0.35  # growth is measured against a look a quarter of a second ago
REST_SECONDS = 10.0  # ticks look too: what they change shows in time


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
    """Guests that live on while nobody looks: every look brings them to the clock's time first.

    `answers` holds what was answered between two looks, with the second at which that began; without
    `detail` it stays empty.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        *,
        clock: VirtualClock,
        host_bytes: int = 64 * GIB,
        detail: bool = True,
    ) -> None:
        self.specs = sorted(specs, key=lambda spec: spec.name)
        self.answers: list[tuple[float, Answers]] = []
        self._detail = detail
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
        self._life = Life(self.make, Timetable([spec.schedule for spec in self.specs], STEP_SECONDS))
        self._period = np.rint(self._column("period_seconds") / STEP_SECONDS).astype(np.int64)  # steps
        self._sample, self._sampled_at = self._life.state(), np.zeros(len(self.specs), dtype=np.int64)
        self._looked_at, self._after = (
            0.0,
            np.zeros(len(self.specs)),
        )  # the last look, and that before a sample
        self._frame = self._constant()

    @staticmethod
    def uuid(spec: Spec) -> str:
        """Return a guest's UUID."""
        return f"simulated-{spec.name}"

    @property
    def state(self) -> model.State:
        """Where the guests' memory was at the last look."""
        return self._life.state()

    def _column(self, name: str) -> Floats:
        return np.array([getattr(spec, name) for spec in self.specs], dtype=np.float64)

    # --- time ---------------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Live on until the clock's time, in whole steps; samples are taken on the way."""
        life, until = self._life, round(self._clock.monotonic() / STEP_SECONDS)
        if until <= life.now:
            return
        began = life.now
        # Of the samples on the way only the last of each guest will be seen.
        periods = (until - self._sampled_at) // np.maximum(self._period, 1)
        sample_at = np.where(self._period > 0, self._sampled_at + periods * self._period, 0)
        for at in np.unique(sample_at[sample_at > began]).tolist():
            life.live(at)
            self._report(sample_at == at, at)
        if life.now < until:
            life.live(until)
        if self._detail:
            self.answers.append((began * STEP_SECONDS, life.answers()))

    def _report(self, due: Bools, at: int) -> None:
        """Take a sample of these guests."""
        now, before = self._life.state(), self._sample
        self._sampled_at = np.where(due, at, self._sampled_at)
        self._after = np.where(due, self._looked_at, self._after)
        if due.all():
            self._sample = now
            return
        columns = [field.name for field in fields(model.State)]
        self._sample = model.State(
            *(np.where(due, getattr(now, name), getattr(before, name)) for name in columns)
        )

    # --- the ports ----------------------------------------------------------------------------------

    def _constant(self) -> Columns:
        """Return what never changes, and nothing else."""
        rows = len(self.specs)
        unknown, yes, no = np.full(rows, np.nan), np.ones(rows, np.bool_), np.zeros(rows, np.bool_)
        known: dict[str, Any] = {
            "uuids": tuple(self._rows),
            "names": tuple(spec.name for spec in self.specs),
            "number": np.arange(1.0, rows + 1),
            "running": yes,
            "busy": no,
            "device": yes,
            "autodeflate": self.make.deflates,
            "obstacle": np.full(rows, -1, dtype=np.int8),
            "maximum": self.make.maximum,
            "vcpus": self.make.vcpus,
        }
        return Columns(**{field.name: known.get(field.name, unknown) for field in fields(Columns)})

    async def columns(self) -> Columns:
        """Return all guests by name, side by side."""
        self._catch_up()
        now, sample = self._life.state(), self._sample
        # The hypervisor keeps whole seconds; but what differs from the last look was sent after it.
        sent_at = np.floor(VirtualClock.EPOCH + self._sampled_at * STEP_SECONDS)
        sent_at = np.maximum(sent_at, VirtualClock.EPOCH + self._after)
        self._looked_at = self._life.now * STEP_SECONDS
        return replace(
            self._frame,
            actual=np.floor(now.actual),
            unused=np.floor(np.maximum(sample.free(self.make), 0.0)),
            usable=np.floor(sample.usable(self.make)),
            available=np.floor(sample.actual - overhead(self.make.maximum)),
            rss=np.floor(now.resident),
            swap_in=np.floor(sample.swap_in) * PAGE,
            swap_out=np.floor(sample.swap_out) * PAGE,
            major_faults=np.floor(sample.major_faults),
            last_update=np.where(self._sampled_at > 0, sent_at, np.nan),
            period=(self._period * STEP_SECONDS).astype(np.float64),
            disk_reads=np.floor(now.disk_reads),
            disk_read_seconds=now.disk_reads * np.maximum(model.READ_SECONDS, 1.0 / self.make.requests),
        )

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return all guests by name; none is ever shut off (`inactive`)."""
        _ = inactive
        columns, cache = await self.columns(), self._sample.cache()
        return [self._guest(row, columns, cache) for row in range(len(self.specs))]

    def _guest(self, row: int, columns: Columns, cache: Floats) -> Guest:
        """Return one row of the columns, and what no decision is made from."""
        spec, sample, sent_at = self.specs[row], self._sample, float(columns.last_update[row])
        return Guest(
            name=spec.name,
            uuid=columns.uuids[row],
            id=row + 1,
            state=State.RUNNING,
            read_at=self._clock.time(),
            maximum_bytes=spec.maximum_bytes,
            actual_bytes=int(columns.actual[row]),
            device=Device("virtio", spec.autodeflate, spec.free_page_reporting, spec.period_seconds),
            statistics=Statistics(
                unused_bytes=int(columns.unused[row]),
                usable_bytes=int(columns.usable[row]),
                available_bytes=int(columns.available[row]),
                disk_caches_bytes=int(cache[row]),
                rss_bytes=int(columns.rss[row]),
                swap_in_bytes_total=int(columns.swap_in[row]),
                swap_out_bytes_total=int(columns.swap_out[row]),
                major_faults_total=int(sample.major_faults[row]),
                last_update=None if np.isnan(sent_at) else sent_at,
            ),
            disk_reads_total=int(columns.disk_reads[row]),
            disk_read_seconds_total=float(columns.disk_read_seconds[row]),
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
        await self.resize_many({uuid: size_bytes})

    async def resize_many(self, sizes: Mapping[str, int]) -> Mapping[str, BallonetError]:
        """Tell balloons their next sizes; none ever fails."""
        self._catch_up()
        rows = np.fromiter((self._rows[uuid] for uuid in sizes), dtype=np.intp, count=len(sizes))
        self._life.resize(rows, np.fromiter(sizes.values(), dtype=np.float64, count=len(sizes)))
        return {}

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Refuse: simulated guests are stored nowhere."""
        raise RefusedError(f"{uuid} keeps its maximum; {size_bytes} bytes", hint="change the scenario")

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Ask a guest for its statistics every so many seconds."""
        _ = live, config
        row = self._rows[uuid]
        self.specs[row] = replace(self.specs[row], period_seconds=seconds)
        self._period[row] = round(seconds / STEP_SECONDS)

    async def refresh(self, uuid: str) -> None:
        """Ask a guest for its statistics now."""
        self._catch_up()
        self._report(np.arange(len(self.specs)) == self._rows[uuid], self._life.now)

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
        used = int(self._life.resident().sum())
        return HostMemory(self._host_bytes, self._host_bytes - used, 0, 0, 0, None, None, 0)

    def follow(self, uuids: Iterable[str]) -> None:
        """See all guests anyway, in the order of `columns`."""

    def read(self) -> dict[str, int]:
        """Return resident memory by UUID."""
        return dict(zip(self._rows, self.column().astype(np.int64).tolist(), strict=True))

    def column(self) -> Floats:
        """Return resident memory, side by side."""
        self._catch_up()
        return np.floor(self._life.resident())

    def started_at(self, uuid: str) -> float | None:
        """Return when the world began."""
        return VirtualClock.EPOCH if uuid in self._rows else None

    def started(self) -> Floats:
        """Return that for all guests."""
        return np.full(len(self.specs), VirtualClock.EPOCH)

    def rise(self) -> Floats:
        """Return bytes/s by which guests grow, infinite where that is not known."""
        return self._life.rise()

    def even_seconds(self) -> float:
        """Return for how long they do, ending in time to see it change."""
        self._catch_up()
        return min((self._life.next_turn() - self._life.now) * STEP_SECONDS - AWAKE_SECONDS, REST_SECONDS)
