"""`set` and `set-max`: changing a guest's size by hand, within the same limits as the service."""

import asyncio
from typing import Annotated

import typer

from ballonet.cli.arguments import ConfigOption, GuestArgument, LiveOption, no_device, scope
from ballonet.cli.connect import connect
from ballonet.cli.context import Context
from ballonet.engine.ports import Hypervisor
from ballonet.errors import RefusedError, UsageError
from ballonet.facts.guest import Guest
from ballonet.service.place import socket_path
from ballonet.show.document import document
from ballonet.show.table import printable
from ballonet.show.words import size as in_words
from ballonet.units import MIB, exact_size, format_duration, parse_duration, parse_size

SizeArgument = Annotated[str, typer.Argument(metavar="SIZE", help="1500M, 1.5GiB, 2GB, ...")]


def set_size(
    ctx: typer.Context,
    guest: GuestArgument,
    size: SizeArgument,
    live: LiveOption = False,
    config: ConfigOption = False,
    wait: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Follow it until it is reached: 30s.")
    ] = None,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="DURATION", help="Have the service that runs keep it so for this long: 10m."
        ),
    ] = None,
) -> None:
    """Grow or shrink a guest: now, from its next start, or both; without either, whichever it is in."""
    size_bytes = parse_size(size)
    wait_seconds = None if wait is None else parse_duration(wait)
    if for_ is not None:
        if config:
            raise UsageError("a next start has no time to last", hint="leave --config, or --for")
        asyncio.run(_set_for(ctx.obj, guest, size_bytes, wait_seconds, parse_duration(for_)))
        return
    asyncio.run(_set_size(ctx.obj, guest, size_bytes, wait_seconds, live=live, config=config))


def set_maximum(
    ctx: typer.Context, guest: GuestArgument, size: SizeArgument, config: ConfigOption = False
) -> None:
    """Set what a guest gets at most, from its next start; a running guest keeps its own."""
    size_bytes = parse_size(size)
    asyncio.run(_set_maximum(ctx.obj, guest, size_bytes, config=config))


async def _set_size(
    context: Context, reference: str, size_bytes: int, wait_seconds: float | None, *, live: bool, config: bool
) -> None:
    async with connect(context) as hypervisor:
        guest = await hypervisor.guest(reference)
        live, config = scope(guest, live=live, config=config)
        if wait_seconds is not None and not live:
            raise UsageError(
                f"there is nothing to wait for: guest {guest.name!r} changes at its next start",
                hint="leave --wait",
            )
        check_size(guest, size_bytes, live=live, config=config)
        await hypervisor.resize(guest.uuid, size_bytes, live=live, config=config)
        if live:
            _warn_of_service(context, guest, size_bytes)
        if wait_seconds is None:
            _say_set(context, guest, size_bytes, None, live=live, config=config)
        else:
            seconds = await _follow(context, hypervisor, guest, size_bytes, wait_seconds)
            _say_set(context, guest, size_bytes, seconds, live=live, config=config)


async def _set_for(
    context: Context, reference: str, size_bytes: int, wait_seconds: float | None, for_seconds: float
) -> None:
    """Have the service set a guest and hold it so; the hypervisor is asked only how far it came."""
    from ballonet.cli.by_service import set_for  # noqa: PLC0415 - pydantic, only for who asks the service
    from ballonet.show.requests import hold_sentence  # noqa: PLC0415

    context.check_writes()
    seconds = None
    if wait_seconds is None:
        hold = set_for(reference, size_bytes, for_seconds)
    else:
        async with connect(context) as hypervisor:
            guest = await hypervisor.guest(reference)
            hold = set_for(guest.uuid, size_bytes, for_seconds)
            seconds = await _follow(context, hypervisor, guest, size_bytes, wait_seconds)
    reached = "" if seconds is None else f", reached after {format_duration(seconds)}"
    context.show(
        table=lambda: hold_sentence(hold) + reached,
        json=lambda: document(**hold.model_dump(mode="json"), reached_after_seconds=seconds),
    )


def _warn_of_service(context: Context, guest: Guest, size_bytes: int) -> None:
    """Say when a service runs that would undo a change by hand."""
    if not socket_path().exists():
        return
    from ballonet.cli.by_service import would_undo  # noqa: PLC0415 - pydantic, only where a service runs

    if would_undo(guest.uuid):
        keep = f"ballonet set {guest.name} {exact_size(size_bytes)} --for 10m"
        context.remark(
            printable(f"The service that runs here will size it anew in a minute; to keep it: {keep}")
        )


async def _follow(
    context: Context, hypervisor: Hypervisor, guest: Guest, size_bytes: int, wait_seconds: float
) -> float:
    """Show a progress bar until the size is reached, and return the seconds that it took."""
    from ballonet.cli.follow import follow  # noqa: PLC0415 - rich, only for who waits
    from ballonet.show.progress import Progress  # noqa: PLC0415

    with Progress(guest.name, guest.actual_bytes, size_bytes, shown=context.output == "table") as progress:
        return await follow(hypervisor, guest, size_bytes, wait_seconds, progress.advance)


def _say_set(
    context: Context, guest: Guest, size_bytes: int, seconds: float | None, *, live: bool, config: bool
) -> None:
    way = "grow" if size_bytes > (guest.actual_bytes or 0) else "shrink"
    if not live:
        text = f"{guest.name}: {in_words(size_bytes)} from its next start"
    elif seconds is None:
        text = f"{guest.name}: asked to {way} from {in_words(guest.actual_bytes)} to {in_words(size_bytes)}"
    else:
        text = f"{guest.name}: {in_words(size_bytes)} reached after {format_duration(seconds)}"
    context.show(
        table=lambda: text + (", also from its next start" if live and config else ""),
        json=lambda: document(
            name=guest.name,
            uuid=guest.uuid,
            actual_before_bytes=guest.actual_bytes,
            requested_bytes=size_bytes,
            live=live,
            config=config,
            reached_after_seconds=seconds,
        ),
    )


def check_size(guest: Guest, size_bytes: int, *, live: bool, config: bool) -> None:
    """Raise RefusedError for a size that would break the guest, or that cannot be had."""
    if live:
        _check_live(guest, size_bytes)
        _check_limits(guest, size_bytes, guest.maximum_bytes)
    if config and guest.stored:
        _check_limits(guest, size_bytes, guest.stored.maximum_bytes)


def _check_live(guest: Guest, size_bytes: int) -> None:
    if guest.device is None:
        raise no_device(guest, "its size cannot change while it runs")
    if guest.job:
        raise RefusedError(
            f"guest {guest.name!r} is held by a job ({guest.job})", hint="try again when it ended"
        )
    if guest.obstacles and guest.actual_bytes is not None and size_bytes < guest.actual_bytes:
        obstacles = ", ".join(sorted(guest.obstacles))
        raise RefusedError(
            f"guest {guest.name!r} would lose memory and the host gain none ({obstacles})",
            hint=f"why, and what to do: ballonet doctor {guest.name}",
        )


def _check_limits(guest: Guest, size_bytes: int, maximum_bytes: int | None) -> None:
    from ballonet.policy.floors import hard_floor_bytes  # noqa: PLC0415 - numpy, which no completion needs

    if maximum_bytes is None:
        return
    asked, name = exact_size(size_bytes), repr(guest.name)
    if size_bytes > maximum_bytes:
        raise RefusedError(
            f"{asked} is above the maximum of guest {name}, {exact_size(maximum_bytes)}",
            hint=f"raise the maximum for its next start: ballonet set-max {guest.name} SIZE --config",
        )
    least = hard_floor_bytes(maximum_bytes)
    if size_bytes < least:
        raise RefusedError(
            f"{asked} is below the hard floor of guest {name}: its kernel could not live on it",
            hint=f"the least that it can be given is {exact_size(-(-least // MIB) * MIB)}",
        )


async def _set_maximum(context: Context, reference: str, size_bytes: int, *, config: bool) -> None:
    async with connect(context) as hypervisor:
        guest = await hypervisor.guest(reference)
        if guest.id is not None and guest.stored is None:
            raise RefusedError(
                f"guest {guest.name!r} is stored nowhere: its maximum is what it was started with",
                hint="end it, and start it with another: QEMU's option -m, or <memory> in its XML",
            )
        if guest.id is not None and not config:
            raise RefusedError(
                f"guest {guest.name!r} is {guest.state}: its maximum cannot change before its next start",
                hint=f"ballonet set-max {guest.name} {exact_size(size_bytes)} --config, "
                f"then shut it down and start it again",
            )
        scope(guest, live=False, config=True)
        await hypervisor.set_maximum(guest.uuid, size_bytes)
    still = f"; it runs on with {in_words(guest.maximum_bytes)} at most" if guest.id is not None else ""
    context.show(
        table=lambda: f"{guest.name}: {in_words(size_bytes)} at most from its next start{still}",
        json=lambda: document(name=guest.name, uuid=guest.uuid, maximum_bytes=size_bytes, config=True),
    )
