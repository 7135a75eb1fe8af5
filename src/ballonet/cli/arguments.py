"""Arguments that several commands take, and how a shell completes a guest's name."""

import asyncio
from typing import Annotated

import typer

from ballonet.errors import BallonetError, RefusedError
from ballonet.facts.guest import Guest
from ballonet.facts.verdict import CODES, VERDICTS, spoken

COMPLETION_SECONDS = 1.0  # who presses TAB does not wait longer


def guest_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of guests that begin like this; none where the hypervisor does not answer at once."""
    from ballonet.cli.connect import connect  # noqa: PLC0415 - a shell asks for more than names of guests
    from ballonet.cli.context import DEFAULT_URIS, Context  # noqa: PLC0415

    given = ctx.find_root().params["connect"]
    uris = tuple(given or DEFAULT_URIS)
    context = Context(uris, "json", verbose=False, read_only=True, uri_given=bool(given))

    async def names() -> list[str]:
        quickly = connect(context, deadline_seconds=COMPLETION_SECONDS, missed=lambda _: None)
        async with quickly as hypervisor:
            return [guest.name for guest in await hypervisor.guests(inactive=True)]

    try:
        return [name for name in asyncio.run(names()) if name.startswith(incomplete)]
    except BallonetError:
        return []


GuestArgument = Annotated[
    str, typer.Argument(metavar="GUEST", help="Its name, UUID or id.", autocompletion=guest_names)
]
LiveOption = Annotated[bool, typer.Option("--live", help="Change the running guest.")]
ConfigOption = Annotated[bool, typer.Option("--config", help="Store it for the guest's next start.")]


def no_device(guest: Guest, consequence: str) -> RefusedError:
    """Return the refusal of what only a balloon device can do."""
    return RefusedError(
        f"guest {guest.name!r} has no balloon device: {consequence}",
        hint=spoken(VERDICTS[CODES["no-device"]], guest.name, guest.hypervisor).remedy,
    )


def scope(guest: Guest, *, live: bool, config: bool) -> tuple[bool, bool]:
    """Return what a change is for: the running guest, its next start; without either, what it is now.

    Raises RefusedError for a guest that has no such thing.
    """
    active = guest.id is not None
    if not live and not config:
        live, config = active, not active
    if live and not active:
        raise RefusedError(
            f"guest {guest.name!r} is {guest.state}",
            hint=f"start it: virsh start {guest.name}; or change its next start: --config instead of --live",
        )
    if config and guest.stored is None:
        raise RefusedError(
            f"guest {guest.name!r} has no stored configuration: it is gone when it stops",
            hint="leave --config, and change the running guest with --live",
        )
    return live, config
