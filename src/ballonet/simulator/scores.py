"""What a run was worth beside the same loads without ballooning, and beside who knows the future."""

from collections.abc import Iterator
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
RELIEVED_BYTES = 64 << 10  # what comes back from swap in a second and is no distress
SLOW_RATIO, SLOW_SECONDS = 2.0, 1e-3
TURN_SHARE = 0.01  # of the maximum: smaller moves are no change of direction


@dataclass(frozen=True, slots=True)
class Score:
    """One run's figures. Bytes and seconds."""

    given_back_bytes: float  # of the sum of maxima, mean
    given_back_share: float  # of what could have been given back by who knows the future
    given_back_limit_share: float  # of what could have been if guests ran on their kernels' watermarks
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
    relief_seconds: float  # from a spike of demand to the last page swapped in for it, the slowest
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
    spikes = list(_spikes(scenario, run.history, known))
    reactions = [_reaction(spike, run.history, scenario.seconds) for spike in spikes]
    reliefs = [_relief(spike, run.history) for spike in spikes]
    return Score(
        given_back_bytes=given,
        given_back_share=given / max(whole - known.mean_bytes, 1.0),
        given_back_limit_share=given / max(whole - known.limit_bytes, 1.0),
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
        relief_seconds=max(reliefs, default=0.0),
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


@dataclass(frozen=True, slots=True)
class _Spike:
    """A demand that rises beyond what a guest has."""

    name: str
    at: float  # seconds
    until: float  # when its next one comes


def _spikes(scenario: Scenario, history: History, known: Oracle) -> Iterator[_Spike]:
    """Yield the spikes of all guests."""
    if not history.at:
        return
    a_second = round(1.0 / STEP_SECONDS)
    for column, name in enumerate(scenario.loads):
        own = history.names.index(name)
        demand, seconds = known.demand[:, column], known.seconds
        before, level = demand[a_second - 1 : -1], demand[:-a_second]
        rises = a_second + np.flatnonzero((demand[a_second:] > before) & (before <= level))
        ends = np.append(seconds[rises[1:]], scenario.seconds)  # one more where there is no rise
        for row, until in zip(rises.tolist(), ends.tolist(), strict=False):
            peak = demand[row : row + a_second].max()
            look = max(0, int(np.searchsorted(history.at, seconds[row])) - 1)
            had, room = history.actual[look][own], history.unused[look][own]
            if peak - demand[row - 1] >= max(SPIKE_BYTES, room) and peak > had:
                yield _Spike(name, float(seconds[row]), until)


def _reaction(spike: _Spike, history: History, end: float) -> float:
    """Return the seconds from a spike to the first grant after it."""
    granted = [
        at - spike.at for at, who in history.grants if who == spike.name and at >= spike.at - STEP_SECONDS
    ]
    return float(max(0.0, min(granted, default=end - spike.at)))


def _relief(spike: _Spike, history: History) -> float:
    """Return the seconds from a spike to the last look that saw pages come back from swap; 0: none did."""
    column = history.names.index(spike.name)
    at = np.array(history.at)
    swapped = np.diff([pages[column] for pages in history.swap_in], prepend=np.nan)
    late = (at >= spike.at) & (at < spike.until) & (swapped > RELIEVED_BYTES * np.diff(at, prepend=0.0))
    return float(at[late].max() - spike.at) if late.any() else 0.0


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
