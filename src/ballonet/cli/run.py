"""`run`: balancing, in the foreground or under systemd."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import typer

from ballonet.cli import run_options
from ballonet.cli.connect import connect, processes_of
from ballonet.cli.context import Context
from ballonet.cli.log import Log, log_to
from ballonet.cli.record import Recording, recording
from ballonet.cli.settings import settings_of
from ballonet.cli.signals import end_in_order
from ballonet.config.law import law
from ballonet.config.limits import FileLimits
from ballonet.config.load import Loaded
from ballonet.config.model import OFF, ServiceSettings
from ballonet.engine.clock import SystemClock
from ballonet.engine.engine import Engine, World
from ballonet.errors import BallonetError, JournalError, UsageError
from ballonet.facts.address import Address, read_address
from ballonet.facts.plan import Plan
from ballonet.facts.uri import check_uris, host_of
from ballonet.host.memory import LinuxHost
from ballonet.host.residents import ProcessResidents
from ballonet.service.claim import Claim
from ballonet.service.daemon import Daemon, Ears, Rules, listen, open_web
from ballonet.service.history_file import Bounds, HistoryFile
from ballonet.service.lock import LOCK_FILE, holder
from ballonet.service.notify import Notifier
from ballonet.service.place import usable
from ballonet.service.store import Store
from ballonet.show.summary import summary_text
from ballonet.simulator.trace import traced
from ballonet.units import format_size, parse_duration

if TYPE_CHECKING:
    from ballonet.service.server import Server
    from ballonet.service.web import WebServer

File = TypeVar("File", Store, HistoryFile)


def run(
    ctx: typer.Context,
    enforce: run_options.Enforce = None,
    budget: run_options.Budget = None,
    reserve: run_options.Reserve = None,
    floor: run_options.Floor = None,
    allow_swap: run_options.AllowSwap = None,
    interval: run_options.Interval = None,
    for_: run_options.For = None,
    record: run_options.Record = None,
    socket: run_options.Socket = None,
    state: run_options.State = None,
    socket_group: run_options.SocketGroup = None,
    web: run_options.Web = None,
    compat_metrics: run_options.CompatMetrics = None,
    boot_grace: run_options.BootGrace = "2m",
    no_reflex: run_options.NoReflex = False,
    log_: run_options.LogTo = "auto",
) -> None:
    """Balance the guests' memory until Ctrl-C: a line an action with its reason, and a summary."""
    seconds = None if for_ is None else parse_duration(for_)
    grace_seconds = parse_duration(boot_grace, zero=True)
    mode = None if enforce is None else ("enforce" if enforce else "observe")
    options = {
        "--enforce" if enforce else "--observe": ("service.mode", mode),
        "--budget": ("host.budget", budget),
        "--reserve": ("host.reserve", reserve),
        "--allow-swap": ("host.allow_swap", allow_swap),
        "--interval": ("service.interval", interval),
        "--web": ("service.web", web),
        "--compat-libvirt-metrics": ("service.compat_metrics", compat_metrics),
        "--floor": ("guest.default.floor", floor),
    }
    context: Context = ctx.obj
    log = log_to(log_, context)

    def read() -> tuple[Loaded, Rules]:
        loaded = settings_of(context, options)
        numbers = law(loaded, LinuxHost().memory())
        service = loaded.settings.service
        limits = FileLimits(loaded, lambda issue: log.word(issue.text, issue.hint))
        return loaded, Rules(
            replace(numbers, boot_grace_seconds=grace_seconds, reflex=not no_reflex),
            limits,
            asks=limits.asks,
            enforce=service.mode == "enforce",
            release_on_stop=service.on_stop == "release",
            compat_metrics=service.compat_metrics,
        )

    loaded, _ = read()
    ours = loaded.settings.service
    if not context.uri_given:
        context = replace(context, uris=ours.uri, uri_given=True)
    _check_one_host(context.uris)
    state = state or _given_by_systemd() or _usual_state(ours, log)
    places = _Places.of(ours, socket, socket_group, state)
    asyncio.run(_run(context, lambda: read()[1], places, log, seconds=seconds, record=record))


def _check_one_host(uris: Sequence[str]) -> None:
    """Raise UsageError for hypervisors that cannot share a budget."""
    check_uris(uris)
    hosts = {host_of(uri): uri for uri in uris}
    if len(hosts) > 1:
        one, other, *_ = hosts.values()
        raise UsageError(
            f"{one} and {other} are on different hosts, which share no memory",
            hint="run one ballonet on each host",
        )


@dataclass(frozen=True, slots=True)
class _Places:
    """Where to answer, and whom, and where to remember; without a path nobody, and nowhere."""

    socket: Path | None
    group: str | None
    state: Path | None
    retention_seconds: float
    history: Bounds
    web: Address | None = None

    @classmethod
    def of(cls, ours: ServiceSettings, socket: Path | None, group: str | None, state: Path | None) -> Self:
        """Return those given, and else the socket of the settings where that can be had."""
        usual_socket = Path(ours.socket)
        return cls(
            socket or (usual_socket if usable(usual_socket.parent) else None),
            group,
            state,
            retention_seconds=float(ours.event_retention),
            web=None if ours.web == OFF else read_address(ours.web),
            history=Bounds(float(ours.history_fine), float(ours.history), int(ours.history_size)),
        )

    @property
    def token_directory(self) -> Path | None:
        """Return where the web's token is kept: with what outlives the service, or else beside the socket."""
        return self.state or (self.socket and self.socket.parent)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is written down; None: it is not."""

    store: Store | None
    history: HistoryFile | None
    trace: Recording | None


def _given_by_systemd() -> Path | None:
    """Return the first of the directories that a unit's StateDirectory= names."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(given) if given else None


def _usual_state(ours: ServiceSettings, log: Log) -> Path | None:
    """Return the directory of the settings, where it can be had.

    Who only looks on goes without where another ballonet has it, as the service of the package does.
    """
    usual = Path(ours.state_directory)
    if not usable(usual):
        return None
    other = holder(usual / LOCK_FILE)
    if other is None or ours.mode == "enforce":
        return usual
    log.word(f"nothing is remembered: another ballonet{other} has its state in {usual}")
    return None


async def _run(
    context: Context,
    read: Callable[[], Rules],
    places: _Places,
    log: Log,
    *,
    seconds: float | None,
    record: Path | None,
) -> None:
    """Run, record and remember: files end while signals only wait, as a second Ctrl-C would break them."""
    with (
        recording(record) as trace,
        _remembering(places, log) as store,
        _history(places, store, log) as history,
    ):
        kept = _Kept(store, history, trace)
        if places.state is not None and store is None:
            await _balance(context, lambda: replace(read(), enforce=False), places, kept, log, seconds)
        else:
            await _balance(context, read, places, kept, log, seconds)


@contextmanager
def _opened(make: Callable[[], File], log: Log, *, damaged: str, otherwise: str) -> Iterator[File | None]:
    """Open what is written down, and close it in the end; None where it cannot be, which ends nothing."""
    file = None
    try:
        file = make()
    except JournalError as error:
        log.word(f"{error.message}: {otherwise}", error.hint)
    with closing(file) if file is not None else nullcontext():
        if file is not None and file.damaged is not None:
            log.word(f"{damaged}; it is kept as {file.damaged}")
        yield file


def _remembering(places: _Places, log: Log) -> AbstractContextManager[Store | None]:
    """Return the store, to be opened; None where there is none, or it cannot be written."""
    state = places.state
    if state is None:
        return nullcontext()
    return _opened(
        lambda: Store(state, retention_seconds=places.retention_seconds),
        log,
        damaged="what was remembered was damaged",
        otherwise="guests are only observed",
    )


def _history(places: _Places, store: Store | None, log: Log) -> AbstractContextManager[HistoryFile | None]:
    """Return the history beside the store, to be opened; None where none is kept, or it cannot be."""
    state = places.state
    if state is None or store is None:
        return nullcontext()
    return _opened(
        lambda: HistoryFile(state, places.history),
        log,
        damaged="history was damaged",
        otherwise="only the last minutes of history are known",
    )


async def _balance(
    context: Context,
    read: Callable[[], Rules],
    places: _Places,
    kept: _Kept,
    log: Log,
    seconds: float | None,
) -> None:
    """Run until the time is over or somebody ends it; print a line an action and a summary."""
    async with connect(context, missed=log.failure) as hypervisor:
        facts = await hypervisor.facts()
        world = World(
            hypervisor,
            SystemClock(),
            LinuxHost() if facts.local else None,
            ProcessResidents(known=processes_of(hypervisor)) if facts.local else None,
        )
        begun = world.clock.monotonic()
        epoch = world.clock.time() - begun

        def keep(plan: Plan, engine: Engine) -> None:
            if kept.trace is not None:
                kept.trace.take(traced(plan, engine.told, epoch))

        ears = Ears(log.happening, log.word, keep, log.failure)
        claim = Claim(context.uris)
        daemon = Daemon(
            facts.uri,
            world,
            read,
            ears,
            store=kept.store,
            notifier=Notifier(),
            claim=claim,
            history=kept.history,
        )
        enforces, numbers = daemon.engine.enforces, daemon.engine.settings
        log.remark(
            f"{'Balancing' if enforces else 'Observing'} the guests of {' and '.join(context.uris)}: "
            f"budget {format_size(numbers.budget_bytes)}, reserve {format_size(numbers.reserve_bytes)}."
        )
        servers = await _listening(daemon, places, log)
        task = asyncio.create_task(daemon.run(servers, seconds=seconds))
        end_in_order(task, daemon.reload)
        await asyncio.gather(task, return_exceptions=True)
        ran_seconds = world.clock.monotonic() - begun
        log.summary(summary_text(daemon.engine.summary, ran_seconds, enforced=enforces))
        if not task.cancelled():
            task.result()


async def _listening(daemon: Daemon, places: _Places, log: Log) -> "list[Server | WebServer]":
    """Return the servers that answer."""
    servers: list[Server | WebServer] = []
    if places.socket is not None:
        with _going_on("nobody is answered", log):
            servers.append(await listen(daemon.service, places.socket, group=places.group))
            log.remark(f"Answering on {places.socket}: ballonet status.")
    if places.web is not None:
        with _going_on("nobody is answered over TCP", log):
            web = await open_web(daemon.service, places.web, places.token_directory, group=places.group)
            servers.append(web)
            log.remark(f"Answering on http://{web.address}/: changes need what ballonet token prints.")
    return servers


@contextmanager
def _going_on(without: str, log: Log) -> Iterator[None]:
    """Where something cannot be had, say so and go on without."""
    try:
        yield
    except BallonetError as error:
        log.word(f"{without}: {error.message}", error.hint)
