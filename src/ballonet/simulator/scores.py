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
    given_back_resident_bytes: float  # of what the same holds resident without ballooning, mean
    work_lost_share: float  # time that requests waited more than without ballooning, mean of guests
    worst_work_lost_share: float
    slow_seconds: float  # guest-seconds with more than twice the latency, and a millisecond
    swap_in_bytes: float
    disk_reads: float  # more than without ballooning
    over_budget_byte_seconds: float
    oom_kills: float
    reaction_seconds: float  # from a spike of demand to the first grant, the slowest
    reaction_median_seconds: float
    turns_per_guest_hour: float  # changes of direction
    fairness: float  # Jain's index of the slowdowns
    decide_seconds: float  # mean of a tick
    below_floor: float  # guests and ticks
    shrunk_blind: float  # guests and ticks

    def document(self) -> dict[str, float]:
        """Return the figures as JSON holds them."""
        return asdict(self)


def score(scenario: Scenario, run: Outcome, twin: Outcome, known: Oracle) -> Score:
    """Return a run's figures; `twin` is the same without ballooning."""
    slow = _slowdowns(run, twin)
    given, whole = scenario.whole_bytes() - run.held_bytes, scenario.whole_bytes()
    deciding, lost = run.history.decide_seconds, work_lost(run, twin)
    reactions = _reactions(scenario, run.history, known)
    return Score(
        given_back_bytes=given,
        given_back_share=given / max(whole - known.mean_bytes, 1.0),
        latency_ratio=run.mean_ms / twin.mean_ms,
        worst_latency_ratio=float(slow.max()),
        given_back_resident_bytes=twin.resident_bytes - run.resident_bytes,
        work_lost_share=float(lost.mean()),
        worst_work_lost_share=float(lost.max()),
        slow_seconds=float(sum(_slow(run.answers[name], twin.answers[name]) for name in run.answers)),
        swap_in_bytes=float(run.swap_in_pages * 4096),
        disk_reads=max(0.0, float(run.disk_reads - twin.disk_reads)),
        over_budget_byte_seconds=run.summary.over_budget_byte_seconds,
        oom_kills=float(run.oom_kills),
        reaction_seconds=max(reactions, default=0.0),
        reaction_median_seconds=float(np.median(reactions)) if reactions else 0.0,
        turns_per_guest_hour=_turns(scenario, run.history),
        fairness=float(slow.sum() ** 2 / (len(slow) * np.square(slow).sum())),
        decide_seconds=float(np.mean(deciding)) if deciding else 0.0,
        below_floor=float(run.history.below_floor),
        shrunk_blind=float(run.history.shrunk_blind),
    )


def work_lost(run: Outcome, twin: Outcome) -> Floats:
    """Return which share of its time each guest's programs waited more than without ballooning.

    Arrivals times their latency is how many requests wait at a time (Little's law); a program of one thread
    does nothing else while one does. A second in which none is answered that else were is lost whole.
    """
    pairs = [(run.answers[name], twin.answers[name]) for name in run.answers]
    return np.array([max(0.0, _waiting(own, other) - _waiting(other, other)) for own, other in pairs])


def _waiting(answers: Answers, twin: Answers) -> float:
    """Return the share of its time in which a guest had a request to answer, over the seconds of both."""
    seconds = min(len(answers.answered), len(twin.answered))
    answered, latency = answers.answered[:seconds], answers.seconds[:seconds]
    lost = np.isnan(latency) & ~np.isnan(twin.seconds[:seconds])
    waiting = np.where(lost, 1.0, np.minimum(1.0, np.nan_to_num(answered * latency)))
    warm = ~np.isnan(twin.seconds[:seconds])
    return float(waiting[warm].mean()) if warm.any() else 0.0


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


def _reactions(scenario: Scenario, history: History, known: Oracle) -> list[float]:
    """Return the times from spikes of demand beyond a guest's size to the first grant after each."""
    if not history.at:
        return []
    reactions, a_second = [], round(1.0 / STEP_SECONDS)
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
            reactions.append(float(max(0.0, min(granted, default=scenario.seconds - at))))
    return reactions


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
