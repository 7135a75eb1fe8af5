"""What guests did over time, second by second: the same for real guests and for simulated ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Floats, Snapshot
from ballonet.simulator.kernel import PAGE

LEVELS: Mapping[str, Callable[[Snapshot], Floats]] = {
    "usable": lambda table: table.usable,
    "actual": lambda table: table.actual,
    "resident": lambda table: table.rss,
}
"""Bytes, as the hypervisor shows them."""

COUNTERS: Mapping[str, Callable[[Snapshot], Floats]] = {
    "swapped in": lambda table: table.swap_in / PAGE,
    "swapped out": lambda table: table.swap_out / PAGE,
    "major faults": lambda table: table.major_faults,
    "disk reads": lambda table: table.disk_reads,
}
"""Pages, pages, faults and requests since the guest's boot."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What became of a guest's requests, second by second."""

    answered: Floats
    seconds: Floats  # mean, from arrival to answer; NaN where none was answered


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A guest's run: one value a second; NaN is unknown."""

    maximum_bytes: float
    levels: Mapping[str, Floats]  # at the end of each second; keys of LEVELS
    rates: Mapping[str, Floats]  # in each second; keys of COUNTERS
    answers: Answers


class Recorder:
    """Keeps what each tick of an engine saw since the guests' loads began (monotonic seconds)."""

    def __init__(self, begun_at: float) -> None:
        self.begun_at = begun_at
        self.looks: list[Snapshot] = []

    def take(self, plan: Plan) -> None:
        """Take in what the tick that just ended saw."""
        self.looks.append(plan.snapshot)


def series(recorded: Recorder, name: str, answers: Answers) -> Series:
    """Return a guest's run, over as many seconds as there are answers."""
    rows = [
        (look.taken_at - recorded.begun_at, look, look.names.index(name))
        for look in recorded.looks
        if name in look.names
    ]
    edges = np.arange(len(answers.answered) + 1, dtype=np.float64)
    _, first, row = rows[0]
    return Series(
        maximum_bytes=float(first.maximum[row]),
        levels={key: _at(edges, rows, read)[1:] for key, read in LEVELS.items()},
        rates={key: np.diff(_at(edges, rows, read)) for key, read in COUNTERS.items()},
        answers=answers,
    )


def _at(
    edges: Floats, rows: Sequence[tuple[float, Snapshot, int]], read: Callable[[Snapshot], Floats]
) -> Floats:
    """Return a value at these seconds, on straight lines between looks; NaN where it was never known."""
    known = [(at, value) for at, look, row in rows if not np.isnan(value := read(look)[row])]
    if not known:
        return np.full(len(edges), np.nan)
    times, values = np.array(known, dtype=np.float64).T
    levels: Floats = np.interp(edges, times, values)
    return levels


def by_second(at: Floats, answered: Floats, seconds: Floats, length: int) -> Answers:
    """Return answers given at these seconds, gathered by whole second; what lies outside is left out."""
    second = np.floor(at).astype(np.int64)
    inside = (second >= 0) & (second < length)
    count = np.bincount(second[inside], answered[inside], length)
    total = np.bincount(second[inside], (answered * np.nan_to_num(seconds))[inside], length)
    mean = np.divide(total, count, out=np.full(length, np.nan), where=count > 0)
    return Answers(count.astype(np.float64), mean)
