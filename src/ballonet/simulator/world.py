"""A simulated host: its guests behind the ports that the engine works through."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballonet.engine.ports import Event, EventKind, HypervisorFacts, check_size
from ballonet.errors import BallonetError, NoSuchGuestError, RefusedError
from ballonet.facts.columns import Columns
from ballonet.facts.evolve import evolve
from ballonet.facts.guest import Guest, Obstacle
from ballonet.facts.host import HostMemory
from ballonet.facts.snapshot import Bools, Floats, anybody, choose
from ballonet.simulator import guests as model
from ballonet.simulator.beside import Beside
from ballonet.simulator.incidents import Incidents, Phase
from ballonet.simulator.kernel import SLAB
from ballonet.simulator.kinds import Kind, told
from ballonet.simulator.life import STEP_SECONDS, Life
from ballonet.simulator.programs import Answers
from ballonet.simulator.rows import guest_rows, only, refusal
from ballonet.simulator.spec import Spec
from ballonet.simulator.timetable import NEVER, Timetable
from ballonet.simulator.virtual import VirtualClock
from ballonet.units import GIB

AWAKE_SECONDS = 0.35  # growth is measured against a look a quarter of a second ago
JOB_PATIENCE_SECONDS = 30.0  # libvirt waits so long for a job to end, and then does what it was asked
REST_SECONDS = 10.0  # ticks look too: what they change shows in time
# After these a driver begins anew; after the others, too, its balloon may have somewhere else to go.
_DRIVER = frozenset({Phase.BOOT, Phase.UNLOADED})
_AIMS = _DRIVER | {Phase.OUT_OF_PUFF, Phase.JOB, None}


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
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self.specs = sorted(specs, key=lambda spec: spec.name)
        self.answers: list[tuple[float, Answers]] = []
        self._detail = detail
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._host_bytes = host_bytes
        self._rows = {self.uuid(spec): row for row, spec in enumerate(self.specs)}
        self.make = model.Make.of(
            maximum=self._column("maximum_bytes"),
            swap=self._column("swap_bytes"),
            requests=self._column("requests"),
            vcpus=self._column("vcpus"),
            deflates=self._column_of(spec.autodeflate and spec.kind is Kind.LINUX for spec in self.specs),
            reports_free=self._column("free_page_reporting").astype(np.bool_),
            recent=self._column("recent").astype(np.bool_),
        )
        timetable = Timetable([spec.schedule for spec in self.specs], STEP_SECONDS)
        self._life = Life(self.make, timetable)
        self._period = np.rint(self._column("period_seconds") / STEP_SECONDS).astype(np.int64)  # steps
        self._sample, self._sampled_at = self._life.places(), np.zeros(len(self.specs), dtype=np.int64)
        # The last look, and that before a sample.
        self._looked_at, self._after = 0.0, np.zeros(len(self.specs))
        self._told = self.make.maximum.copy()  # bytes that QEMU keeps for a driver that comes back
        # What jobs keep waiting: bytes, and the step until which libvirt waits.
        self._waiting: dict[int, tuple[float, int]] = {}
        self._shown = np.full(len(self.specs), np.nan)  # bytes that QEMU tells of a guest that boots
        self._number = np.arange(1.0, len(self.specs) + 1)
        self._started = np.full(len(self.specs), VirtualClock.EPOCH)
        self._kinds = {kind: self._column_of(spec.kind is kind for spec in self.specs) for kind in Kind}
        self._beside = Beside(self.specs)
        self._incidents = Incidents([spec.incidents for spec in self.specs], STEP_SECONDS)
        self._in_job = self._incidents.present[Phase.JOB]  # a part of that table
        codes = [list(Obstacle).index(spec.obstacle) if spec.obstacle else -1 for spec in self.specs]
        self._obstacle = np.array(codes, dtype=np.int8)
        self._followed: NDArray[np.intp] | None = None  # rows; None: all
        self._followed_uuids: tuple[str, ...] = ()
        self._note()

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

    def _column_of(self, values: Iterable[bool]) -> Bools:
        return np.fromiter(values, dtype=np.bool_, count=len(self.specs))

    # --- time ---------------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Live on until the clock's time, in whole steps; samples are taken on the way."""
        life, until = self._life, round(self._clock.monotonic() / STEP_SECONDS)
        began = life.now
        while self._incidents.next_at <= until:
            self._live(self._incidents.next_at)
            self._happen()
        self._live(until)
        if until > began:
            self._beside.take(life, (until - began) * STEP_SECONDS)
        if self._detail and until > began:
            self.answers.append((began * STEP_SECONDS, life.answers()))

    def _live(self, until: int) -> None:
        """Live on until this step, before which nothing happens."""
        life = self._life
        if until <= life.now:
            return
        # Of the samples on the way only the last of each guest will be seen.
        sample_at = until - (until - self._sampled_at) % self._every
        while (at := int(sample_at[sample_at > life.now].min(initial=NEVER))) < NEVER:
            life.live(at)
            self._report(sample_at == at, at)
        if life.now < until:
            life.live(until)

    def _happen(self) -> None:
        """Let all that is due happen."""
        while self._incidents.next_at <= self._life.now:
            turn = self._incidents.turn()
            row, life = turn.row, self._life
            if turn.phase is None:
                self._told[row] = turn.size_bytes
            elif turn.phase is Phase.JOB and not turn.begins:
                size, until = self._waiting.pop(row, (0.0, 0))
                self._told[row] = size if life.now <= until else self._told[row]
            elif turn.phase is Phase.OFF:
                self._switch(row, on=not turn.begins)
            elif turn.phase is Phase.BOOT and turn.event is EventKind.REBOOTED:
                state = life.state()
                self._shown[row] = np.fmin(self._shown[row], state.actual[row])
                life.reset(row, float(state.resident[row]))
            elif turn.phase is Phase.BOOT and not turn.begins:
                self._shown[row] = np.nan
            self._note()
            if turn.phase in _AIMS:
                self._aim(np.array([row], dtype=np.intp))
            if turn.phase in _DRIVER and not turn.begins and self._telling[row]:
                self._report(np.arange(len(self.specs)) == row, life.now)  # the driver's first answer

    def _switch(self, row: int, *, on: bool) -> None:
        """Shut a guest off, or start it with all of its memory and no statistics."""
        self._life.reset(row, float(self.make.overhead[row] + SLAB) if on else 0.0)
        self._told[row] = self.make.maximum[row]
        self._shown[row], self._sampled_at[row] = np.nan, 0
        self._waiting.pop(row, None)
        if on:
            self._number[row] = self._number.max() + 1
            self._started[row] = VirtualClock.EPOCH + self._life.now * STEP_SECONDS

    def _note(self) -> None:
        """Keep what follows from what guests are in."""
        here = self._incidents
        self._life.freeze(here.frozen())
        self._driven = here.driven() & ~self._kinds[Kind.SILENT]
        self._telling = here.telling() & self._driven
        asked = (self._period > 0) & self._telling
        self._every = np.where(asked, self._period + here.late, NEVER)  # steps from sample to sample
        on = ~here.present[Phase.OFF]
        self._on = None if on.all() else np.flatnonzero(on)
        self._frame = self._constant()

    def _aim(self, rows: NDArray[np.intp]) -> None:
        """Let balloons move to where their drivers want them."""
        size = np.where(self._driven, self._told, self.make.maximum)
        puffs = self._incidents.present[Phase.OUT_OF_PUFF]
        if puffs.any():
            size = np.where(puffs, np.maximum(size, self._life.actual()), size)
        self._life.resize(rows, size[rows])

    def _report(self, due: Bools, at: int) -> None:
        """Take a sample of these guests."""
        self._sampled_at[due] = at
        self._after[due] = self._looked_at
        self._sample = choose(due, self._life.places(), self._sample)

    # --- the ports ----------------------------------------------------------------------------------

    def _constant(self) -> Columns:
        """Return what changes with incidents only, and nothing else."""
        rows, phases = len(self.specs), self._incidents.present
        unknown, yes = np.full(rows, np.nan), np.ones(rows, np.bool_)
        known: dict[str, Any] = {
            "uuids": tuple(self._rows),
            "names": tuple(spec.name for spec in self.specs),
            "number": self._number.copy(),
            "metadata": ("",) * rows,
            "running": ~(phases[Phase.PAUSE] | phases[Phase.OFF]),
            "busy": phases[Phase.JOB].copy(),
            "device": yes,
            "autodeflate": self._column("autodeflate").astype(np.bool_),
            "reports_free": self._column("free_page_reporting").astype(np.bool_),
            "obstacle": self._obstacle,
            "maximum": self.make.maximum,
            "vcpus": np.where(phases[Phase.JOB], np.nan, self.make.vcpus),
        }
        return Columns(**{field.name: known.get(field.name, unknown) for field in fields(Columns)})

    async def columns(self) -> Columns:
        """Return all guests that are not shut off by name, side by side."""
        columns = self._columns()
        return columns if self._on is None else only(columns, self._on)

    def _columns(self) -> Columns:
        """Return all guests, those that are shut off as if they were not."""
        self._catch_up()
        outside = self._life.outside()
        reads = self._beside.reads(self._life, outside.reads)
        if anybody(self._in_job):
            reads = np.where(self._in_job, np.nan, reads)
        # The hypervisor keeps whole seconds; but what differs from the last look was sent after it.
        sent_at = np.floor(VirtualClock.EPOCH + self._sampled_at * STEP_SECONDS)
        sent_at = np.maximum(sent_at, VirtualClock.EPOCH + self._after)
        self._looked_at = self._life.now * STEP_SECONDS
        never = self._sampled_at == 0
        statistics: dict[str, Any] = told(self.make, model.State.of(self._sample), self._kinds)
        if anybody(never):
            statistics |= {name: np.where(never, np.nan, column) for name, column in statistics.items()}
        statistics |= self._beside.columns(self._clock.time(), self._life)
        return evolve(
            self._frame,
            **statistics,
            actual=self._told_sizes(outside.actual),
            rss=np.floor(outside.resident),
            last_update=np.where(never, np.nan, sent_at),
            period=(self._period * STEP_SECONDS).astype(np.float64),
            disk_reads=np.floor(reads),
            disk_read_seconds=reads * np.maximum(model.READ_SECONDS, 1.0 / self.make.requests),
            vcpu_seconds=np.where(np.isnan(reads), np.nan, outside.busy),
        )

    def _told_sizes(self, actual: Floats) -> Floats:
        """Return the sizes that QEMU tells of guests that have these."""
        told_sizes: Floats = np.floor(choose(np.isnan(self._shown), actual, self._shown))
        return told_sizes

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return all guests by name that are not shut off, and those too if `inactive`."""
        columns, caches = self._columns(), model.State.of(self._sample).cache()
        return guest_rows(
            columns,
            range(len(self.specs)) if self._on is None or inactive else self._on.tolist(),
            self.specs,
            phases=self._incidents.present,
            caches=caches.tolist(),
            read_at=self._clock.time(),
        )

    async def guest(self, reference: str) -> Guest:
        """Return one guest by name, UUID or id."""
        for found in await self.guests(inactive=True):
            if reference in {found.name, found.uuid, str(found.id)}:
                return found
        raise NoSuchGuestError(f"no guest {reference!r}", hint="see who is there: ballonet guests")

    async def resize(
        self,
        uuid: str,
        size_bytes: int,
        *,
        live: bool = True,
        config: bool = False,
        from_bytes: int | None = None,
    ) -> None:
        """Tell a guest's balloon its next size."""
        _ = live, config
        if from_bytes is not None:
            self._catch_up()
            check_size(uuid, int(self._told_sizes(self._life.actual())[self._rows[uuid]]), from_bytes)
        for error in (await self.resize_many({uuid: size_bytes})).values():
            raise error

    async def resize_many(self, sizes: Mapping[str, int]) -> Mapping[str, BallonetError]:
        """Tell balloons their next sizes; return who is shut off, or held by a job and may hear it later."""
        self._catch_up()
        rows = np.fromiter((self._rows[uuid] for uuid in sizes), dtype=np.intp, count=len(sizes))
        size = np.fromiter(sizes.values(), dtype=np.float64, count=len(sizes))
        unable = self._incidents.within(Phase.JOB, Phase.OFF)[rows]
        self._told[rows[~unable]] = size[~unable]
        self._aim(rows[~unable])
        failed: dict[str, BallonetError] = {}
        for row, to in zip(rows[unable].tolist(), size[unable].tolist(), strict=True):
            spec, off = self.specs[row], bool(self._incidents.present[Phase.OFF, row])
            if not off:
                self._waiting[row] = to, self._life.now + round(JOB_PATIENCE_SECONDS / STEP_SECONDS)
            failed[self.uuid(spec)] = refusal(spec.name, off=off)
        return failed

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Refuse: simulated guests are stored nowhere."""
        raise RefusedError(f"{uuid} keeps its maximum; {size_bytes} bytes", hint="change the scenario")

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Ask a guest for its statistics every so many seconds."""
        _ = live, config
        row = self._rows[uuid]
        self.specs[row] = replace(self.specs[row], period_seconds=seconds)
        self._period[row] = round(seconds / STEP_SECONDS)
        self._note()

    async def refresh(self, uuid: str) -> None:
        """Ask a guest for its statistics now."""
        self._catch_up()
        row = self._rows[uuid]
        if self._telling[row] and not self._incidents.late[row]:
            self._report(np.arange(len(self.specs)) == row, self._life.now)

    async def events(self) -> AsyncIterator[Event]:
        """Yield what happens to guests from now on, and then wait for ever."""
        began = self._clock.monotonic()
        for turn in self._incidents.events():
            at, spec = turn.at * STEP_SECONDS, self.specs[turn.row]
            if at >= began and turn.event:
                await self._clock.sleep(max(at - self._clock.monotonic(), 0.0))
                yield Event(turn.event, self.uuid(spec), spec.name)
        await asyncio.Event().wait()

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
        """See these guests from now on."""
        uuids = tuple(uuids)
        if uuids != self._followed_uuids:
            rows = [self._rows[uuid] for uuid in uuids]
            self._followed = None if len(rows) == len(self._rows) else np.array(rows, dtype=np.intp)
            self._followed_uuids = uuids

    def _of_followed(self, column: Floats) -> Floats:
        """Return the rows of those that are followed, in their order."""
        return column if self._followed is None else column[self._followed]

    def read(self) -> dict[str, int]:
        """Return resident memory by UUID."""
        resident = self._resident()
        return {uuid: int(resident[row]) for uuid, row in self._rows.items() if not np.isnan(resident[row])}

    def _resident(self) -> Floats:
        """Return resident memory of all, NaN of those that are shut off."""
        self._catch_up()
        resident = np.floor(self._life.resident())
        if self._on is not None:
            resident[self._incidents.present[Phase.OFF]] = np.nan
        return resident

    def column(self) -> Floats:
        """Return resident memory, side by side."""
        return self._of_followed(self._resident())

    def started_at(self, uuid: str) -> float | None:
        """Return when a guest's process started."""
        return float(self._started[self._rows[uuid]]) if uuid in self._rows else None

    def started(self) -> Floats:
        """Return that for all that are followed."""
        return self._of_followed(self._started.copy())

    def rise(self) -> Floats:
        """Return bytes/s by which guests grow, infinite where that is not known."""
        return self._of_followed(self._life.rise())

    def even_seconds(self) -> float:
        """Return for how long they do, ending in time to see it change."""
        self._catch_up()
        turn = min(self._life.next_turn(), self._incidents.next_at)
        return min((turn - self._life.now) * STEP_SECONDS - AWAKE_SECONDS, self._rest_seconds)
