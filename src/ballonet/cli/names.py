"""`names`: who calls the same value what."""

from dataclasses import asdict
from typing import Annotated

import typer

from ballonet.cli.context import Context, columns
from ballonet.errors import UsageError
from ballonet.facts.statistics import STATISTICS, named
from ballonet.show.document import document
from ballonet.show.names import name_details, names_table


def names(
    ctx: typer.Context,
    stat: Annotated[
        str | None,
        typer.Argument(
            metavar="STAT",
            help="One statistic, by any of its names.",
            autocompletion=lambda: [statistic.memstat for statistic in STATISTICS if statistic.memstat],
        ),
    ] = None,
) -> None:
    """Show what Linux, VirtIO, QEMU and libvirt call each statistic, and what one of them means."""
    context: Context = ctx.obj
    found = list(STATISTICS) if stat is None else named(stat)
    if not found:
        raise UsageError(f"no statistic is called {stat!r} anywhere", hint="all names: ballonet names")
    context.show(
        table=lambda: (
            names_table(columns())
            if stat is None
            else "\n\n".join(name_details(statistic, columns()) for statistic in found)
        ),
        json=lambda: document(statistics=[asdict(statistic) for statistic in found]),
    )
