"""`sim`: policies tried on simulated hosts, in no time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ballonet.cli.replay import replay
from ballonet.facts.happening import Happening
from ballonet.show.document import document
from ballonet.show.plot import plot
from ballonet.show.progress import Steps
from ballonet.show.reasons import what
from ballonet.show.scores import scores_document, scores_table
from ballonet.show.table import table
from ballonet.simulator.contest import Entry, Result, contest
from ballonet.simulator.oracle import oracle
from ballonet.simulator.scenarios import REPORT_SEEDS, SCENARIOS, TUNING_SEEDS, scenario
from ballonet.simulator.scores import score
from ballonet.simulator.trial import OURS, POLICIES, Trial, check_policies, chosen, outcome, without
from ballonet.units import format_size

app = typer.Typer(help="Try policies on simulated hosts.", add_completion=False)
app.command("replay")(replay)


@app.command("list")
def list_scenarios(ctx: typer.Context) -> None:
    """Show the scenarios."""
    every = {name: scenario(name) for name in SCENARIOS}
    rows = [[name, str(len(s.loads)), format_size(s.budget_bytes), s.title] for name, s in every.items()]
    ctx.obj.show(
        lambda: table(("Scenario", "Guests", "Budget", "What happens"), rows, right=("Guests", "Budget")),
        lambda: document(
            scenarios=[
                {
                    "name": name,
                    "title": found.title,
                    "guests": list(found.loads),
                    "budget_bytes": int(found.budget_bytes),
                    "seconds": found.seconds,
                }
                for name, found in every.items()
            ],
            policies=list(POLICIES),
        ),
    )


@app.command("run")
def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SCENARIO", help="One of those that `sim list` shows.")],
    policy: Annotated[str, typer.Option("--policy", metavar="POLICY", help="Which one decides.")] = OURS,
    part: Annotated[str | None, typer.Option("--without", metavar="PART", help="Of ballonet.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Vary the scenario; 0: as it is.")] = 0,
) -> None:
    """Run a scenario under one policy, and show what is done when, and why."""
    found = scenario(name, seed)
    check_policies([policy])
    trial = next(iter(without(found, [part]).values())) if part else Trial(found, policy)

    def tell(at: float, happening: Happening) -> None:
        if ctx.obj.output == "table":
            typer.echo(f"{at:7.2f} s  {happening.name:<12} {what(happening)}")

    done = outcome(trial, tell)
    twin, entry = outcome(Trial(found, "none")), Entry(name, seed)
    results = [Result(entry, trial.title, score(found, done, twin, oracle(found)), done)]
    ctx.obj.show(lambda: f"\n{scores_table(results)}", lambda: scores_document(results))


@app.command("compare")
def compare(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCENARIO]...", help="Of those that `sim list` shows.", show_default="all"),
    ] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policy", metavar="POLICY", help="One to compare; may be repeated.", show_default="all"
        ),
    ] = None,
    parts: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="PART", help="Add ballonet without a part; may be repeated."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=len(REPORT_SEEDS), help="Vary each scenario so many times.")
    ] = 1,
    tuning: Annotated[
        bool, typer.Option("--tuning", help="Use the seeds that numbers were chosen on, not those reported.")
    ] = False,
    directory: Annotated[
        Path | None, typer.Option("--plot", metavar="DIR", help="Draw each scenario's first seed there.")
    ] = None,
) -> None:
    """Run scenarios under several policies, beside no ballooning and beside who knows the future."""
    chosen_names = names or list(SCENARIOS)
    first, *_ = [scenario(name) for name in chosen_names]  # all are looked up before anything runs
    trials = [*chosen(first, policies).values(), *without(first, parts or ()).values()]
    drawn = [0] if seeds == 1 else list(TUNING_SEEDS if tuning else REPORT_SEEDS)[:seeds]
    entries = [Entry(name, seed) for name in chosen_names for seed in drawn]
    with Steps(len(entries), "hosts") as steps:
        results = contest(entries, trials, lambda entry: steps.done(f"{entry.scenario} {entry.seed}"))
    if directory is not None:
        _draw(directory, results, drawn[0])
    ctx.obj.show(lambda: scores_table(results), lambda: scores_document(results))


def _draw(directory: Path, results: Sequence[Result], seed: int) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(result.entry.scenario for result in results):
        outcomes = {each.policy: each.outcome for each in results if each.entry == Entry(name, seed)}
        plot(directory / f"{name}.svg", scenario(name, seed), outcomes)
