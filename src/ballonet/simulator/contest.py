"""Policies on scenarios, seed by seed, side by side on all processors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ballonet.simulator.oracle import oracle
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.pool import everywhere
from ballonet.simulator.scenarios import scenario
from ballonet.simulator.scores import Score, score
from ballonet.simulator.trial import Trial, outcome


@dataclass(frozen=True, slots=True)
class Entry:
    """One host that all policies run on."""

    scenario: str
    seed: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a policy came to there."""

    entry: Entry
    policy: str  # its title
    score: Score
    outcome: Outcome


def contest(
    entries: Sequence[Entry], trials: Sequence[Trial], done: Callable[[Entry], None] = lambda _: None
) -> list[Result]:
    """Return what each trial came to on each entry; a trial's own scenario is left out of account.

    `done` is called as entries are finished. The order is that of the entries and trials, whatever ran first.
    """
    found = everywhere(partial(run_entry, trials=trials), entries, done)
    return [result for results in found for result in results]


def run_entry(entry: Entry, trials: Sequence[Trial]) -> list[Result]:
    """Return what each trial came to, that without ballooning first."""
    return list(_results(entry, trials))


def _results(entry: Entry, trials: Sequence[Trial]) -> Iterator[Result]:
    found = scenario(entry.scenario, entry.seed)
    known = oracle(found)
    twin = outcome(Trial(found, "none"))
    yield Result(entry, "none", score(found, twin, twin, known), twin)
    for trial in trials:
        run = outcome(replace(trial, scenario=found))
        yield Result(entry, trial.title, score(found, run, twin, known), run)
