"""What a run was worth beside the same loads without ballooning, and beside who knows the future."""

from dataclasses import asdict, dataclass

import numpy as np

from ballonet.facts.snapshot import Floats
from ballonet.simulator.history import History
from ballonet.simulator.oracle import STEP_SECONDS, Oracle
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.recording import Answers
from ballonet.simulator.scenarios import Scenario
from ballonet.units import MIB

SPIKE_BYTES = 64 * MIB  # a demand that rises by so much within a second is a spike
SLOW_RATIO, SLOW_SECONDS = 2.0, 1e-3
TURN_SHARE = 0.01  # of the maximum: smaller moves are no change of direction


@dataclass(frozen=True, slots=True)
class Score:
    """One run's figures. Bytes and seconds."""

    given_back_bytes: float  # of the sum of maxima, mean
    given_back_share: float  # of what could have been given back by who knows the future
    latency_ratio: float  # mean latency against no ballooning
    worst_latency_ratio: float  # of the guest that it is largest for
    work_lost_share: float  # requests not answered that else were
    slow_seconds: float  # guest-seconds with more than twice the latency, and a millisecond
    swap_in_bytes: float
    disk_reads: float  # more than without ballooning
    over_budget_byte_seconds: float
    oom_kills: float
    reaction_seconds: float  # from a spike of demand to the first grant, the slowest
    turns_per_guest_hour: float  # changes of direction
    fairness: float  # Jain's index of the slowdowns
    decide_seconds: float  # mean of a tick

    def document(self) -> dict[str, float]:
        """Return the figures as JSON holds them."""
        return asdict(self)


def score(scenario: Scenario, run: Outcome, twin: Outcome, known: Oracle) -> Score:
    """Return a run's figures; `twin` is the same without ballooning."""
    slow = _slowdowns(run, twin)
    given, whole = scenario.whole_bytes() - run.held_bytes, scenario.whole_bytes()
    deciding = run.history.decide_seconds
    return Score(
        given_back_bytes=given,
        given_back_share=given / max(whole - known.mean_bytes, 1.0),
        latency_ratio=run.mean_ms / twin.mean_ms,
        worst_latency_ratio=float(slow.max()),
        work_lost_share=max(0.0, 1.0 - run.requests / max(twin.requests, 1)),
        slow_seconds=float(sum(_slow(run.answers[name], twin.answers[name]) for name in run.answers)),
        swap_in_bytes=float(run.swap_in_pages * 4096),
        disk_reads=max(0.0, float(run.disk_reads - twin.disk_reads)),
        over_budget_byte_seconds=run.summary.over_budget_byte_seconds,
        oom_kills=float(run.oom_kills),
        reaction_seconds=_reaction(scenario, run.history, known),
        turns_per_guest_hour=_turns(scenario, run.history),
        fairness=float(slow.sum() ** 2 / (len(slow) * np.square(slow).sum())),
        decide_seconds=float(np.mean(deciding)) if deciding else 0.0,
    )


def _slowdowns(run: Outcome, twin: Outcome) -> Floats:
    """Return each guest's mean latency against that without ballooning, at least 1."""
    ratios = [_mean(run.answers[name]) / _mean(twin.answers[name]) for name in run.answers]
    slowdowns: Floats = np.maximum(np.nan_to_num(np.array(ratios), nan=1.0), 1.0)
    return slowdowns


def _mean(answers: Answers) -> float:
    total = float(answers.answered.sum())
    return float((answers.answered * np.nan_to_num(answers.seconds)).sum()) / total if total else np.nan


def _slow(answers: Answers, twin: Answers) -> int:
    """Return in how many seconds a guest was slow."""
    usual = SLOW_RATIO * np.nan_to_num(_mean(twin)) + SLOW_SECONDS
    return int((np.nan_to_num(answers.seconds) > usual).sum())


def _reaction(scenario: Scenario, history: History, known: Oracle) -> float:
    """Return the longest time from a spike of demand beyond a guest's size to the first grant after it."""
    if not history.at:
        return 0.0
    slowest, a_second = 0.0, round(1.0 / STEP_SECONDS)
    for column, name in enumerate(scenario.loads):
        sizes = np.array([sizes[history.names.index(name)] for sizes in history.actual])
        demand = known.demand[:, column]
        for row in range(a_second, len(demand)):
            begins = demand[row] - demand[row - 1] > 0 and demand[row - 1] <= demand[row - a_second]
            if not begins:
                continue
            at = known.seconds[row]
            peak = demand[row : row + a_second].max()
            had = sizes[max(0, int(np.searchsorted(history.at, at)) - 1)]
            if peak - demand[row - 1] < SPIKE_BYTES or peak <= had:
                continue
            granted = [when - at for when, who in history.grants if who == name and when >= at - STEP_SECONDS]
            slowest = max(slowest, min(granted, default=scenario.seconds - at))
    return float(max(slowest, 0.0))


def _turns(scenario: Scenario, history: History) -> float:
    """Return how often a guest's size changed its direction, a guest and hour."""
    if len(history.at) < 2:
        return 0.0
    sizes = np.stack(history.actual)
    least = TURN_SHARE * np.array([float(scenario.maximum(name)) for name in history.names])
    turns = 0
    for column in range(sizes.shape[1]):
        came_from, direction = sizes[0, column], 0
        for size in sizes[1:, column].tolist():
            if abs(size - came_from) < least[column]:
                continue
            now = 1 if size > came_from else -1
            turns += direction not in (0, now)
            came_from, direction = size, now
    hours = (history.at[-1] - history.at[0]) / 3600.0
    return float(turns / sizes.shape[1] / max(hours, 1e-9))
