"""`lab validate`: how near simulated guests come to real ones."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ballonet.errors import UsageError
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.directory import embedded_uri
from ballonet.lab.validation import (
    CASES,
    POLICIES_COMPARED,
    Case,
    Run,
    Validated,
    case,
    validate_all,
)
from ballonet.show.validation import validation, validation_document, validation_markdown
from ballonet.simulator.trial import chosen

DEFAULT_CASES = ("trade-places", "cold-memory")


def validate(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO ...]",
            help=f"Of those that `sim list` shows, or {' or '.join(CASES)}.",
            show_default=", ".join(DEFAULT_CASES),
        ),
    ] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            metavar="POLICY",
            help="One to run under; may be repeated.",
            show_default=", ".join(POLICIES_COMPARED),
        ),
    ] = None,
    seconds: Annotated[
        int | None, typer.Option(metavar="N", help="Length of a run.", min=5, show_default="the scenario's")
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="FILE", help="Write a document about it, too.")
    ] = None,
) -> None:
    """Run the same loads on real guests and on simulated ones, and say how far apart they are."""
    if write is not None and not write.absolute().parent.is_dir():
        raise UsageError(f"there is no directory {write.parent}", hint="make it first, or give another FILE")
    planned = [
        Run(name, found, policy, seconds or int(found.scenario.seconds))
        for name, found in {name: case(name) for name in names or DEFAULT_CASES}.items()
        for policy in _policies(found, policies)
    ]
    runs = asyncio.run(_run(Console(stderr=True), planned))
    if write is not None:
        write.write_text(validation_markdown(runs))
    ctx.obj.show(lambda: validation(runs), lambda: validation_document(runs))


def _policies(found: Case, policies: list[str] | None) -> list[str]:
    """Return the policies to run under; `UsageError` with the nearest names."""
    chosen(found.scenario, policies)
    return policies or list(POLICIES_COMPARED)


async def _run(console: Console, planned: list[Run]) -> list[Validated]:
    """Return what came of all runs, saying which one is at work."""
    # Not $TMPDIR: the paths of the guests' sockets must stay below 108 characters.
    with tempfile.TemporaryDirectory(prefix="ballonet-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        hypervisor = await LibvirtHypervisor.open(embedded_uri(Path(directory) / "lab"))
        try:
            return await validate_all(
                Path(directory),
                hypervisor,
                planned,
                lambda one: console.print(
                    f"{one.name}, policy {one.policy}: booting {len(one.case.scenario.loads)} Linux guests, "
                    f"{one.settle_seconds + one.seconds:.0f} s ..."
                ),
            )
        finally:
            await hypervisor.close()
