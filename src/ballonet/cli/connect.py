"""From `-c URI` to a hypervisor: the one place that chooses the adapter."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

import typer

from ballonet.cli.context import Context
from ballonet.cli.known import known, located
from ballonet.engine.ports import Hypervisor, KnowsProcesses
from ballonet.errors import BallonetError, HypervisorError, NotPermittedError
from ballonet.facts.uri import check_uris, sockets_of
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
        uri: _at(uri, read_only=context.read_only, deadline_seconds=deadline_seconds) for uri in context.uris
    }
    hypervisor = SeveralHypervisors(named) if len(named) > 1 else named[context.uris[0]]
    try:
        for error in await _failures(list(named.values())):
            missed(error)
        yield hypervisor
    finally:
        await hypervisor.close()


def processes_of(hypervisor: Hypervisor) -> Callable[[], Mapping[str, int]]:
    """Return what tells which processes run the guests, as far as the hypervisor knows."""
    return lambda: hypervisor.processes if isinstance(hypervisor, KnowsProcesses) else {}


class _Connecting(Hypervisor, Protocol):
    """A hypervisor that is connected to by itself, so that it is known at once why it cannot be."""

    async def connect(self) -> None:
        """Connect."""


def _at(uri: str, *, read_only: bool, deadline_seconds: float) -> _Connecting:
    """Return the adapter for a URI; each is loaded only where it is used, as neither need be installed."""
    if sockets_of(uri) is not None:
        from ballonet.hypervisor.qmp import QmpHypervisor  # noqa: PLC0415 - asyncio's client of an extra

        return QmpHypervisor.at(uri, read_only=read_only, deadline_seconds=deadline_seconds)
    from ballonet.hypervisor.libvirt import LibvirtHypervisor  # noqa: PLC0415 - libvirt's module, 20 ms

    return LibvirtHypervisor.at(uri, read_only=read_only, deadline_seconds=deadline_seconds)


async def _failures(hypervisors: list[_Connecting]) -> list[BallonetError]:
    """Connect to all at the same time; return why some cannot be reached, and raise it where none can."""
    found = await asyncio.gather(*(each.connect() for each in hypervisors), return_exceptions=True)
    errors = [each for each in found if each is not None]
    failed = [each for each in errors if isinstance(each, HypervisorError | NotPermittedError)]
    if len(failed) < len(errors) or len(errors) == len(hypervisors):
        raise next((each for each in errors if each not in failed), errors[0])
    return list(failed)
