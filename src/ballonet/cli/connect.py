"""From `-c URI` to a hypervisor: the one place that chooses the adapter."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import typer

from ballonet.cli.context import Context
from ballonet.cli.known import known, located
from ballonet.engine.ports import Hypervisor
from ballonet.errors import BallonetError, HypervisorError, NotPermittedError
from ballonet.facts.uri import check_uris
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.hypervisor.several import SeveralHypervisors
from ballonet.show.table import printable


def warn(error: BallonetError) -> None:
    """Say what went wrong where the rest goes on."""
    typer.echo(f"ballonet: {printable(error.message)}", err=True)
    if error.hint:
        typer.echo(f"hint: {printable(error.hint)}", err=True)


@asynccontextmanager
async def connect(
    context: Context, *, deadline_seconds: float = 5.0, missed: Callable[[BallonetError], None] = warn
) -> AsyncIterator[Hypervisor]:
    """Open the hypervisors that `-c` or the settings name for the length of a block, several as one.

    Raises UsageError for what is no URI, HypervisorError or NotPermittedError where none can be reached.
    Where one of several cannot, `missed` is called with that, and each call to it tries again; likewise
    where the settings cannot be used.
    """
    if not context.uri_given:
        context = located(context, known(context, missed))
    check_uris(context.uris)
    named = {
        uri: LibvirtHypervisor.at(uri, read_only=context.read_only, deadline_seconds=deadline_seconds)
        for uri in context.uris
    }
    hypervisor = SeveralHypervisors(named) if len(named) > 1 else named[context.uris[0]]
    try:
        for error in await _failures(list(named.values())):
            missed(error)
        yield hypervisor
    finally:
        await hypervisor.close()


async def _failures(hypervisors: list[LibvirtHypervisor]) -> list[BallonetError]:
    """Connect to all at the same time; return why some cannot be reached, and raise it where none can."""
    found = await asyncio.gather(*(each.connect() for each in hypervisors), return_exceptions=True)
    errors = [each for each in found if each is not None]
    failed = [each for each in errors if isinstance(each, HypervisorError | NotPermittedError)]
    if len(failed) < len(errors) or len(errors) == len(hypervisors):
        raise next((each for each in errors if each not in failed), errors[0])
    return list(failed)
