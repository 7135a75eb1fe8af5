"""The smallest host on which a policy does no harm, beside what who knows the future needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ballonet.simulator.oracle import oracle
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.scenarios import Scenario, scenario
from ballonet.simulator.scores import work_lost
from ballonet.simulator.trial import Trial, outcome

# Hosts are tried from the sum of maxima down in steps, and then in finer ones from the last that passed.
STEP_PERCENT = 5
MEAN_LOST, NEARLY_ALL_LOST, WORST_LOST = 0.005, 0.01, 0.05  # of guests: mean, 95th percentile, worst


@dataclass(frozen=True, slots=True)
class Density:
    """How small a host may be. Shares of the sum of the maxima."""

    scenario: str
    policy: str  # its title
    least_share: float | None  # the smallest that passes all gates, as larger ones do; None: none does
    oracle_share: float
    fails: tuple[str, ...]  # the gates that a host fails that is smaller by one hundredth

    @property
    def density(self) -> float:
        """Return which part of what can be saved is: (1 - least) / (1 - oracle); 0 where no host passes."""
        return 0.0 if self.least_share is None else (1.0 - self.least_share) / (1.0 - self.oracle_share)


@dataclass(frozen=True, slots=True)
class Host:
    """A scenario as a seed varies it, and what it came to with all its memory."""

    scenario: Scenario
    twin: Outcome


@dataclass(frozen=True, slots=True)
class Task:
    """A density to find."""

    scenario: str
    seeds: tuple[int, ...]
    trial: Trial  # its own scenario is left out of account


def find(task: Task) -> Density:
    """Return a task's density."""
    return density(task.scenario, hosts(task.scenario, task.seeds), task.trial)


def hosts(name: str, seeds: Iterable[int]) -> list[Host]:
    """Return a scenario's hosts, one a seed."""
    varied = [scenario(name, seed) for seed in seeds]
    return [Host(each, outcome(Trial(each, "none"))) for each in varied]


def density(name: str, on: Sequence[Host], trial: Trial) -> Density:
    """Return how small these hosts of a scenario may be; the trial's own scenario is left out of account."""
    least, fails = _descend(on, trial, range(100, 0, -STEP_PERCENT))
    if least is not None:
        finer, fails = _descend(on, trial, range(least - 1, least - STEP_PERCENT, -1), fails)
        least = finer or least
    known = max(oracle(host.scenario).peak_bytes / host.scenario.whole_bytes() for host in on)
    return Density(name, trial.title, None if least is None else least / 100, known, fails)


def _descend(
    on: Sequence[Host], trial: Trial, percents: Iterable[int], fails: tuple[str, ...] = ()
) -> tuple[int | None, tuple[str, ...]]:
    """Return the last size that passes before the first that does not, and what that one fails.

    That is `fails` where all of these pass.
    """
    least = None
    for percent in percents:
        failed = failures(on, trial, percent / 100)
        if failed:
            return least, failed
        least = percent
    return least, fails


def failures(on: Sequence[Host], trial: Trial, share: float) -> tuple[str, ...]:
    """Return which gates a trial fails on hosts of this share of their maxima; guests of all are counted."""
    runs = [outcome(_on(host.scenario, trial, share)) for host in on]
    lost = np.concatenate([work_lost(run, host.twin) for run, host in zip(runs, on, strict=True)])
    failed = {
        "OOM kills": any(run.oom_kills > host.twin.oom_kills for run, host in zip(runs, on, strict=True)),
        "mean work lost": lost.mean() > MEAN_LOST,
        "95th percentile of work lost": np.quantile(lost, 0.95) > NEARLY_ALL_LOST,
        "worst guest's work lost": lost.max() > WORST_LOST,
        "budget": any(
            run.summary.over_budget_byte_seconds > 0 and host.scenario.settled
            for run, host in zip(runs, on, strict=True)
        ),
        "floors": any(run.history.below_floor for run in runs),
        "blind guests": any(run.history.shrunk_blind for run in runs),
    }
    return tuple(gate for gate, fails in failed.items() if fails)


def _on(found: Scenario, trial: Trial, share: float) -> Trial:
    """Return the trial on a host of that size, where what nobody needs is given: harm alone counts."""
    return replace(trial, scenario=replace(found, budget_bytes=share * found.whole_bytes()), gives=True)
