"""A picture of a run: what guests held and needed beside the budget, and how long their requests took."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ballonet.errors import UsageError
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.scenarios import Scenario
from ballonet.units import GIB, MIB

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 4.6, 5.2  # inches of one policy's panels


def plot(path: Path, found: Scenario, outcomes: Mapping[str, Outcome]) -> None:
    """Write an SVG or PNG, by the path's suffix: one column of panels a policy.

    Raises `UsageError` where matplotlib is missing.
    """
    try:
        from matplotlib import rc_context  # noqa: PLC0415 - slow, and seldom wanted
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "pictures need matplotlib", hint="pip install 'ballonet[plot]', or leave out --plot"
        ) from error
    figure = Figure(figsize=(_WIDTH * len(outcomes), _HEIGHT), layout="constrained")
    axes = figure.subplots(2, len(outcomes), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 1))
    unit, name = (GIB, "GiB") if found.whole_bytes() > 8 * GIB else (MIB, "MiB")
    for column, (title, outcome) in enumerate(outcomes.items()):
        _memory(axes[0][column], found, outcome, unit)
        _latency(axes[1][column], outcome)
        axes[0][column].set_title(title)
        axes[1][column].set_xlabel("seconds")
    axes[0][0].set_ylabel(f"memory, {name}")
    axes[1][0].set_ylabel("latency, ms")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    # Text stays text, and the same run gives the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": found.title}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _memory(axes: "Axes", found: Scenario, outcome: Outcome, unit: int) -> None:
    """Draw sizes and needs, guest upon guest."""
    history = outcome.history
    at = np.array(history.at)
    actual, need = np.stack(history.actual).T / unit, np.stack(history.need).T / unit
    bottoms = np.cumsum(actual, axis=0) - actual
    for row, name in enumerate(history.names):
        label = name if len(history.names) <= 6 else None
        axes.fill_between(
            at, bottoms[row], bottoms[row] + actual[row], color=f"C{row % 10}", alpha=0.25, lw=0
        )
        axes.fill_between(
            at, bottoms[row], bottoms[row] + need[row], color=f"C{row % 10}", alpha=0.75, lw=0, label=label
        )
        axes.plot(at, bottoms[row] + actual[row], color="white", lw=0.8)
    axes.axhline(found.budget_bytes / unit, color="black", lw=1.2, ls="--", label="budget")
    axes.set_ylim(0, found.whole_bytes() / unit * 1.02)
    axes.set_xlim(0, at[-1])


def _latency(axes: "Axes", outcome: Outcome) -> None:
    for row, name in enumerate(outcome.history.names):
        seconds = outcome.answers[name].seconds
        axes.plot(np.arange(len(seconds)) + 0.5, 1e3 * seconds, color=f"C{row % 10}", lw=1.2)
    axes.set_yscale("log")
