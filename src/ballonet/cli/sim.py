"""`sim`: policies tried on simulated hosts, in no time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ballonet.cli.replay import replay
from ballonet.cli.torture import torture
from ballonet.errors import UsageError
from ballonet.facts.happening import Happening
from ballonet.show.density import density_document, density_table
from ballonet.show.document import document
from ballonet.show.plot import plot
from ballonet.show.progress import Steps
from ballonet.show.reasons import what
from ballonet.show.scores import scores_document, scores_table
from ballonet.show.table import table
from ballonet.simulator.contest import Entry, Result, contest
from ballonet.simulator.density import Task, find
from ballonet.simulator.oracle import oracle
from ballonet.simulator.pool import everywhere
from ballonet.simulator.scenarios import REPORT_SEEDS, SCENARIOS, TUNING_SEEDS, scenario
from ballonet.simulator.scores import score
from ballonet.simulator.trial import OURS, POLICIES, Trial, check_policies, chosen, outcome, without
from ballonet.units import format_size

Names = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario", metavar="SCENARIO", help="One of `sim list`; may be repeated.", show_default="all"
    ),
]
Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="POLICY", help="One to compare; may be repeated.", show_default="all"),
]
Parts = Annotated[
    list[str] | None,
    typer.Option("--without", metavar="PART", help="Add ballonet without a part; may be repeated."),
]
Seeds = Annotated[int, typer.Option(min=1, max=len(REPORT_SEEDS), help="Vary each scenario so many times.")]
Tuning = Annotated[
    bool, typer.Option("--tuning", help="Use the seeds that numbers were chosen on, not those reported.")
]

app = typer.Typer(help="Try policies on simulated hosts.", add_completion=False)
app.command("replay")(replay)
app.command("torture")(torture)


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
                    "maxima_bytes": int(found.whole_bytes()),
                    "lab": found.in_lab,
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
    if part and policy != OURS:
        raise UsageError(f"{policy} has no parts", hint=f"leave --policy, or --without {part!r}")
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
    names: Names = None,
    policies: Policies = None,
    parts: Parts = None,
    seeds: Seeds = 1,
    tuning: Tuning = False,
    directory: Annotated[
        Path | None, typer.Option("--plot", metavar="DIR", help="Draw each scenario's first seed there.")
    ] = None,
) -> None:
    """Run scenarios under several policies, beside no ballooning and beside who knows the future."""
    chosen_names, trials, drawn = _drawn(names, policies, parts, seeds, tuning=tuning)
    entries = [Entry(name, seed) for name in chosen_names for seed in drawn]
    with Steps(len(entries), "hosts") as steps:
        results = contest(entries, trials, lambda entry: steps.done(f"{entry.scenario} {entry.seed}"))
    if directory is not None:
        _draw(directory, results, drawn[0])
    ctx.obj.show(lambda: scores_table(results), lambda: scores_document(results))


@app.command("density")
def density(
    ctx: typer.Context,
    names: Names = None,
    policies: Policies = None,
    parts: Parts = None,
    seeds: Seeds = 1,
    tuning: Tuning = False,
) -> None:
    """Find the smallest host on which each policy does no harm, beside that of who knows the future.

    No harm: no OOM kill; programs wait more than without ballooning for 0.5 % of their time in the mean of
    guests, 1 % at the 95th percentile, 5 % at worst; budget and floors are kept; no blind guest shrinks.
    """
    chosen_names, trials, drawn = _drawn(names, policies, parts, seeds, tuning=tuning)
    tasks = [Task(name, tuple(drawn), trial) for name in chosen_names for trial in trials]
    with Steps(len(tasks), "densities") as steps:
        found = everywhere(find, tasks, lambda task: steps.done(f"{task.scenario} {task.trial.title}"))
    ctx.obj.show(lambda: density_table(found), lambda: density_document(found))


def _drawn(
    names: Sequence[str] | None,
    policies: Sequence[str] | None,
    parts: Sequence[str] | None,
    seeds: int,
    *,
    tuning: bool,
) -> tuple[list[str], list[Trial], list[int]]:
    """Return the scenarios, trials and seeds that options ask for; all are looked up before anything runs."""
    wanted = list(names or SCENARIOS)
    first, *_ = [scenario(name) for name in wanted]
    trials = [*chosen(first, policies).values(), *without(first, parts or ()).values()]
    return wanted, trials, [0] if seeds == 1 else list(TUNING_SEEDS if tuning else REPORT_SEEDS)[:seeds]


def _draw(directory: Path, results: Sequence[Result], seed: int) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(result.entry.scenario for result in results):
        outcomes = {each.policy: each.outcome for each in results if each.entry == Entry(name, seed)}
        plot(directory / f"{name}.svg", scenario(name, seed), outcomes)
