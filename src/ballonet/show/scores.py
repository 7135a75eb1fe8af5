"""Scores side by side: a row a policy, the spread over seeds beside the mean."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ballonet.show.document import document
from ballonet.show.table import table
from ballonet.simulator.confidence import interval
from ballonet.simulator.contest import Result
from ballonet.simulator.scores import Score
from ballonet.units import MIB, format_size

_COLUMNS: Mapping[str, tuple[Callable[[Score], float], Callable[[float], str]]] = {
    "GIVEN BACK": (lambda score: score.given_back_bytes, format_size),
    "OF ORACLE": (lambda score: score.given_back_share, lambda value: f"{value:.0%}".replace("%", " %")),
    "LOST": (lambda score: 100 * score.work_lost_share, lambda value: f"{value:.2g} %"),
    "LATENCY": (lambda score: score.latency_ratio, lambda value: f"{value:.3g} x"),
    "WORST GUEST": (lambda score: score.worst_latency_ratio, lambda value: f"{value:.3g} x"),
    "SLOW": (lambda score: score.slow_seconds, lambda value: f"{value:.0f} s"),
    "SWAPPED IN": (lambda score: score.swap_in_bytes / MIB, lambda value: f"{value:.3g} MiB"),
    "READS": (lambda score: score.disk_reads, lambda value: f"{value:.0f}"),
    "OVER": (lambda score: score.over_budget_byte_seconds / MIB, lambda value: f"{value:.3g} MiB s"),
    "KILLED": (lambda score: score.oom_kills, lambda value: f"{value:.3g}"),
    "REACTION": (lambda score: score.reaction_seconds, lambda value: f"{value:.2g} s"),
    "RELIEF": (lambda score: score.relief_seconds, lambda value: f"{value:.2g} s"),
    "TURNS/H": (lambda score: score.turns_per_guest_hour, lambda value: f"{value:.0f}"),
    "FAIR": (lambda score: score.fairness, lambda value: f"{value:.2f}"),
    "DECIDING": (lambda score: 1e3 * score.decide_seconds, lambda value: f"{value:.2g} ms"),
}


def scores_table(results: Sequence[Result]) -> str:
    """Return a table for each scenario."""
    scenarios = list(dict.fromkeys(result.entry.scenario for result in results))
    return "\n\n".join(
        _one([result for result in results if result.entry.scenario == name], name) for name in scenarios
    )


def scores_document(results: Sequence[Result]) -> str:
    """Return all figures of all runs, and their means over seeds, as JSON."""
    return document(
        means=[
            {"scenario": name, "policy": policy, "seeds": len(scores), **_means(scores)}
            for (name, policy), scores in _by_policy(results).items()
        ],
        runs=[
            {
                "scenario": result.entry.scenario,
                "seed": result.entry.seed,
                "policy": result.policy,
                **result.score.document(),
                **result.outcome.document(),
            }
            for result in results
        ],
    )


def _by_policy(results: Sequence[Result]) -> dict[tuple[str, str], list[Score]]:
    """Return the scores of all seeds by scenario and policy."""
    found: dict[tuple[str, str], list[Score]] = {}
    for result in results:
        found.setdefault((result.entry.scenario, result.policy), []).append(result.score)
    return found


def _means(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """Return each figure's mean with its 95 % confidence interval, and its range."""
    figures = {name: [score.document()[name] for score in scores] for name in scores[0].document()}
    return {
        name: {
            "mean": float(np.mean(values)),
            "low": interval(values)[0],
            "high": interval(values)[1],
            "least": min(values),
            "most": max(values),
        }
        for name, values in figures.items()
    }


def _one(results: Sequence[Result], name: str) -> str:
    runs = len({result.entry.seed for result in results})
    policies = list(dict.fromkeys(result.policy for result in results))
    rows = [_row(policy, [each.score for each in results if each.policy == policy]) for policy in policies]
    title = f"{name}, {runs} runs each: mean (least to most)" if runs > 1 else name
    return f"{title}\n{table(['POLICY', *_COLUMNS], rows, right=list(_COLUMNS))}"


def _row(policy: str, scores: Sequence[Score]) -> list[str]:
    return [policy, *(_cell([read(score) for score in scores], text) for read, text in _COLUMNS.values())]


def _cell(values: Sequence[float], text: Callable[[float], str]) -> str:
    """Return the mean, and the range where there is one to be seen."""
    mean, low, high = text(float(np.mean(values))), text(min(values)), text(max(values))
    return mean if low == high else f"{mean} ({low.split()[0]} to {high.split()[0]})"
