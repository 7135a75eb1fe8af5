"""What is counted: each change once, by what became of it, and how far and how fast it went."""

import pytest
from columns import NOW, known, settings, snapshot
from kept import MemoryJournal

from ballonet.engine.counts import CountedJournal, Counts, Histogram
from ballonet.engine.write_ahead import ADOPTED
from ballonet.errors import JournalError
from ballonet.facts.act import Act, Outcome
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.plan import Bound
from ballonet.facts.request import Hold
from ballonet.policy.plan import plan
from ballonet.units import MIB

SHRINK = Act(100.0, "uuid", "web", 1000, 600, "planned")
HOLD = Hold("hold-1", "uuid", "web", 1.0, None, "anna", "")
GROW = Act(103.0, "uuid", "web", 700, 900, "burst")


def counted(counts: Counts) -> dict[tuple[str, str, str], int]:
    return {labels: count for labels, count in counts.changes.items() if count}


def test_a_histogram_counts_what_is_at_most_its_bound() -> None:
    histogram = Histogram((1.0, 2.0))
    for seconds in (0.5, 1.0, 1.5, 9.0):
        histogram.add(seconds)
    assert ([2, 3, 4], 12.0) == (histogram.cumulative(), histogram.sum)


def test_a_change_that_arrives_is_counted_with_its_way_and_its_time() -> None:
    counts = Counts()
    counts.begun(SHRINK)
    assert {} == counted(counts)
    counts.settled("uuid", 103.5, Outcome.REACHED, 602.0)
    assert {("shrink", "planned", "reached"): 1} == counted(counts)
    assert {"grow": 0.0, "shrink": 398.0} == counts.moved_bytes
    assert 3.5 == counts.convergence.sum
    counts.settled("uuid", 104.0, Outcome.REACHED, 602.0)
    assert 1 == sum(counts.changes.values())


def test_a_change_that_another_overtakes_went_as_far_as_that_one_began() -> None:
    counts = Counts()
    counts.begun(SHRINK)
    counts.begun(GROW)
    assert {("shrink", "planned", "overtaken"): 1} == counted(counts)
    assert {"grow": 0.0, "shrink": 300.0} == counts.moved_bytes
    assert {"uuid": 1} == counts.turns
    assert 0 == counts.convergence.cumulative()[-1]


@pytest.mark.parametrize("outcome", [Outcome.STUCK, Outcome.REFUSED, Outcome.FOREIGN])
def test_what_did_not_arrive_is_counted_as_such(outcome: Outcome) -> None:
    counts = Counts()
    counts.begun(SHRINK)
    counts.settled("uuid", 130.0, outcome, None)
    assert {("shrink", "planned", outcome.value): 1} == counted(counts)
    assert 0 == counts.convergence.cumulative()[-1]


def test_somebody_elses_change_is_none_of_ours() -> None:
    counts = Counts()
    counts.begun(Act(1.0, "uuid", "web", 600, 900, ADOPTED))
    assert (1, {}, {}) == (counts.foreign, counted(counts), counts.turns)


def test_a_guest_that_goes_leaves_nothing_behind() -> None:
    counts = Counts()
    counts.begun(SHRINK)
    counts.heard(Happening(101.0, Kind.WENT, "web", "uuid"))
    assert {("shrink", "planned", "overtaken"): 1} == counted(counts)
    assert {} == counts.turns
    counts.begun(GROW)
    assert {"uuid": 0} == counts.turns


def test_a_promise_is_counted_by_its_id() -> None:
    counts = Counts()
    counts.heard(Happening(1.0, Kind.BROKEN, "web", "uuid", text="G1: the target is below (1 bytes)"))
    assert {"G1": 1, "G2": 0, "G3": 0, "G4": 0, "G5": 0, "G6": 0, "G7": 0} == counts.violations


def test_a_full_journal_counts_nothing() -> None:
    counts = Counts()
    with pytest.raises(JournalError):
        CountedJournal(counts, MemoryJournal(full=True)).before([SHRINK])
    counts.settled("uuid", 1.0, Outcome.REACHED, 0.0)
    assert {} == counted(counts)


def test_ticks_are_counted_with_what_kept_each_guest() -> None:
    table, counts = snapshot(2, unused=900.0 * MIB, usable=900.0 * MIB), Counts()
    rested = plan(table, known(table, grew_at=NOW - 1.0), settings(16.0, give_surplus=False))
    assert (None, {Bound.DWELL}) == (counts.reads, {Bound(bound) for bound in rested.bound.tolist()})

    counts.ticked(rested, 0.5, 2.0)
    counts.ticked(rested, 2.5, 2.0)
    assert (True, 1, 3.0) == (counts.reads, counts.overruns, counts.ticks.sum)
    assert {"host_short": 0, "dwell": 4, "waits": 0, "distress": 0} == counts.refusals
    counts.failed()
    assert (False, 1) == (counts.reads, counts.failures)


@pytest.mark.parametrize(("size", "way"), [(600.0, "shrink"), (900.0, "grow")])
def test_what_an_observer_would_do_is_counted_as_that(size: float, way: str) -> None:
    counts = Counts()
    counts.heard(Happening(1.0, Kind.PLANNED, "web", "uuid", 700.0, size, written=False))
    counts.heard(Happening(1.0, Kind.PLANNED, "web", "uuid", 700.0, size))  # counted when it was sent
    counts.heard(Happening(1.0, Kind.PERIOD, "web", "uuid", written=False))
    assert {(way, "planned", "observed"): 1} == counted(counts)


def test_acts_are_counted_with_a_journal_and_without() -> None:
    kept = MemoryJournal()
    for inside in (kept, None):
        counts = Counts()
        journal = CountedJournal(counts, inside)
        journal.before([SHRINK])
        journal.settle("uuid", 101.0, Outcome.REACHED, 600.0)
        journal.keep(HOLD)
        assert inside is None or kept.requests == {HOLD.id: HOLD}
        journal.drop(HOLD.id)
        assert {("shrink", "planned", "reached"): 1} == counted(counts)
    assert ([SHRINK], [("uuid", Outcome.REACHED)], {}) == (kept.acts, kept.outcomes, kept.requests)
