"""`run`: balancing, in the foreground."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ballonet.cli.connect import connect
from ballonet.cli.context import Context
from ballonet.cli.record import Recording, recording
from ballonet.engine.budget import budget_bytes
from ballonet.engine.clock import SystemClock
from ballonet.engine.engine import Engine, World
from ballonet.engine.limits import one_floor
from ballonet.errors import BallonetError, HypervisorError
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
from ballonet.simulator.trace import traced
from ballonet.units import format_size, parse_duration, parse_size

if TYPE_CHECKING:
    from ballonet.service.server import Server


def run(
    ctx: typer.Context,
    enforce: Annotated[
        bool, typer.Option("--enforce", help="Resize guests; without it, only say what would be done.")
    ] = False,
    budget: Annotated[
        str, typer.Option(metavar="SIZE", help="What all guests together may hold: 12GiB, 90%.")
    ] = "90%",
    reserve: Annotated[
        str, typer.Option(metavar="SIZE", help="Host memory that is never handed out.")
    ] = "1GiB",
    floor: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="No guest gets smaller than this.",
            show_default="25% of its maximum, 256MiB at least",
        ),
    ] = None,
    allow_swap: Annotated[
        bool,
        typer.Option(
            "--allow-swap",
            help="Where needs exceed the budget, shrink guests into their swap rather than exceed it.",
        ),
    ] = False,
    interval: Annotated[str, typer.Option(metavar="DURATION", help="Time between two decisions.")] = "2s",
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
    floor_bytes = None if floor is None else parse_size(floor)
    settings = Settings(
        budget_bytes=budget_bytes(budget, LinuxHost().memory()),
        reserve_bytes=parse_size(reserve, zero=True),
        interval_seconds=parse_duration(interval),
        boot_grace_seconds=parse_duration(boot_grace, zero=True),
        reflex=not no_reflex,
        allow_swap=allow_swap,
    )
    place = _Socket(socket or usual_socket(), socket_group)
    asyncio.run(
        _recorded(
            ctx.obj,
            settings,
            place,
            enforce=enforce,
            floor_bytes=floor_bytes,
            seconds=seconds,
            record=record,
        )
    )


class _Socket(NamedTuple):
    """Where to answer, and whom; without a path nobody."""

    path: Path | None
    group: str | None


async def _recorded(
    context: Context,
    settings: Settings,
    place: _Socket,
    *,
    enforce: bool,
    floor_bytes: int | None,
    seconds: float | None,
    record: Path | None,
) -> None:
    """Run and record: the file is ended while signals only wait, as an impatient Ctrl-C would break it."""
    with recording(record) as trace:
        await _balance(
            context, settings, place, enforce=enforce, floor_bytes=floor_bytes, seconds=seconds, trace=trace
        )


async def _balance(
    context: Context,
    settings: Settings,
    place: _Socket,
    *,
    enforce: bool,
    floor_bytes: int | None,
    seconds: float | None,
    trace: Recording | None,
) -> None:
    """Run until the time is over or somebody ends it; print a line an action and a summary."""
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

        engine = Engine(world, settings, tell, enforce=enforce, limits=one_floor(floor_bytes))
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
