"""`sim`: policies tried on simulated hosts, in no time."""

from typing import Annotated

import typer

from ballonet.show.comparison import comparison
from ballonet.show.document import document
from ballonet.show.table import table
from ballonet.simulator.scenarios import SCENARIOS, scenario
from ballonet.simulator.trial import OURS, POLICIES, Trial, outcome, policy
from ballonet.units import format_size

app = typer.Typer(help="Try policies on simulated hosts.", add_completion=False)
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
    chosen = [policy(word) for word in policies or POLICIES if word != "none"]
    without = outcome(Trial(found, "none"))
    runs = {word: outcome(Trial(found, word)) for word in chosen}
    if not policies:
        runs[f"{OURS}, no reflex"] = outcome(Trial(found, OURS, reflex=False))
    ctx.obj.show(
        lambda: comparison(without, runs),
        lambda: document(
            scenario=name,
            outcomes={word: found.document() for word, found in {"none": without, **runs}.items()},
        ),
    )
