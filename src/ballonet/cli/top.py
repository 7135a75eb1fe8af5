"""`top`: the live view in the terminal, of a service, a simulated host or a recording."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ballonet.cli.context import Context
from ballonet.errors import BallonetError, UsageError
from ballonet.extras import remedy

if TYPE_CHECKING:
    from ballonet.show.terminal.source import Source

SIMULATED = "sim:"


def top(
    ctx: typer.Context,
    replay: Annotated[
        Path | None,
        typer.Option("--replay", metavar="FILE", help="Watch what `run --record FILE` wrote, instead."),
    ] = None,
) -> None:
    """Watch the host, its guests, what was just done and what comes next; ? shows the keys.

    It asks the service that runs here, whatever -c says. With -c sim:SCENARIO, one of those that `sim list`
    shows, it is a simulated host, which lives as fast as + and - say.
    """
    context: Context = ctx.obj
    if context.output == "json":
        raise UsageError("top draws on a terminal: it has no JSON", hint="ballonet status -o json")
    source = _source(context, replay)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("top needs a terminal", hint="ballonet status; ballonet events -f")
    try:
        from ballonet.show.terminal.app import Top  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError as error:
        raise BallonetError(f"top needs {error.name}, which is not installed", hint=remedy("top")) from error
    app = Top(source())
    app.run()
    raise typer.Exit(app.return_code or 0)


def _source(context: Context, replay: Path | None) -> "Callable[[], Source]":
    """Return what makes the source that is asked for; raises what is wrong with it."""
    simulated = [uri for uri in context.uris if uri.startswith(SIMULATED)]
    if replay is not None:
        if simulated:
            raise UsageError(f"{simulated[0]} is no recording", hint="leave -c, or --replay")
        return _recorded(context, replay)
    if simulated:
        if len(context.uris) > 1:
            raise UsageError("a simulated host is watched by itself", hint="give one -c only")
        return _simulated(context, simulated[0].removeprefix(SIMULATED))
    return _served(context)


def _served(context: Context) -> "Callable[[], Source]":
    from ballonet.service.client import Client  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Health  # noqa: PLC0415
    from ballonet.service.sources.served import Served  # noqa: PLC0415

    Client().get(Health, "/-/healthy")
    return lambda: Served(read_only=_read_only(context))


def _simulated(context: Context, name: str) -> "Callable[[], Source]":
    from ballonet.service.sources.simulated import Simulated  # noqa: PLC0415 - numpy, which no help needs
    from ballonet.simulator.scenarios import scenario  # noqa: PLC0415

    found = scenario(name)
    return lambda: Simulated(found, name, read_only=_read_only(context))


def _recorded(context: Context, path: Path) -> "Callable[[], Source]":
    from ballonet.service.sources.recorded import Recorded  # noqa: PLC0415 - numpy, which no help needs
    from ballonet.simulator.trace_file import read  # noqa: PLC0415

    trace = read(path)
    if trace.warning:
        context.remark(f"warning: {trace.warning}")
    return lambda: Recorded(trace, path)


def _read_only(context: Context) -> str:
    return "nothing is changed with --read-only" if context.read_only else ""
