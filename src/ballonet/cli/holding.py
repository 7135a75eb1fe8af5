"""`pause`, `resume` and `release`: guests left as they are, or given all memory back."""

from typing import TYPE_CHECKING, Annotated

import typer

from ballonet.cli.arguments import guest_names
from ballonet.cli.context import Context
from ballonet.errors import UsageError
from ballonet.units import parse_duration

if TYPE_CHECKING:
    from ballonet.service.models import Hold

OptionalGuest = Annotated[
    str | None, typer.Argument(metavar="[GUEST]", help="Its name, UUID or id.", autocompletion=guest_names)
]
WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="For who finds it so.")]


def pause(
    ctx: typer.Context,
    guest: OptionalGuest = None,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="DURATION", help="Go on by itself after 1h.", show_default="until resumed"
        ),
    ] = None,
    why: WhyOption = "",
) -> None:
    """Leave a guest as it is; without a guest, change nothing at all."""
    seconds = None if for_ is None else parse_duration(for_)
    from ballonet.service.client import Client, asked  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Hold, PauseAsked  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.requests import hold_sentence  # noqa: PLC0415

    context: Context = ctx.obj
    context.check_writes()
    body = asked(PauseAsked, guest=guest, for_seconds=seconds, why=why)
    held = Client().post(Hold, "/v1/pause", body)
    context.show(table=lambda: hold_sentence(held), json=lambda: answer(held))


def resume(ctx: typer.Context, guest: OptionalGuest = None) -> None:
    """Go on with a guest that was paused, set or released; without a guest, end the pause of everybody."""
    from ballonet.service.client import Client, asked  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Holds, ResumeAsked  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415

    context: Context = ctx.obj
    context.check_writes()
    ended = Client().post(Holds, "/v1/resume", asked(ResumeAsked, guest=guest))
    context.show(table=lambda: _resumed(ended.holds, guest), json=lambda: answer(ended))


def _resumed(ended: "list[Hold]", guest: str | None) -> str:
    from ballonet.show.table import printable  # noqa: PLC0415

    if not ended:
        return f"{'Everybody' if guest is None else printable(guest)} was not held."
    return "\n".join(f"{printable(hold.name or hold.uuid or 'Everybody')} is held no more." for hold in ended)


def release(
    ctx: typer.Context,
    guest: OptionalGuest = None,
    everyone: Annotated[bool, typer.Option("-a", "--all", help="All guests.")] = False,
    why: WhyOption = "",
) -> None:
    """Give a guest, or all, the memory back that was taken, as far as it is free, and hold it so."""
    if (guest is None) != everyone:
        raise UsageError("name one guest, or say --all", hint="all at once: ballonet release --all")
    from ballonet.service.client import Client, asked  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Holds, ReleaseAsked  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.requests import hold_sentence  # noqa: PLC0415

    context: Context = ctx.obj
    context.check_writes()
    body = asked(ReleaseAsked, guest=guest, all=everyone, why=why)
    released = Client().post(Holds, "/v1/release", body)
    context.show(
        table=lambda: "\n".join(map(hold_sentence, released.holds)) or "No guest is running.",
        json=lambda: answer(released),
    )
