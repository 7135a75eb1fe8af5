"""A picture of runs: what guests held and used beside the budget, and how long their requests took."""

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ballonet.show.picture import picture
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.scenarios import Scenario
from ballonet.units import GIB, MIB, format_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3  # policies side by side; more of them stand below
_WIDTH, _HEIGHT = 4.6, 4.4  # inches of one policy's panels
_NAMED = 8  # so many guests have names in the legend; more would hide the picture
_COLOURS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3", "#937860", "#da8bc3", "#8c8c8c", "#ccb974")


def plot(path: Path, found: Scenario, outcomes: Mapping[str, Outcome]) -> None:
    """Write an SVG or PNG, by the path's suffix: two panels a policy, all on the same scales.

    Raises `UsageError` where matplotlib is missing, or the suffix is none of a picture.
    """
    columns = min(_COLUMNS, len(outcomes))
    rows = ceil(len(outcomes) / columns)
    with picture(path, found.title, (_WIDTH * columns, _HEIGHT * rows + 0.6)) as figure:
        _panels(figure, found, outcomes, rows, columns)


def _panels(
    figure: "Figure", found: Scenario, outcomes: Mapping[str, Outcome], rows: int, columns: int
) -> None:
    """Draw all policies, and what the colours mean."""
    axes = figure.subplots(2 * rows, columns, sharex=True, squeeze=False, height_ratios=(3, 1) * rows)
    unit, name = (GIB, "GiB") if found.whole_bytes() > 8 * GIB else (MIB, "MiB")
    latencies = _span(outcomes)
    for index in range(rows * columns):
        row, column = divmod(index, columns)
        memory, latency = axes[2 * row][column], axes[2 * row + 1][column]
        if index >= len(outcomes):
            memory.set_axis_off()
            latency.set_axis_off()
            continue
        title, outcome = list(outcomes.items())[index]
        _memory(memory, found, outcome, unit)
        _latency(latency, outcome, latencies)
        memory.set_title(title, loc="left", fontweight="bold")
        memory.set_title(_figures(outcome), loc="right", fontsize=8, color="0.35")
        latency.set_xlabel("seconds")
        latency.tick_params(labelbottom=True)  # the panel below may be missing
        if column == 0:
            memory.set_ylabel(f"memory, {name}")
            latency.set_ylabel("latency")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)


def _figures(outcome: Outcome) -> str:
    return f"{format_size(outcome.held_bytes)} held, requests {outcome.mean_ms:.3g} ms"


def _memory(axes: "Axes", found: Scenario, outcome: Outcome, unit: int) -> None:
    """Draw sizes (light) and what is used of them (dark), guest upon guest."""
    history = outcome.history
    at = np.array(history.at)
    actual, need, resident = (
        np.stack(sizes).T / unit for sizes in (history.actual, history.need, history.resident)
    )
    tops = np.cumsum(actual, axis=0)
    band: dict[str, Any] = {"lw": 0, "step": "post"}
    for row, name in enumerate(history.names):
        colour, bottom = _COLOURS[row % len(_COLOURS)], tops[row] - actual[row]
        label = name if len(history.names) <= _NAMED else None
        axes.fill_between(at, bottom, tops[row], color=colour, alpha=0.3, **band)
        axes.fill_between(at, bottom, bottom + need[row], color=colour, alpha=0.9, label=label, **band)
        axes.step(at, tops[row], where="post", color="white", lw=0.7)
    axes.step(at, resident.sum(axis=0), where="post", color="0.25", lw=0.9, label="resident, together")
    if outcome.budget_bytes is not None:
        axes.axhline(found.budget_bytes / unit, color="black", lw=1.1, ls=(0, (5, 3)), label="budget")
    else:
        axes.plot([], [], color="black", lw=1.1, ls=(0, (5, 3)), label="budget")  # for the legend
    axes.set_ylim(0, found.whole_bytes() / unit * 1.02)
    axes.set_xlim(0, at[-1])


def _span(outcomes: Mapping[str, Outcome]) -> tuple[float, float]:
    """Return the decades that all latencies lie in, ms; a whole one at least."""
    every = np.concatenate([own.seconds for run in outcomes.values() for own in run.answers.values()])
    known = 1e3 * every[every > 0]
    if not known.size:
        return 0.1, 1.0
    low, high = np.floor(np.log10(known.min())), np.ceil(np.log10(known.max() * 1.05))
    return float(10**low), float(10 ** max(high, low + 1))


def _latency(axes: "Axes", outcome: Outcome, span: tuple[float, float]) -> None:
    for row, name in enumerate(outcome.history.names):
        seconds = outcome.answers[name].seconds
        axes.plot(
            np.arange(len(seconds)) + 0.5,
            1e3 * seconds,
            color=_COLOURS[row % len(_COLOURS)],
            lw=1.1,
            alpha=0.9,
        )
    axes.set_yscale("log")
    axes.set_ylim(*span)
    low, high = (round(np.log10(end)) for end in span)
    decades = 10.0 ** np.arange(low, high + 1, 1 + (high - low) // 4)
    axes.set_yticks(decades, [_words(ms) for ms in decades.tolist()])
    axes.minorticks_off()


def _words(ms: float) -> str:
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s"
