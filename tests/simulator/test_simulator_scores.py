"""A run's figures, from runs made by hand and from real ones."""

from dataclasses import replace

import numpy as np
import pytest
from columns import known, snapshot

from ballonet.engine.summary import Summary
from ballonet.facts.verdict import CODES
from ballonet.policy.plan import plan
from ballonet.policy.settings import Settings
from ballonet.simulator.history import History
from ballonet.simulator.oracle import oracle
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.recording import Answers
from ballonet.simulator.scenarios import Scenario, scenario
from ballonet.simulator.scores import score, work_lost
from ballonet.simulator.trial import Trial, outcome
from ballonet.units import MIB

PAIR = Scenario(
    "a burst beside a rest",
    {"web": "at 0 anon_mib=40\nat 10 anon_mib=240 grow_mib_s=200", "shop": "at 0 anon_mib=40"},
    budget_bytes=600.0 * MIB,
    seconds=20.0,
)


def history(sizes_mib: list[tuple[float, float]], grants: list[tuple[float, str]]) -> History:
    """Return a history of two guests, a look a second."""
    made = History(names=("shop", "web"), grants=grants)
    for second, (shop, web) in enumerate(sizes_mib):
        made.at.append(float(second))
        made.actual.append(np.array([shop, web]) * MIB)
        made.unused.append(np.array([50.0, 50.0]) * MIB)
        made.swap_in.append(np.zeros(2))
    return made


def run(web_ms: float, past: History, **changed: float) -> Outcome:
    answers = {
        "web": Answers(np.full(20, 50.0), np.full(20, web_ms / 1e3)),
        "shop": Answers(np.full(20, 50.0), np.full(20, 1e-3)),
    }
    made = Outcome(
        summary=Summary(),
        budget_bytes=600.0 * MIB,
        requests=2000,
        mean_ms=(web_ms + 1.0) / 2,
        p99_ms=web_ms,
        worst_guest="web",
        worst_guest_mean_ms=web_ms,
        burst_mib_s=200.0,
        swap_in_pages=0,
        oom_kills=0,
        held_bytes=1024.0 * MIB,
        resident_bytes=0.0,
        disk_reads=0,
        answers=answers,
        history=past,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


LEVEL = [(512.0, 512.0)] * 20


def test_a_run_like_its_twin_lost_nothing() -> None:
    twin = run(1.0, history(LEVEL, []))
    found = score(PAIR, twin, twin, oracle(PAIR))
    assert (0.0, 1.0, 1.0, 0.0, 1.0) == (
        found.given_back_share,
        found.latency_ratio,
        found.worst_latency_ratio,
        found.slow_seconds,
        found.fairness,
    )
    assert (0.0, 0.0) == (found.turns_per_guest_hour, found.reaction_seconds)


def test_one_slow_guest_shows_beside_one_that_is_not() -> None:
    twin = run(1.0, history(LEVEL, []))
    found = score(PAIR, run(5.0, history(LEVEL, [])), twin, oracle(PAIR))
    assert 3.0 == pytest.approx(found.latency_ratio)
    assert 5.0 == pytest.approx(found.worst_latency_ratio)
    assert 20.0 == found.slow_seconds
    assert (5 + 1) ** 2 / (2 * (25 + 1)) == pytest.approx(found.fairness)


def answers(answered: list[float], seconds: list[float]) -> dict[str, Answers]:
    return {"web": Answers(np.array(answered), np.array(seconds))}


@pytest.mark.parametrize(
    ("answered", "seconds", "share"),
    [
        ([50.0, 50.0], [1e-3, 1e-3], 0.0),
        ([50.0, 50.0], [3e-3, 1e-3], (50 * 2e-3) / 2),  # a tenth of the first second
        ([50.0, 50.0], [0.5e-3, 0.5e-3], 0.0),  # faster is nothing lost
        ([50.0, 50.0], [0.5, 1e-3], (1.0 - 0.05) / 2),  # 25 wait beside each other: the second is full
        ([0.0, 50.0], [np.nan, 1e-3], (1.0 - 0.05) / 2),  # nothing was answered that else was
    ],
)
def test_work_is_lost_while_requests_wait(answered: list[float], seconds: list[float], share: float) -> None:
    twin = run(1.0, history(LEVEL, []), answers=answers([50.0, 50.0], [1e-3, 1e-3]))  # type: ignore[arg-type]
    slower = run(1.0, history(LEVEL, []), answers=answers(answered, seconds))  # type: ignore[arg-type]
    assert [share] == pytest.approx(work_lost(slower, twin).tolist())


def test_the_median_reaction_stands_beside_the_slowest() -> None:
    twice = replace(
        PAIR,
        loads={"web": "at 0 anon_mib=40\nat 5 anon_mib=140\nat 10 anon_mib=340", "shop": "at 0 anon_mib=40"},
    )
    small = history([(80.0, 80.0)] * 20, [(5.5, "web"), (12.5, "web")])
    found = score(twice, run(1.0, small), run(1.0, history(LEVEL, [])), oracle(twice))
    assert (1.5, 2.5) == pytest.approx((found.reaction_median_seconds, found.reaction_seconds), abs=0.3)


def test_floors_broken_and_blind_guests_shrunk_are_counted() -> None:
    table = snapshot(3, actual=np.array([100.0, 199.0, 300.0]) * MIB, floor=np.full(3, 200.0 * MIB))
    decided = plan(table, known(table), Settings(budget_bytes=1e9))
    told = replace(
        decided,
        verdict=np.array([CODES["managed"], CODES["stale"], CODES["stale"]], dtype=np.int8),
        target=np.array([90.0, 190.0, 400.0]) * MIB,
    )
    past = History()
    past.take(told)
    assert (0, 0) == (past.below_floor, past.shrunk_blind)
    past.begin(0.0)
    past.take(told)
    assert (1, 1) == (past.below_floor, past.shrunk_blind)


def test_what_is_given_back_is_measured_by_what_could_have_been() -> None:
    known = oracle(PAIR)
    twin = run(1.0, history(LEVEL, []))
    all_of_it = run(1.0, history(LEVEL, []), held_bytes=known.mean_bytes)
    found = score(PAIR, all_of_it, twin, known)
    assert 1.0 == pytest.approx(found.given_back_share)
    assert found.given_back_limit_share < 0.98


@pytest.mark.parametrize(
    ("grants", "seconds"),
    [([(10.4, "web"), (11.0, "web")], 0.4), ([(10.4, "shop"), (12.0, "web")], 2.0), ([], 10.0)],
)
def test_reaction_is_the_time_from_a_spike_to_its_first_grant(
    grants: list[tuple[float, str]], seconds: float
) -> None:
    small = history([(256.0, 256.0)] * 20, grants)
    twin = run(1.0, history(LEVEL, []))
    assert seconds == pytest.approx(
        score(PAIR, run(1.0, small), twin, oracle(PAIR)).reaction_seconds, abs=0.3
    )


def test_a_spike_within_what_a_guest_has_needs_no_grant() -> None:
    twin = run(1.0, history(LEVEL, []))
    assert 0.0 == score(PAIR, run(1.0, history(LEVEL, [])), twin, oracle(PAIR)).reaction_seconds
    roomy = history([(256.0, 256.0)] * 20, [])
    roomy.unused = [np.full(2, 201.0) * MIB] * 20
    assert 0.0 == score(PAIR, run(1.0, roomy), twin, oracle(PAIR)).reaction_seconds


@pytest.mark.parametrize(
    ("pages", "seconds"),
    [
        ({}, 0.0),
        ({11: 500, 12: 800}, 2.0),
        ({11: 500, 16: 5}, 1.0),  # a stray page is no distress
        ({5: 500}, 0.0),  # before the spike
    ],
)
def test_relief_is_the_time_from_a_spike_to_the_last_pages_that_came_back_for_it(
    pages: dict[int, int], seconds: float
) -> None:
    small = history([(256.0, 256.0)] * 20, [])
    for second in range(20):
        small.swap_in[second] = np.array([9e9, sum(n for at, n in pages.items() if at <= second) * 4096.0])
    found = score(PAIR, run(1.0, small), run(1.0, history(LEVEL, [])), oracle(PAIR))
    assert seconds == pytest.approx(found.relief_seconds, abs=0.3)


def test_turns_are_counted_and_trembling_is_not() -> None:
    turning = [(512.0, 300.0 if second % 4 < 2 else 400.0) for second in range(20)]
    trembling = [(512.0, 300.0 + second % 2) for second in range(20)]
    twin = run(1.0, history(LEVEL, []))
    turns, none = (
        score(PAIR, run(1.0, history(sizes, [])), twin, oracle(PAIR)).turns_per_guest_hour
        for sizes in (turning, trembling)
    )
    assert 8 / 2 / (19 / 3600) == pytest.approx(turns)
    assert 0.0 == none


def test_ballonet_is_ahead_of_what_others_do_where_needs_trade_places() -> None:
    found = scenario("same-instant")
    twin, known = outcome(Trial(found, "none")), oracle(found)
    ours, equal = (score(found, outcome(Trial(found, name)), twin, known) for name in ("ballonet", "equal"))
    assert ours.given_back_share > 0.7
    assert ours.latency_ratio < 1.1 < equal.latency_ratio
    assert ours.swap_in_bytes < equal.swap_in_bytes / 10
    assert ours.reaction_seconds < 0.3
    assert 0.0 == ours.over_budget_byte_seconds == ours.oom_kills
