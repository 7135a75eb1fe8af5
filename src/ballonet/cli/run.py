"""`run`: balancing, in the foreground."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ballonet.cli.connect import connect
from ballonet.cli.context import Context
from ballonet.cli.record import Recording, recording
from ballonet.cli.settings import settings_of
from ballonet.config.law import law
from ballonet.config.limits import FileLimits
from ballonet.config.load import Loaded
from ballonet.engine.clock import SystemClock
from ballonet.engine.engine import Engine, World
from ballonet.errors import BallonetError, HypervisorError, Issue
from ballonet.facts.happening import Happening
from ballonet.facts.plan import Plan
from ballonet.host.memory import LinuxHost
from ballonet.host.residents import ProcessResidents
from ballonet.policy.settings import Settings
from ballonet.service.daemon import listen, serve
from ballonet.service.facade import Connection, Service
from ballonet.service.place import usual_socket
from ballonet.service.recent import Recent
from ballonet.show.reasons import line
from ballonet.show.summary import summary_text
from ballonet.show.table import printable
from ballonet.simulator.trace import traced
from ballonet.units import format_size, parse_duration

if TYPE_CHECKING:
    from ballonet.service.server import Server


def run(
    ctx: typer.Context,
    enforce: Annotated[
        bool | None,
        typer.Option(
            "--enforce/--observe",
            help="Resize guests, or only say what would be done.",
            show_default="settings, else observe",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="What all guests together may hold: 12GiB, 90%, auto.",
            show_default="settings, else 90%",
        ),
    ] = None,
    reserve: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Host memory that is never handed out.",
            show_default="settings, else 1GiB",
        ),
    ] = None,
    floor: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="The least that guests keep for which the settings have no other floor.",
            show_default="settings, else 25% of its maximum, 256MiB at least",
        ),
    ] = None,
    allow_swap: Annotated[
        bool | None,
        typer.Option(
            "--allow-swap/--no-allow-swap",
            help="Where needs exceed the budget, shrink guests into their swap rather than exceed it.",
            show_default="settings, else no",
        ),
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Time between two decisions.", show_default="settings, else 2s"
        ),
    ] = None,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="End after this long.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            metavar="FILE",
            help="Write all that is seen and sent to a new file, too: for `sim replay`. CSV, or *.parquet.",
        ),
    ] = None,
    socket: Annotated[
        Path | None,
        typer.Option(
            "--socket",
            metavar="PATH",
            envvar="BALLONET_SOCKET",
            help="Answer `ballonet status` and the like there.",
            show_default="/run/ballonet/ballonet.sock, where it can be made",
        ),
    ] = None,
    socket_group: Annotated[
        str | None,
        typer.Option(
            "--socket-group",
            metavar="NAME",
            help="Whose members may ask and have things done.",
            show_default="the group that this runs as",
        ),
    ] = None,
    boot_grace: Annotated[str, typer.Option(hidden=True)] = "2m",
    no_reflex: Annotated[bool, typer.Option("--no-reflex", hidden=True)] = False,
) -> None:
    """Balance the guests' memory until Ctrl-C: a line an action with its reason, and a summary."""
    seconds = None if for_ is None else parse_duration(for_)
    mode = None if enforce is None else ("enforce" if enforce else "observe")
    loaded = settings_of(
        ctx.obj,
        {
            "--enforce" if enforce else "--observe": ("service.mode", mode),
            "--budget": ("host.budget", budget),
            "--reserve": ("host.reserve", reserve),
            "--allow-swap": ("host.allow_swap", allow_swap),
            "--interval": ("service.interval", interval),
            "--floor": ("guest.default.floor", floor),
        },
    )
    settings = replace(
        law(loaded, LinuxHost().memory()),
        boot_grace_seconds=parse_duration(boot_grace, zero=True),
        reflex=not no_reflex,
    )
    context: Context = ctx.obj
    if not context.uri_given:
        context = replace(context, uri=loaded.settings.service.uri)
    place = _Socket(socket or usual_socket(), socket_group)
    asyncio.run(_recorded(context, settings, loaded, place, seconds=seconds, record=record))


class _Socket(NamedTuple):
    """Where to answer, and whom; without a path nobody."""

    path: Path | None
    group: str | None


async def _recorded(
    context: Context,
    settings: Settings,
    loaded: Loaded,
    place: _Socket,
    *,
    seconds: float | None,
    record: Path | None,
) -> None:
    """Run and record: the file is ended while signals only wait, as an impatient Ctrl-C would break it."""
    with recording(record) as trace:
        await _balance(context, settings, loaded, place, seconds=seconds, trace=trace)


async def _balance(
    context: Context,
    settings: Settings,
    loaded: Loaded,
    place: _Socket,
    *,
    seconds: float | None,
    trace: Recording | None,
) -> None:
    """Run until the time is over or somebody ends it; print a line an action and a summary."""
    enforce = loaded.settings.service.mode == "enforce"
    async with connect(context) as hypervisor:
        facts = await hypervisor.facts()
        world = World(
            hypervisor,
            SystemClock(),
            LinuxHost() if facts.local else None,
            ProcessResidents() if facts.local else None,
        )
        log = Recent()

        def tell(happening: Happening) -> None:
            typer.echo(line(happening))
            log.tell(happening)

        engine = Engine(world, settings, tell, enforce=enforce, limits=FileLimits(loaded, _note))
        service = Service([Connection(facts.uri, hypervisor, engine)], log)
        context.remark(
            f"{'Balancing' if enforce else 'Observing'} the guests of {facts.uri}: "
            f"budget {format_size(settings.budget_bytes)}, reserve {format_size(settings.reserve_bytes)}."
        )
        server = await _listening(context, service, place)
        begun = world.clock.monotonic()
        epoch = world.clock.time() - begun

        def keep(plan: Plan) -> None:
            if trace is not None:
                trace.take(traced(plan, engine.told, epoch))

        task = asyncio.create_task(
            serve(engine, world, service, server, seconds=seconds, after_tick=keep, on_failure=_report)
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        await asyncio.gather(task, return_exceptions=True)
        ran_seconds = world.clock.monotonic() - begun
        typer.echo(f"\n{summary_text(engine.summary, ran_seconds, enforced=enforce)}")
        if not task.cancelled():
            task.result()


async def _listening(context: Context, service: Service, place: _Socket) -> "Server | None":
    """Return a server that answers; where that cannot be, say so and go on without."""
    if place.path is None:
        return None
    try:
        server = await listen(service, place.path, group=place.group)
    except BallonetError as error:
        typer.echo(f"ballonet: nobody is answered: {error.message}", err=True)
        return None
    context.remark(f"Answering on {place.path}: ballonet status.")
    return server


def _report(error: HypervisorError) -> None:
    typer.echo(f"ballonet: {error.message}", err=True)
    if error.hint:
        typer.echo(f"hint: {error.hint}", err=True)


def _note(issue: Issue) -> None:
    """Say what a guest's metadata ask for in vain; they are text from elsewhere."""
    typer.echo(f"ballonet: {printable(issue.text)}", err=True)
    typer.echo(f"hint: {printable(issue.hint)}", err=True)
