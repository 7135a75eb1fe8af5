"""`history` and `report`: what was, and what it came to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ballonet.cli.arguments import guest_names
from ballonet.cli.context import Context, columns
from ballonet.cli.times import WHEN, when

if TYPE_CHECKING:
    from ballonet.service.models import Event

_COURSE_POINTS = 48  # characters of a line in a table
_POINTS = 1000  # of a picture, and for programs
_REPORT_SECONDS = 60.0  # a week of 100 guests takes some 4 s of a processor that others need, too
_MARKED = ("planned", "burst", "lent", "released", "asked", "rebooted")


def history(
    ctx: typer.Context,
    guest: Annotated[
        str | None,
        typer.Argument(
            metavar="GUEST",
            help="Its name, UUID or id, also of one that is gone; without it the host.",
            autocompletion=guest_names,
        ),
    ] = None,
    since: Annotated[
        str, typer.Option(metavar=WHEN, help="So long ago: 1h, 7d; or since 2026-07-01T12:00.")
    ] = "1h",
    until: Annotated[
        str | None, typer.Option(metavar=WHEN, help="The same, for the end.", show_default="now")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it: *.svg or *.png.", show_default=False)
    ] = None,
) -> None:
    """Show what a guest, or the host, had over time: sizes, need, and what was swapped.

    -o csv is for spreadsheets: a line a step, integer bytes, empty where nothing is known.
    """
    from ballonet.service.client import Client, guest_path  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import GuestHistory, HostHistory  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.history import history_csv, history_text  # noqa: PLC0415

    context: Context = ctx.obj
    people = plot is None and context.output == "table"
    query: dict[str, Any] = {"since": when(since), "until": None if until is None else when(until)}
    span = {**query, "points": _COURSE_POINTS if people else _POINTS}
    found: GuestHistory | HostHistory
    if guest is None:
        found = Client().get(HostHistory, "/v1/history", span)
    else:
        found = Client().get(GuestHistory, guest_path(guest, "history"), span)
    if plot is not None:
        from ballonet.show.history_plot import plot_history  # noqa: PLC0415 - matplotlib, if wanted

        plot_history(plot, found, _marks(query, guest) if guest is not None else [])
        context.remark(f"Drawn: {plot}")
    elif context.output == "csv":
        typer.echo(history_csv(found))
    else:
        context.show(table=lambda: history_text(found), json=lambda: answer(found))


def _marks(query: dict[str, Any], guest: str) -> "list[Event]":
    """Return the changes of a guest, for a picture."""
    from ballonet.service.client import Client  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Events  # noqa: PLC0415

    return Client().get(Events, "/v1/events", {**query, "guest": guest, "kind": _MARKED}).events


def report(
    ctx: typer.Context,
    since: Annotated[
        str, typer.Option(metavar=WHEN, help="So long ago: 24h, 7d; or since 2026-07-01T12:00.")
    ] = "24h",
) -> None:
    """Show what it came to: memory given back, what that cost, and what could be set better."""
    from ballonet.service.client import Client  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Report  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.report import report_text  # noqa: PLC0415

    context: Context = ctx.obj
    found = Client().get(Report, "/v1/report", {"since": when(since)}, wait_seconds=_REPORT_SECONDS)
    context.show(table=lambda: report_text(found, columns()), json=lambda: answer(found))
