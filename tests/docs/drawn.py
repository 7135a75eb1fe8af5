"""Draws the pictures of simulated hosts that docs/control-law.md shows: drawn.py DIRECTORY."""

import sys
from pathlib import Path

from ballonet.show.plot import plot
from ballonet.simulator.scenarios import scenario
from ballonet.simulator.trial import chosen, outcome

SCENARIOS = ("same-instant", "cold-cache")
POLICIES = ("ballonet", "proxmox", "equal")


def draw(directory: Path) -> None:
    """Write a picture of each scenario, a column a policy."""
    for name in SCENARIOS:
        found = scenario(name)
        outcomes = {title: outcome(trial) for title, trial in chosen(found, POLICIES).items()}
        plot(directory / f"{name}.png", found, outcomes)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
