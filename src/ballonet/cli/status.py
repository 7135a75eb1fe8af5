"""`status`, `plan` and `why`: what the service is doing, decided last, and did to one guest and why."""

import typer

from ballonet.cli.arguments import GuestArgument
from ballonet.cli.context import Context, columns


def status(ctx: typer.Context) -> None:
    """Show what the service is doing: mode, budget, guests, holds, and what is kept free."""
    from ballonet.service.client import Client  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Status  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.status import status_text  # noqa: PLC0415

    context: Context = ctx.obj
    found = Client().get(Status, "/v1/status")
    context.show(table=lambda: status_text(found, columns()), json=lambda: answer(found))


def plan(ctx: typer.Context) -> None:
    """Show the last decision: each guest's next size, what it gets of each tier, and why."""
    from ballonet.service.client import Client  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Plan  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.plan import plan_text  # noqa: PLC0415

    context: Context = ctx.obj
    found = Client().get(Plan, "/v1/plan")
    context.show(table=lambda: plan_text(found), json=lambda: answer(found))


def why(ctx: typer.Context, guest: GuestArgument) -> None:
    """Show why a guest has the size that it has: facts, wants, what was learned, and its last changes."""
    from ballonet.service.client import Client, guest_path  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Why  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415
    from ballonet.show.why import why_text  # noqa: PLC0415

    context: Context = ctx.obj
    found = Client().get(Why, guest_path(guest, "why"))
    context.show(table=lambda: why_text(found, columns()), json=lambda: answer(found))
