"""One seed: the whole service on one simulated host, from start to end, whatever happens."""

import asyncio
import gc
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from ballonet.engine.engine import World as Ports
from ballonet.engine.ports import Event, EventKind
from ballonet.errors import BallonetError, RefusedError, UsageError
from ballonet.facts.act import Act
from ballonet.facts.happening import Happening, Kind
from ballonet.service.daemon import Daemon, Ears
from ballonet.service.daemon import Rules as InForce
from ballonet.service.notify import Notifier
from ballonet.service.store import Store
from ballonet.simulator import virtual
from ballonet.simulator.kernel import pages
from ballonet.simulator.world import World
from ballonet.torture.beside import TroubledHost, TroubledResidents
from ballonet.torture.checker import Checker, Done, Failure
from ballonet.torture.clock import TroubledClock
from ballonet.torture.course import (
    CALM_INTERVALS,
    CALM_SECONDS,
    Course,
    Storm,
    Wish,
    draw,
    kill_point,
)
from ballonet.torture.hypervisor import Libvirt, TroubledHypervisor
from ballonet.torture.journal import TroubledStore
from ballonet.torture.names import Names
from ballonet.torture.people import People
from ballonet.torture.process import Process
from ballonet.torture.record import Record
from ballonet.torture.rules import in_force, other_rules
from ballonet.torture.seen import Rules
from ballonet.torture.trouble import Trouble, Troubles, What

RESTART_SECONDS = 4.0  # at most
SETTLING_SECONDS = 600.0  # of the calm at the end
_SET_SECONDS = (-3600.0, -40.0, -20.0, -8.0, 8.0, 20.0, 40.0, 3600.0)
_MEMORY = Path("/dev/shm")  # noqa: S108 - what is written there is gone with the run


@dataclass(frozen=True, slots=True)
class Task:
    """A seed, and how many hours of its time."""

    seed: int
    hours: float = 2.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a seed."""

    task: Task
    failure: Failure | None
    digest: str  # over the event log: the same for the same seed
    lines: int
    troubles: int
    restarts: int
    done: Done


class _Watchdog(Notifier):
    """Sees when systemd would be told that a tick ended."""

    def __init__(self, checker: Checker, process: Process) -> None:
        super().__init__({})
        self._checker = checker
        self._process = process

    def ticked(self, status: str) -> None:
        super().ticked(status)
        if not self._process.dead:
            self._checker.fed()


@dataclass(slots=True)
class _Life:
    """One process of the service, and who reaches it."""

    process: Process
    hypervisor: TroubledHypervisor
    daemon: Daemon
    people: People
    task: "asyncio.Task[None]"


class _Run:
    """What outlives each process."""

    def __init__(self, course: Course, directory: Path) -> None:
        self.clock = TroubledClock()
        self.record = Record(self.clock)
        self.base = Rules(
            enforce=True,
            interval_seconds=course.storms[0].then_seconds,
            budget_bytes=float(course.budget_bytes),
            reserve_bytes=float(course.reserve_bytes),
            floor_share=course.floor_share,
            ceiling_share=1.0,
            excluded="",
        )
        self.checker = Checker(self.clock, self.record, self.base)
        self.restarts = -1
        self._course = course
        self._directory = directory
        self._state = directory / "0"
        self._rules: Rules | None = self.base  # None: the file is broken
        self._troubles = Troubles()
        self._names = Names()
        self._renewed: set[str] = set()
        self._world = World(
            course.specs,
            clock=self.clock,
            host_bytes=course.host_bytes,
            detail=False,
            rest_seconds=max(CALM_INTERVALS),
        )
        self._libvirt = Libvirt(self._world, self.clock, self._troubles, self._names)
        self.checker.disk_full = lambda: self._troubles.of(What.FULL) is not None
        self._life: _Life | None = None
        self._processes: list[
            Process
        ] = []  # the dead, too: what waits in them for ever must not be collected
        self._stores: list[TroubledStore] = []  # likewise: who was killed while it ended closed nothing
        self._wishes: set[asyncio.Task[None]] = set()

    # --- processes ------------------------------------------------------------------------------------

    async def supervise(self) -> None:
        """Start the service, and again whenever it ended."""
        while True:
            self._life = life = self._start()
            over = asyncio.create_task(life.process.over.wait())
            await asyncio.wait({life.task, over}, return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
            self._life = None
            await self._bury(life)
            await asyncio.sleep(RESTART_SECONDS * (0.1 + 0.1 * (self.restarts % 10)))

    def _start(self) -> _Life:
        self.restarts += 1
        self.record.note("the service starts")
        process = Process(self._die)
        self._processes.append(process)
        checker, clock = self.checker, self.clock
        state = self._state
        store = TroubledStore(state, checker.disk_full, process.writes)
        self._stores.append(store)
        hypervisor = TroubledHypervisor(self._libvirt, process, checker)
        host = TroubledHost(self._world, clock, self._troubles, checker, process)
        residents = TroubledResidents(
            self._world, clock, self._troubles, self._names, checker.next_look_seconds
        )
        ports = Ports(hypervisor, clock, host, residents)
        checker.journal = lambda uuid: _last_act(store, state, uuid)
        checker.process_began()
        self.reread()
        ears = Ears(self._hear, lambda _: None, tick=lambda _, __: None if process.dead else checker.ticked())
        daemon = Daemon(
            "torture:", ports, self._read, ears, store=store, notifier=_Watchdog(checker, process)
        )
        people = People(
            daemon.service,
            checker,
            clock,
            self.record,
            {spec.name: spec.maximum_bytes for spec in self._course.specs},
        )
        return _Life(process, hypervisor, daemon, people, asyncio.create_task(daemon.run([])))

    def _die(self) -> None:
        """Keep what the files hold at this moment: what the process still does is lost."""
        self.record.note("the service is killed")
        after = self._directory / f"{self.restarts + 1}"
        shutil.copytree(self._state, after)
        self._state = after

    async def _bury(self, life: _Life) -> None:
        """End what is left of a process."""
        for wish in self._wishes:
            wish.cancel()
        alive = not life.process.dead
        if alive and not life.task.done():
            self.record.note("the service ends")
        life.task.cancel()
        await asyncio.wait({life.task})
        life.process.dead = True
        self.checker.process_ended()
        error = None if life.task.cancelled() else life.task.exception()
        if alive and error is not None:  # what becomes of a dead one is nobody's business
            self.checker.fail("crash", "", repr(error))

    def _read(self) -> InForce:
        """Read the settings, as at a start or a reload."""
        if self._rules is None:
            raise UsageError("the settings are broken", hint="mend them")
        return in_force(self._rules, release_on_stop=self._course.seed % 3 == 0)

    def _hear(self, happening: Happening) -> None:
        self.record.note(f"{happening.kind.value} {happening.name} {happening.to_bytes} {happening.text}")
        if happening.kind is Kind.BROKEN:
            self.checker.fail(happening.text.partition(":")[0], happening.uuid, happening.text)

    def let_go(self) -> None:
        """Close what the dead left open."""
        for store in self._stores:
            store.let_go()

    # --- what happens ---------------------------------------------------------------------------------

    async def relay(self) -> None:
        """Have the service hear what happens to guests."""
        async for event in self._world.events():
            if event.kind is EventKind.STARTED and event.name in self._renewed:
                self._renewed.discard(event.name)
                self._names.renew(event.name)
            shown = replace(event, uuid=self._names.shown(event.uuid))
            if self._life is not None:
                self._life.hypervisor.report(shown)

    async def pass_time(self) -> None:
        """Let everything happen in its time, until the run is over."""
        calm = self._course.calm_from
        for at, _, happens in sorted(self._timeline(), key=lambda one: one[:2]):
            await asyncio.sleep(max(at - self.clock.loop_seconds(), 0.0))
            happens()
            self.checker.watch()
        self.checker.settled(self.clock.monotonic() - (self._course.seconds - calm - SETTLING_SECONDS))

    def _timeline(self) -> list[tuple[float, int, Callable[[], None]]]:
        """Return what happens, when, and in which order where at once."""
        course, found = self._course, list[tuple[float, Callable[[], None]]]()
        for trouble in course.troubles:
            found.append((trouble.at, _bound(self._begin, trouble)))
            if trouble.seconds:
                found.append((trouble.at + trouble.seconds, _bound(self._end, trouble)))
        for storm in course.storms:
            found.append((storm.at, _bound(self._storm, storm)))
            found.append((storm.at + storm.seconds + 15.0, _bound(self._after_storm, storm)))
        found += [(wish.at, _bound(self._wish, wish)) for wish in course.wishes]
        found += [(course.calm_from, self._calm), (course.seconds, lambda: None)]
        found += [(course.calm_from + at, lambda: None) for at in range(60, int(CALM_SECONDS), 60)]
        return [(at, number, happens) for number, (at, happens) in enumerate(found)]

    def _begin(self, trouble: Trouble) -> None:
        self.record.note(f"begins: {trouble.what} {trouble.guest}")
        amount, life = trouble.amount, self._life
        if trouble.what is What.SET:
            self.clock.set_by_seconds += _SET_SECONDS[int(amount * len(_SET_SECONDS))]
        elif trouble.what is What.STOPPED:
            self.clock.stopped_seconds += 5.0 + 300.0 * amount
        elif trouble.what is What.KILLED and life is not None:
            point = kill_point(trouble)
            life.process.arm(point) if point else life.process.kill()
        elif trouble.what is What.ENDED and life is not None:
            life.task.cancel()
        elif trouble.what is What.RENEWED:
            self._renewed.add(trouble.guest)
        elif trouble.what is What.SETMEM:
            self._spawn(self._setmem(trouble))
        else:
            self._troubles.begin(trouble)
        if trouble.what is What.DOWN and life is not None:
            life.hypervisor.report(Event(EventKind.LOST))

    def _end(self, trouble: Trouble) -> None:
        self._troubles.end(trouble)
        if trouble.what is What.DOWN and self._life is not None:
            self._life.hypervisor.report(Event(EventKind.RECONNECTED))

    async def _setmem(self, trouble: Trouble) -> None:
        spec = next(spec for spec in self._course.specs if spec.name == trouble.guest)
        size = pages(spec.maximum_bytes * (0.3 + 0.7 * trouble.amount))
        await self._world.resize_many({self._world.uuid(spec): size})

    def _storm(self, storm: Storm) -> None:
        self._settings(replace(self.base, interval_seconds=storm.interval_seconds))
        # That waits for a tenth of a second, and not of virtual time: one seed in eight will do.
        if self._course.seed % 8 == 0 and storm is self._course.storms[0] and self._life is not None:
            self._try_second()

    def _after_storm(self, storm: Storm) -> None:
        self._settings(replace(self.base, interval_seconds=storm.then_seconds))

    def _calm(self) -> None:
        """Let nothing more happen: troubles end, and holds."""
        self._troubles.clear()
        self._settings(replace(self.base, interval_seconds=self._course.last_interval))
        self._wish(Wish(self._course.calm_from, "resume all"))
        for spec in self._course.specs:
            self._wish(Wish(self._course.calm_from, "resume", spec.name))

    def _settings(self, rules: Rules | None) -> None:
        """Have an administrator save the file, and the service read it again."""
        self._rules = rules
        if self._life is not None:
            self._life.daemon.reload()
            if rules is not None:
                self.reread()

    def reread(self) -> None:
        """Let the checker know which settings are in force."""
        if self._rules is None:
            self._rules = self.base
        self.checker.rules = self._rules

    def _try_second(self) -> None:
        """S5: nobody else gets the state of a service that runs."""
        try:
            Store(self._state).close()
        except RefusedError:
            return
        self.checker.fail("S5", "", "a second service got the same state")

    def _wish(self, wish: Wish) -> None:
        if wish.word == "rules":
            self._settings(other_rules(self.checker.rules, wish))
        elif self._life is not None:
            self._spawn(self._life.people.want(wish))

    def _spawn(self, doing: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(doing)
        self._wishes.add(task)
        task.add_done_callback(self._wishes.discard)


def lived(task: Task) -> Result:
    """Run one seed, on virtual time, with the state in a directory of its own."""
    place = _MEMORY if _MEMORY.is_dir() else None
    gc.disable()  # some thousand objects are left in the end: looking for them takes 3 % of the time
    try:
        with tempfile.TemporaryDirectory(prefix="ballonet-torture-", dir=place) as directory:
            return virtual.run(_live(task, Path(directory)))
    finally:
        gc.enable()


async def _live(task: Task, directory: Path) -> Result:
    course = draw(task.seed, task.hours)
    run = _Run(course, directory)
    helpers = [asyncio.create_task(run.supervise()), asyncio.create_task(run.relay())]
    time = asyncio.create_task(run.pass_time())
    run.checker.on_failure = time.cancel  # more would say no more
    try:
        await asyncio.wait({time, *helpers}, return_when=asyncio.FIRST_COMPLETED)
        if not time.cancelled() and time.done():
            time.result()
        for helper in helpers:
            if helper.done() and (error := helper.exception()) is not None:
                raise error
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        run.let_go()
    return Result(
        task,
        run.checker.failure,
        run.record.digest(),
        run.record.lines,
        len(course.troubles) + sum(len(spec.incidents) for spec in course.specs),
        run.restarts,
        run.checker.done,
    )


def _bound(call: Callable[..., None], value: object) -> Callable[[], None]:
    return lambda: call(value)


def _last_act(store: Store, directory: Path, uuid: str) -> Act | None:
    """Return what the file has last of a guest, also while a service ends that has closed it."""
    try:
        records = store.acts(uuid, limit=1)
    except BallonetError:
        with closing(Store(directory)) as again:
            records = again.acts(uuid, limit=1)
    return records[-1].act if records else None
