"""`period`: how often a guest is asked for its statistics."""

import asyncio
from typing import Annotated

import typer

from ballonet.cli.arguments import ConfigOption, GuestArgument, LiveOption, no_device, scope
from ballonet.cli.connect import connect
from ballonet.cli.context import Context
from ballonet.errors import UsageError
from ballonet.show.document import document
from ballonet.show.words import period as in_words
from ballonet.units import parse_duration


def period(
    ctx: typer.Context,
    guest: GuestArgument,
    seconds: Annotated[str, typer.Argument(metavar="SECONDS", help="5 or 5s; 0: never.")],
    live: LiveOption = False,
    config: ConfigOption = False,
) -> None:
    """Set how often a guest reports its statistics: now, from its next start, or both."""
    asyncio.run(_period(ctx.obj, guest, _whole_seconds(seconds), live=live, config=config))


def _whole_seconds(text: str) -> int:
    seconds = parse_duration(text, zero=True, bare_seconds=True)
    if seconds != int(seconds):
        raise UsageError(f"period {text!r} is not a whole number of seconds", hint="the shortest is 1s")
    return int(seconds)


async def _period(context: Context, reference: str, seconds: int, *, live: bool, config: bool) -> None:
    async with connect(context) as hypervisor:
        guest = await hypervisor.guest(reference)
        live, config = scope(guest, live=live, config=config)
        if guest.device is None:
            raise no_device(guest, "there is nobody to report")
        await hypervisor.set_period(guest.uuid, seconds, live=live, config=config)
    context.show(
        table=lambda: f"{guest.name}: statistics {in_words(seconds)}{'' if live else ' from its next start'}",
        json=lambda: document(
            name=guest.name, uuid=guest.uuid, stats_period_seconds=seconds, live=live, config=config
        ),
    )
