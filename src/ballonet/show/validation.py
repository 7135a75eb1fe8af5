"""How near simulated guests come to real ones, as tables, JSON and a document."""

import math
from collections.abc import Callable, Sequence

from ballonet.lab.validation import Validated
from ballonet.show.document import document
from ballonet.show.table import UNKNOWN, table
from ballonet.simulator.agreement import (
    FACTOR,
    LEVEL_APART,
    LITTLE_PER_SECOND,
    LITTLE_SECONDS,
    Agreement,
    furthest,
)
from ballonet.units import format_size

HEADER = ("Guest", "Measure", "Real", "Simulated", "Ratio", "Apart", "")
RIGHT = ("Real", "Simulated", "Ratio", "Apart")
FURTHEST = 5

_VALUES: dict[str, Callable[[float], str]] = {
    "bytes": format_size,
    "seconds": lambda value: f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms",
}


def validation(runs: Sequence[Validated]) -> str:
    """Return a table a run, of all that happened, and how much of it is within bounds."""
    parts = [f"{_title(run)}\n\n{table(HEADER, _rows(run.found), right=RIGHT)}" for run in runs]
    return "\n\n".join([*parts, *_conclusion(runs)])


def validation_document(runs: Sequence[Validated]) -> str:
    """Return all measures of all runs as JSON."""
    return document(
        bounds={
            "level_apart": LEVEL_APART,
            "factor": FACTOR,
            "little_per_second": LITTLE_PER_SECOND,
            "little_seconds": LITTLE_SECONDS,
        },
        runs=[
            {
                "scenario": run.run.name,
                "policy": run.run.policy,
                "seconds": run.run.seconds,
                "within": _within(run.found),
                "measures": [_measure(one) for one in run.found],
            }
            for run in runs
        ],
    )


def validation_markdown(runs: Sequence[Validated]) -> str:
    """Return a document that says what was done, and what came of it."""
    parts = [f"## {_title(run)}\n\n{_markdown_table(_rows(run.found))}" for run in runs]
    return "\n\n".join([_PREFACE, *_conclusion(runs), *parts]) + "\n"


_PREFACE = f"""\
# How near simulated guests come to real ones

Written by `ballonet lab validate --write FILE`. Real guests, booted afresh for each run, and simulated ones
follow the same schedules, under the same policy and budget, through the same engine; disks serve 1,000
requests a second.

- Levels (usable, actual, resident) are means over time, resident memory without QEMU's own. *Apart* is the
  mean of the absolute difference, second by second, as a share of the guest's maximum. Within bounds:
  {LEVEL_APART:.0%}.
- What is counted (pages, faults, requests) are totals; *apart* is a share of the highest rate on either
  side. Latency is the mean of all requests. Within bounds: a factor of {FACTOR:.0f}; less than
  {LITTLE_PER_SECOND:.0f} a second, and less than {LITTLE_SECONDS * 1e3:.0f} ms, count as that much.
- Rows of which next to nothing happened on both sides are left out, and are within bounds."""


def _conclusion(runs: Sequence[Validated]) -> list[str]:
    """Return sentences: how much is within bounds, and what is furthest off."""
    everything = [(run, one) for run in runs for one in run.found]
    sentences = [
        f"{_within([one for _, one in everything])} of {len(everything)} measures are within bounds."
    ]
    runs_of = {id(one): run.run for run, one in everything}
    words = [
        f"{one.measure} of {one.guest} ({runs_of[id(one)].name}, {runs_of[id(one)].policy}): {_off(one)}"
        for one in furthest([one for _, one in everything], FURTHEST)
    ]
    return [*sentences, f"Furthest off: {'; '.join(words)}."] if words else sentences


def _off(one: Agreement) -> str:
    if math.isnan(one.ratio) and math.isnan(one.apart):
        return "known on one side only"
    return f"{one.apart:.1%} apart" if math.isnan(one.ratio) else f"{one.ratio:.3g} times as much"


def _title(run: Validated) -> str:
    title = f"{run.run.name}, {run.run.seconds} s, policy {run.run.policy}"
    return f"{title}: {_within(run.found)} of {len(run.found)} within bounds"


def _within(found: Sequence[Agreement]) -> int:
    return sum(one.within for one in found)


def _rows(found: Sequence[Agreement]) -> list[list[str]]:
    return [
        [
            one.guest,
            one.measure,
            _value(one.unit, one.real),
            _value(one.unit, one.simulated),
            UNKNOWN if math.isnan(one.ratio) else f"{one.ratio:.2g}",
            UNKNOWN if math.isnan(one.apart) else f"{one.apart:.1%}",
            "" if one.within else "off",
        ]
        for one in found
        if not one.little
    ]


def _value(unit: str, value: float) -> str:
    if math.isnan(value):
        return UNKNOWN
    return _VALUES[unit](value) if unit in _VALUES else f"{value:,.0f}"


def _measure(one: Agreement) -> dict[str, str | float | bool | None]:
    """Return a measure as JSON can hold it."""
    return {
        "guest": one.guest,
        "measure": one.measure,
        "unit": one.unit,
        "real": _known(one.real),
        "simulated": _known(one.simulated),
        "apart": _known(one.apart),
        "ratio": _known(one.ratio),
        "little": one.little,
        "within": one.within,
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    marks = ["---:" if title in RIGHT else "---" for title in HEADER]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [HEADER, marks, *rows])
