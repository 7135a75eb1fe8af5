"""`make-room` and `room`: host memory kept free for guests to come."""

from typing import Annotated

import typer

from ballonet.cli.context import Context
from ballonet.cli.resize import SizeArgument
from ballonet.units import parse_duration, parse_size

app = typer.Typer(help="See and end what is kept free for guests to come.", add_completion=False)


def make_room(
    ctx: typer.Context,
    size: SizeArgument,
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="Wait at most so long.")] = "30s",
    hold: Annotated[str, typer.Option(metavar="DURATION", help="Keep it so long for the guest.")] = "5m",
    guest: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="For this guest only.", show_default="whoever starts next"),
    ] = None,
) -> None:
    """Free host memory for a guest about to start, and keep it free until then; print the lease's id."""
    size_bytes, timeout_seconds = parse_size(size), parse_duration(timeout)
    hold_seconds = parse_duration(hold)
    from ballonet.service.client import Client, asked  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Lease, RoomAsked  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.requests import lease_sentence  # noqa: PLC0415

    context: Context = ctx.obj
    context.check_writes()
    body = asked(
        RoomAsked,
        size_bytes=size_bytes,
        timeout_seconds=timeout_seconds,
        hold_seconds=hold_seconds,
        guest=guest,
    )
    try:
        lease = Client().post(Lease, "/v1/room", body, wait_seconds=timeout_seconds)
    except KeyboardInterrupt:
        # The service gives up what it has begun when the connection ends, however this process does.
        typer.echo("ballonet: interrupted: nothing is kept free", err=True)
        raise
    context.show(table=lambda: lease.id, json=lambda: answer(lease))
    context.remark(lease_sentence(lease))


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Show what is kept free, for whom and until when, and how much more could be."""
    from ballonet.service.client import Client  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Room  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.requests import room_text  # noqa: PLC0415

    context: Context = ctx.obj
    room = Client().get(Room, "/v1/room")
    context.show(table=lambda: room_text(room), json=lambda: answer(room))


@app.command()
def drop(
    ctx: typer.Context,
    lease_id: Annotated[str, typer.Argument(metavar="ID", help="As make-room and `room list` print it.")],
) -> None:
    """Keep this memory free no longer."""
    from ballonet.service.client import Client, lease_path  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Lease  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.words import size  # noqa: PLC0415

    context: Context = ctx.obj
    context.check_writes()
    lease = Client().delete(Lease, lease_path(lease_id))
    context.show(
        table=lambda: f"{lease.id}: {size(lease.size_bytes)} are kept free no longer.",
        json=lambda: answer(lease),
    )
