"""`events`: what the service did, and what it saw."""

from typing import Annotated

import typer

from ballonet.cli.arguments import guest_names
from ballonet.cli.context import Context
from ballonet.cli.times import WHEN, when

LAST_LINES = 10  # of what was before, for who follows


def events(
    ctx: typer.Context,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as things happen.")] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar=WHEN, help="Only of the last 1h, or since 2026-07-01T12:00."),
    ] = None,
    guest: Annotated[
        str | None,
        typer.Option(metavar="GUEST", help="Only of this guest.", autocompletion=guest_names),
    ] = None,
) -> None:
    """Show what happened: each change with its reason, guests that came and went, what people asked for."""
    from ballonet.service.client import Client  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Events  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.events import event_line  # noqa: PLC0415

    context: Context = ctx.obj
    query = {"guest": guest, "since": None if since is None else when(since)}
    if follow:
        for event in Client().follow({**query, "limit": LAST_LINES if since is None else None}):
            typer.echo(answer(event, lines=True) if context.output == "json" else event_line(event))
        return
    found = Client().get(Events, "/v1/events", query)
    if context.output == "json":
        typer.echo(answer(found))
        return
    for event in found.events:
        typer.echo(event_line(event))
    if not found.events:
        context.remark("Nothing happened.")
