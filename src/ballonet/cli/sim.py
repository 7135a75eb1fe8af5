"""`sim`: policies tried on simulated hosts, in no time."""

from typing import Annotated

import typer

from ballonet.cli.replay import replay
from ballonet.show.comparison import comparison, comparison_document
from ballonet.show.document import document
from ballonet.show.table import table
from ballonet.simulator.scenarios import SCENARIOS, scenario
from ballonet.simulator.trial import POLICIES, Trial, chosen, outcome
from ballonet.units import format_size

app = typer.Typer(help="Try policies on simulated hosts.", add_completion=False)
app.command("replay")(replay)
Name = Annotated[str, typer.Argument(metavar="SCENARIO", help="One of those that `sim list` shows.")]


@app.command("list")
def list_scenarios(ctx: typer.Context) -> None:
    """Show the scenarios."""
    rows = [[name, str(len(s.loads)), format_size(s.budget_bytes), s.title] for name, s in SCENARIOS.items()]
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
                for name, found in SCENARIOS.items()
            ],
            policies=list(POLICIES),
        ),
    )


@app.command("compare")
def compare(
    ctx: typer.Context,
    name: Name,
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policy", metavar="POLICY", help="One to compare; may be repeated.", show_default="all"
        ),
    ] = None,
) -> None:
    """Run a scenario under several policies, and show what each came to beside no ballooning."""
    found = scenario(name)
    trials = chosen(found, policies)
    without = outcome(Trial(found, "none"))
    runs = {word: outcome(trial) for word, trial in trials.items()}
    ctx.obj.show(
        lambda: comparison(without, runs),
        lambda: comparison_document({"none": without, **runs}),
    )
