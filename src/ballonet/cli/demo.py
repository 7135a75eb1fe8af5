"""`demo` and `lab bench`: real guests, their memory balanced before your eyes, and what it was worth."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from ballonet.cli.context import Context
from ballonet.cli.signals import end_in_order
from ballonet.errors import UsageError
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.directory import embedded_uri
from ballonet.lab.lab import Lab
from ballonet.lab.trial import Viewer, one_run, specs
from ballonet.show.comparison import comparison, comparison_document
from ballonet.show.live import LiveTable
from ballonet.show.picture import check_picture
from ballonet.show.plot import plot
from ballonet.show.scores import scores_document, scores_table
from ballonet.simulator.contest import Entry, Result
from ballonet.simulator.oracle import oracle
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.scenarios import SCENARIOS, Scenario, scenario
from ballonet.simulator.scores import score
from ballonet.simulator.trial import OURS, Trial, chosen, without
from ballonet.units import format_size

DRAWS_PER_SECOND = 2


def demo(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the runs: *.svg or *.png.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(hidden=True)] = None,
    no_reflex: Annotated[
        bool, typer.Option("--no-reflex", hidden=True, help="Run once more, with the reflex off.")
    ] = False,
) -> None:
    """Boot four Linux guests, let their needs trade places, and balance them on too small a budget."""
    if file is not None:
        check_picture(file)
    found = scenario("trade-places")
    trials = {OURS: Trial(found)} | (without(found, ["reflex"]) if no_reflex else {})
    (outcomes,) = _run_all(ctx.obj, found, {"none": Trial(found, "none"), **trials}, seconds)
    twin, *_ = outcomes.values()
    balanced = {title: run for title, run in outcomes.items() if title != "none"}
    if file is not None:
        plot(file, found, outcomes)
    ctx.obj.show(lambda: f"\n{comparison(twin, balanced)}", lambda: comparison_document(outcomes))


def bench(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SCENARIO", help="One of those that `sim list` shows.")],
    policies: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="POLICY", help="One to run; may be repeated.", show_default="all"),
    ] = None,
    parts: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="PART", help="Add ballonet without a part; may be repeated."),
    ] = None,
    rounds: Annotated[
        int, typer.Option(metavar="N", help="Run all so often, in turn: a noisy machine decides less.", min=1)
    ] = 1,
    directory: Annotated[
        Path | None, typer.Option("--plot", metavar="DIR", help="Draw the last round there.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run a scenario on real guests under several policies, two minutes each."""
    found = scenario(name)
    if not found.in_lab:
        fit = ", ".join(name for name, other in SCENARIOS.items() if other.in_lab)
        raise UsageError(f"{name} is too large for real guests", hint=f"try {fit}")
    trials = chosen(found, policies) | without(found, parts or ())
    done = _run_all(ctx.obj, found, {"none": Trial(found, "none"), **trials}, seconds, rounds)
    known = oracle(found)
    results = [
        Result(Entry(name, nth), title, score(found, run, outcomes["none"], known), run)
        for nth, outcomes in enumerate(done)
        for title, run in outcomes.items()
    ]
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        plot(directory / f"{name}.svg", found, done[-1])
    ctx.obj.show(lambda: f"\n{scores_table(results)}", lambda: scores_document(results))


def _run_all(
    context: Context, found: Scenario, trials: Mapping[str, Trial], seconds: float | None, rounds: int = 1
) -> list[dict[str, Outcome]]:
    """Run all trials on real guests, and return what they came to in each round."""
    console = Console(stderr=context.output == "json")
    return asyncio.run(_interruptible(console, found, trials, seconds, rounds))


async def _interruptible(
    console: Console, found: Scenario, trials: Mapping[str, Trial], seconds: float | None, rounds: int
) -> list[dict[str, Outcome]]:
    """Run; a signal ends it in order, its guests with it."""
    task = asyncio.create_task(_all(console, found, trials, seconds, rounds))
    end_in_order(task)
    try:
        return await task
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error


async def _all(
    console: Console, found: Scenario, trials: Mapping[str, Trial], seconds: float | None, rounds: int
) -> list[dict[str, Outcome]]:
    """Run all trials in turn, round by round: on guests that are booted once for those that need the same."""
    done: list[dict[str, Outcome]] = [{} for _ in range(rounds)]
    # Not $TMPDIR: the paths of the guests' sockets must stay below 108 characters.
    with tempfile.TemporaryDirectory(prefix="ballonet-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        # One driver for all labs: a process can have but one that is embedded.
        hypervisor = await LibvirtHypervisor.open(embedded_uri(Path(directory)))
        for reporting in (True, False):
            group = {name: trial for name, trial in trials.items() if trial.free_page_reporting is reporting}
            if not group:
                continue
            async with Lab(Path(directory) / "lab", hypervisor) as lab:
                await _boot(console, lab, found, seconds, free_page_reporting=reporting)
                for outcomes in done:
                    for name, trial in group.items():
                        outcomes[name] = await _watched(console, lab, hypervisor, trial, seconds)
        await hypervisor.close()
    return [{title: outcomes[title] for title in trials} for outcomes in done]


async def _boot(
    console: Console, lab: Lab, found: Scenario, seconds: float | None, *, free_page_reporting: bool
) -> None:
    """Boot a scenario's guests."""
    console.print(
        f"Booting {len(found.loads)} Linux guests of {format_size(found.maximum_bytes)} each, "
        f"their disks held to 1,000 requests a second ..."
    )
    await lab.boot(specs(found, free_page_reporting=free_page_reporting))
    console.print(f"They run ({lab.accelerator}). The same {seconds or found.seconds:.0f} seconds, each way:")


async def _watched(
    console: Console, lab: Lab, hypervisor: LibvirtHypervisor, trial: Trial, seconds: float | None
) -> Outcome:
    """Run a trial, drawing its guests as it goes."""
    drawn = LiveTable(_title(trial), trial.scenario.budget_bytes if trial.balances else None)
    viewer = Viewer(drawn.take_plan, drawn.take_happening)
    with Live(get_renderable=drawn.draw, console=console, refresh_per_second=DRAWS_PER_SECOND):
        outcome = await one_run(lab, hypervisor, trial, viewer, seconds=seconds)
    if not console.is_terminal:
        console.line()  # which the live table leaves out there
    return outcome


def _title(trial: Trial) -> str:
    if not trial.balances:
        return "Without ballooning"
    return f"Balanced by {trial.title}"
