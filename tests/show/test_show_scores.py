"""Scores as a table: the mean of seeds, and from where to where they went."""

import json
from dataclasses import replace

from ballonet.show.scores import scores_document, scores_table
from ballonet.simulator.contest import Entry, Result, run_entry
from ballonet.simulator.scenarios import scenario
from ballonet.simulator.trial import Trial


def results() -> list[Result]:
    """Return two seeds of one short scenario, the second of them made worse."""
    first = run_entry(Entry("idle", 101), [Trial(scenario("idle"))])
    worse = [
        replace(each, entry=Entry("idle", 102), score=replace(each.score, slow_seconds=8.0, oom_kills=1.0))
        for each in first
    ]
    return first + worse


def test_the_range_of_seeds_stands_beside_their_mean() -> None:
    title, header, none, ours = scores_table(results()).splitlines()
    assert "idle, 2 runs each: mean (least to most)" == title
    assert header.startswith("POLICY")
    assert none.startswith("none ")
    assert ours.startswith("ballonet ")
    assert "4 s (0 to 8)" in ours
    assert "0.5 (0 to 1)" in ours


def test_a_figure_that_is_the_same_for_all_seeds_has_no_range() -> None:
    assert "1 x" in scores_table(results())
    assert "1 x (1" not in scores_table(results())


def test_the_document_has_every_run() -> None:
    runs = json.loads(scores_document(results()))["runs"]
    assert [("none", 101), ("ballonet", 101), ("none", 102), ("ballonet", 102)] == [
        (run["policy"], run["seed"]) for run in runs
    ]
    assert {"given_back_share", "latency_ratio", "held_mean_bytes"} <= set(runs[0])


def test_the_document_has_means_with_their_confidence_and_range() -> None:
    none, ours = json.loads(scores_document(results()))["means"]
    assert ("none", "ballonet", 2) == (none["policy"], ours["policy"], ours["seeds"])
    slow = ours["slow_seconds"]
    assert (0.0, 4.0, 8.0) == (slow["least"], slow["mean"], slow["most"])
    assert slow["least"] <= slow["low"] < slow["mean"] < slow["high"] <= slow["most"]
