"""`stats`: the balloon statistics of one guest, once or again and again."""

import asyncio
import time
from typing import Annotated

import typer

from ballonet.cli.arguments import GuestArgument
from ballonet.cli.connect import connect
from ballonet.cli.context import Context
from ballonet.errors import RefusedError
from ballonet.facts.guest import Guest
from ballonet.show.document import document
from ballonet.show.statistics import Naming, statistics_fields, statistics_table
from ballonet.units import parse_duration


def stats(
    ctx: typer.Context,
    guest: GuestArgument,
    watch: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Again and again, with what counters rise by.")
    ] = None,
    names: Annotated[Naming | None, typer.Option(help="Call them as this layer does.")] = None,
) -> None:
    """Show a guest's balloon statistics."""
    seconds = None if watch is None else parse_duration(watch, bare_seconds=True)
    asyncio.run(_stats(ctx.obj, guest, seconds, names))


async def _stats(
    context: Context, reference: str, watch_seconds: float | None, naming: Naming | None
) -> None:
    async with connect(context) as hypervisor:
        before: Guest | None = None
        while True:
            guest = await hypervisor.guest(reference)
            if guest.id is None:
                raise RefusedError(
                    f"guest {guest.name!r} is {guest.state}: it reports nothing",
                    hint=f"start it: virsh start {guest.name}",
                )
            _print(context, guest, before, naming, watching=watch_seconds is not None)
            if watch_seconds is None:
                return
            before, reference = guest, guest.uuid
            await asyncio.sleep(watch_seconds)


def _print(
    context: Context, guest: Guest, before: Guest | None, naming: Naming | None, *, watching: bool
) -> None:
    def text() -> str:
        table = statistics_table(guest, naming=naming, before=before)
        return f"{time.strftime('%H:%M:%S')} {guest.name}\n{table}\n" if watching else table

    fields = statistics_fields(guest)
    context.show(
        table=text,
        json=lambda: document(
            lines=watching, name=guest.name, uuid=guest.uuid, read_at=guest.read_at, statistics=fields
        ),
    )
