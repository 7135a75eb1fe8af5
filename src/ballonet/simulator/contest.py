"""Policies on scenarios, seed by seed, side by side on all processors."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace

from ballonet.simulator.oracle import oracle
from ballonet.simulator.outcome import Outcome
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
    found: dict[Entry, list[Result]] = {}
    # Not forked: the libraries below numpy have threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context) as pool:
        tasks = {pool.submit(run_entry, entry, trials): entry for entry in entries}
        for task in as_completed(tasks):
            found[tasks[task]] = task.result()
            done(tasks[task])
    return [result for entry in entries for result in found[entry]]


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
