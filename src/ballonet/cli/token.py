"""`token`: what the web page, and any other client over TCP, needs to change things."""

import typer

from ballonet.cli.context import Context


def token(ctx: typer.Context) -> None:
    """Print the token that changes over TCP need, where the service runs with --web.

    A program sends it as the header Authorization: Bearer TOKEN.
    """
    from ballonet.service.client import Client  # noqa: PLC0415 - pydantic, which no help needs
    from ballonet.service.models import Token  # noqa: PLC0415
    from ballonet.show.document import answer  # noqa: PLC0415

    context: Context = ctx.obj
    found = Client().get(Token, "/v1/token")
    context.show(table=lambda: found.token, json=lambda: answer(found))
    context.remark(f"For http://{found.address}/")
