"""`demo`: real guests, their memory balanced before your eyes, and what it was worth."""

import asyncio
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.demo import BUDGET_BYTES, LOADS, MAXIMUM_BYTES, SECONDS, Viewer, one_run, specs
from ballonet.lab.directory import embedded_uri
from ballonet.lab.lab import Lab
from ballonet.show.comparison import comparison
from ballonet.show.live import LiveTable
from ballonet.simulator.outcome import Outcome
from ballonet.units import format_size

DRAWS_PER_SECOND = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """How a run is made."""

    title: str
    balanced: bool = True
    reflex: bool = True


WITHOUT = Kind("Without ballooning", balanced=False, reflex=False)
BALANCED = {"BALLONET": Kind("Balanced by ballonet")}
NO_REFLEX = {"NO REFLEX": Kind("Balanced without the reflex", reflex=False)}


def demo(
    seconds: Annotated[float, typer.Option(hidden=True)] = SECONDS,
    no_reflex: Annotated[
        bool, typer.Option("--no-reflex", hidden=True, help="Run once more, with the reflex off.")
    ] = False,
) -> None:
    """Boot four Linux guests, let their needs trade places, and balance them on too small a budget."""
    asyncio.run(_interruptible(seconds, no_reflex=no_reflex))


async def _interruptible(seconds: float, *, no_reflex: bool) -> None:
    """Run the demo; a signal ends it in order, its guests with it."""
    task = asyncio.create_task(_demo(seconds, no_reflex=no_reflex))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error


async def _demo(seconds: float, *, no_reflex: bool) -> None:
    console = Console()
    # Not $TMPDIR: the paths of the guests' sockets must stay below 108 characters.
    with tempfile.TemporaryDirectory(prefix="ballonet-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        lab_directory = Path(directory) / "lab"
        hypervisor = await LibvirtHypervisor.open(embedded_uri(lab_directory))
        async with Lab(lab_directory, hypervisor) as lab:
            console.print(
                f"Booting {len(LOADS)} Linux guests of {format_size(MAXIMUM_BYTES)} each, "
                f"their disks held to 1,000 requests a second ..."
            )
            await lab.boot(specs())
            console.print(f"They run ({lab.accelerator}). The same {seconds:.0f} seconds, each way:")
            without = await _run(console, lab, hypervisor, WITHOUT, seconds)
            balanced = {
                title: await _run(console, lab, hypervisor, kind, seconds)
                for title, kind in (BALANCED | (NO_REFLEX if no_reflex else {})).items()
            }
            console.print()
            console.print(comparison(without, balanced), highlight=False, soft_wrap=True)
        await hypervisor.close()


async def _run(
    console: Console, lab: Lab, hypervisor: LibvirtHypervisor, kind: Kind, seconds: float
) -> Outcome:
    """Run all loads once, drawing them as they go."""
    drawn = LiveTable(kind.title, BUDGET_BYTES if kind.balanced else None)
    viewer = Viewer(drawn.take_plan, drawn.take_happening)
    with Live(get_renderable=drawn.draw, console=console, refresh_per_second=DRAWS_PER_SECOND):
        outcome = await one_run(
            lab, hypervisor, viewer, balanced=kind.balanced, reflex=kind.reflex, seconds=seconds
        )
    if not console.is_terminal:
        console.line()  # which the live table leaves out there
    return outcome
