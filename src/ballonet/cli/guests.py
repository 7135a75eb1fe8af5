"""`guests` and `show`: looking at guests."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import typer

from ballonet.cli.arguments import GuestArgument
from ballonet.cli.connect import connect, warn
from ballonet.cli.context import Context, columns
from ballonet.cli.known import asks_by, known, limits_by, located
from ballonet.engine.ports import HasTroubles, ListensToAgents
from ballonet.errors import BallonetError
from ballonet.facts.guest import Guest
from ballonet.hypervisor.several import SeveralHypervisors
from ballonet.show.table import printable


def guests(
    ctx: typer.Context,
    everyone: Annotated[bool, typer.Option("-a", "--all", help="Those that are shut off, too.")] = False,
) -> None:
    """Show one row a guest: sizes, statistics, and whether it is managed or why not."""
    from ballonet.show.guest_json import guest_list  # noqa: PLC0415 - numpy, which no completion needs
    from ballonet.show.guests import guests_table  # noqa: PLC0415

    loaded = known(ctx.obj, warn)
    context, limits = located(ctx.obj, loaded), limits_by(loaded)
    found = asyncio.run(_guests(context, inactive=everyone))
    context.show(table=lambda: guests_table(found, limits), json=lambda: guest_list(found, limits))
    if not found and not everyone:
        context.remark("No guest is running; those that are shut off: ballonet guests --all")


def show(
    ctx: typer.Context,
    guest: GuestArgument,
    agent: Annotated[
        bool, typer.Option("--agent", help="Ask its guest agent, too, whatever the settings say.")
    ] = False,
) -> None:
    """Show everything known of one guest: sizes, statistics, balloon device, and what the sizes mean."""
    from ballonet.show.guest_json import one_guest  # noqa: PLC0415 - numpy, which no completion needs
    from ballonet.show.guests import guest_details  # noqa: PLC0415

    loaded = known(ctx.obj, warn)
    context, limits = located(ctx.obj, loaded), limits_by(loaded)
    found = asyncio.run(_guest(context, guest, (lambda _: True) if agent else asks_by(loaded)))
    context.show(table=lambda: guest_details(found, columns(), limits), json=lambda: one_guest(found, limits))


async def _guests(context: Context, *, inactive: bool) -> list[Guest]:
    async with connect(context) as hypervisor:
        found = await hypervisor.guests(inactive=inactive)
        troubles = hypervisor.troubles if isinstance(hypervisor, HasTroubles) else ()
    for trouble in troubles:
        warn(trouble)
    if isinstance(hypervisor, SeveralHypervisors):
        for text in hypervisor.twins:
            context.remark(printable(text))
    return [_placed(context, guest) for guest in found]


async def _guest(context: Context, reference: str, wanted: Callable[[Guest], bool]) -> Guest:
    async with connect(context) as hypervisor:
        guest = _placed(context, await hypervisor.guest(reference))
        if guest.id is None or not wanted(guest) or not isinstance(hypervisor, ListensToAgents):
            return guest
        try:
            return replace(guest, heard=await hypervisor.hear(guest.uuid))
        except BallonetError as error:
            warn(error)
            return guest


def _placed(context: Context, guest: Guest) -> Guest:
    """Return a guest with its hypervisor, which of one alone is no news."""
    return replace(guest, hypervisor=guest.hypervisor or context.uris[0])
