"""What the law keeps, whatever guests report and whatever is remembered of them."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from columns import courses, hosts, known, laws, take
from hypothesis import HealthCheck, given
from hypothesis import settings as example
from hypothesis import strategies as st

from ballonet.facts.host import HostMemory
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Bools, Floats, Snapshot
from ballonet.facts.verdict import CODES
from ballonet.policy.learn import learn, told
from ballonet.policy.plan import plan
from ballonet.policy.room import room
from ballonet.policy.settings import Settings
from ballonet.units import GIB, MIB

pytestmark = pytest.mark.fuzz

PAGE = 4096.0
REPORTS = ("stats_at", "unused", "usable", "available", "rss", "swap_in", "swap_out", "disk_reads")
COLUMNS = (*REPORTS, "period", "uptime", "disk_read_seconds", "vcpus", "vcpu_seconds", "pressure")
COLUMNS_AND_SIZES = (*COLUMNS, "actual", "maximum")
Known = tuple[Snapshot, Memory]
patient = example(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def managed(made: Plan, memory: Memory) -> Bools:
    able: Bools = (made.verdict >= CODES["stale"]) & ~np.isnan(memory.used)
    return able


def held(made: Plan, memory: Memory, law: Settings) -> Floats:
    """Return what each guest has, or was already told that it may."""
    return room(made.snapshot, memory, law, managed(made, memory), made.wanted[0]).held


def close(size: Floats) -> Floats:
    """Return how exact sums of such sizes are."""
    return 1.0 + 1e-9 * np.abs(size)


def lived(tables: list[Snapshot], law: Settings) -> Iterator[tuple[Plan, Memory]]:
    """Yield a plan and the memory it was made from for each moment; each is carried out."""
    memory = Memory.blank(len(tables[0]))
    for table in tables:
        memory = learn(memory, table, law)
        made = plan(table, memory, law)
        yield made, memory
        rows = np.flatnonzero(~np.isnan(made.target))
        memory = told(memory, rows, made.target[rows], table.taken_at)


# --- each plan ---------------------------------------------------------------------------------------


def holds(made: Plan, memory: Memory, law: Settings) -> None:
    """Assert all that is true of every plan."""
    able, table = managed(made, memory), made.snapshot
    stays_within_limits(made, able)
    fits(made, memory, law, able)
    touches_nobody_unknown(made, able)
    shrinks_only_the_trusted(made, memory)
    sizes = (made.allotted, made.wanted[:, able], made.got, made.budget, made.pool, made.free, made.short)
    assert all(np.isfinite(value).all() for value in sizes), "an unknown guest poisons the plan"
    assert len(table) == len(made.target)


def stays_within_limits(made: Plan, able: Bools) -> None:
    """G1, G2: what is allotted; no shrink below the floor, no growth beyond the ceiling."""
    table, target = made.snapshot, made.target
    assert np.all(made.allotted[able] >= (table.floor - close(table.floor))[able])
    assert np.all(made.allotted[able] <= (table.ceiling + close(table.ceiling))[able])
    shrinks, grows = able & (target < table.actual), able & (target > table.actual)
    assert np.all(target[shrinks] > (table.floor - PAGE)[shrinks])
    assert np.all(target[grows] <= table.ceiling[grows])


def fits(made: Plan, memory: Memory, law: Settings, able: Bools) -> None:
    """H1, H2: tiers sum up and fit; what is free is spent once, and what shrinks is not spent yet."""
    np.testing.assert_allclose(made.got.sum(axis=0)[able], made.allotted[able])
    assert np.all(made.got <= made.wanted + close(made.wanted), where=able)
    floors = made.snapshot.floor[able].sum()
    assert made.got.sum() <= max(made.budget, floors) * (1 + 1e-9) + 1.0
    there = held(made, memory, law)
    grown = np.where(able, np.maximum(np.nan_to_num(made.target) - there, 0.0), 0.0).sum()
    free = law.budget_bytes - there.sum()
    assert grown <= max(0.0, free) + 1.0


def touches_nobody_unknown(made: Plan, able: Bools) -> None:
    """G7, and unknown is not zero; a stuck guest is told to stay where it is."""
    table = made.snapshot
    stuck = (made.verdict == CODES["stuck"]) & ~np.isnan(made.target)
    assert np.all(np.abs(made.target - table.actual)[stuck] < PAGE)
    assert np.isnan(made.target[~able & ~stuck]).all()
    unknown = (
        np.isnan(table.usable) | np.isnan(table.unused) | np.isnan(table.actual) | np.isnan(table.maximum)
    )
    assert not (able & unknown).any()
    assert not np.any(made.target <= 0.0)
    assert np.all(made.allotted[~able] >= np.nan_to_num(table.actual)[~able])


def shrinks_only_the_trusted(made: Plan, memory: Memory) -> None:
    """G3, G4, G6."""
    table = made.snapshot
    shrinks = (made.target < np.floor(table.actual / PAGE) * PAGE) & (made.verdict != CODES["stuck"])
    assert np.all(made.verdict[shrinks] == CODES["managed"])
    assert not (shrinks & (memory.distress | ~memory.arrived)).any()
    assert not (shrinks & ~(table.stats_at > memory.changed_at)).any()


@patient
@given(hosts(), laws)
def test_every_plan_keeps_the_promises(host: Known, law: Settings) -> None:
    table, memory = host

    holds(plan(table, memory, law), memory, law)


@patient
@given(courses(), laws)
def test_every_plan_keeps_them_after_anything_that_may_have_happened(
    tables: list[Snapshot], law: Settings
) -> None:
    for made, memory in lived(tables, law):
        holds(made, memory, law)


@patient
@given(courses(), laws)
def test_what_is_learned_stays_within_its_bounds(tables: list[Snapshot], law: Settings) -> None:
    """Once known, a column of these never becomes unknown again."""
    for made, memory in lived(tables, law):
        for name in ("swap_debt", "growth", "kept", "bite", "trial", "usual_reads", "lost", "worse"):
            column = getattr(memory, name)
            assert np.all(column >= 0.0), name
        assert np.all(memory.kept <= np.nan_to_num(made.snapshot.ceiling, nan=np.inf))
        assert np.all((memory.hold_seconds >= 60.0) & (memory.hold_seconds <= 3600.0))
        assert np.all((memory.stuck_seconds >= 10.0) & (memory.stuck_seconds <= 3600.0))


@patient
@given(courses(), laws)
def test_the_same_inputs_give_the_same_plans_byte_for_byte(tables: list[Snapshot], law: Settings) -> None:
    """S1."""
    for (first, _), (second, _) in zip(lived(tables, law), lived(tables, law), strict=True):
        for name in ("target", "got", "allotted", "bound", "verdict"):
            assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


@patient
@given(hosts(), laws, st.integers(1, 2**40))
def test_below_the_reserve_nothing_grows(host: Known, law: Settings, lacking: int) -> None:
    """H3: whoever is in distress gets what others give, and not before it is there."""
    table, memory = host
    reserve = 2.0**41
    left = HostMemory(2**42, int(reserve) - lacking, 0, 0, None, None, None, 0)
    short = replace(table, host=left)

    made = plan(short, memory, replace(law, reserve_bytes=reserve))

    there = held(made, memory, law)
    assert not np.any(np.nan_to_num(made.target) > there + PAGE, where=managed(made, memory))


# --- one plan beside another -------------------------------------------------------------------------


@patient
@given(hosts(), laws, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(host: Known, law: Settings, random: Random) -> None:
    table, memory = host
    order = list(range(len(table)))
    random.shuffle(order)

    here = plan(table, memory, law)
    there = plan(take(table, order), memory.take(np.array(order)), law)

    np.testing.assert_allclose(here.allotted[order], there.allotted, rtol=1e-9, atol=PAGE)
    assert here.verdict[order].tolist() == there.verdict.tolist()


@patient
@given(hosts(), laws, st.integers(0, 5), st.floats(0, 4096))
def test_more_need_never_gets_less(host: Known, law: Settings, which: int, more: float) -> None:
    """G8."""
    table, memory = host
    row = which % len(table)
    needier = replace(memory, used=memory.used + np.where(np.arange(len(table)) == row, more * MIB, 0.0))

    less = plan(table, memory, law).allotted[row]

    assert plan(table, needier, law).allotted[row] >= less - PAGE - 1e-9 * less


@patient
@given(hosts(), laws, st.integers(0, 5), st.integers(2, 100))
def test_more_weight_never_gets_less(host: Known, law: Settings, which: int, factor: int) -> None:
    table, memory = host
    row = which % len(table)
    heavier = replace(table, weight=table.weight * np.where(np.arange(len(table)) == row, float(factor), 1.0))

    less = plan(table, memory, law).allotted[row]

    assert plan(heavier, memory, law).allotted[row] >= less - PAGE - 1e-9 * less


@patient
@given(hosts(), laws, st.floats(0, 64).map(lambda gib: gib * GIB))
def test_a_larger_budget_takes_from_nobody(host: Known, law: Settings, more: float) -> None:
    table, memory = host

    before = plan(table, memory, law)
    after = plan(table, memory, replace(law, budget_bytes=law.budget_bytes + more))

    assert np.all(after.allotted >= before.allotted - PAGE - 1e-9 * before.allotted)


@patient
@given(hosts(), laws)
def test_equal_guests_end_equal(host: Known, law: Settings) -> None:
    """Each guest twice, side by side."""
    table, memory = host
    twice = np.repeat(np.arange(len(table)), 2)

    made = plan(take(table, twice.tolist()), memory.take(twice), law)

    np.testing.assert_allclose(made.allotted[::2], made.allotted[1::2], rtol=1e-9, atol=1.0)


@patient
@given(hosts(), laws, st.integers(0, 5))
def test_a_guest_that_tells_nothing_but_its_size_keeps_it_and_hinders_nobody(
    host: Known, law: Settings, which: int
) -> None:
    """H4: its size is counted, and else it is as if it were not there."""
    table, memory = host
    row = which % len(table)
    silence = np.where(np.arange(len(table)) == row, np.nan, 0.0)
    there: dict[str, Any] = {name: getattr(table, name) + silence for name in REPORTS}
    quiet = replace(table, **there)

    made = plan(quiet, memory, law)

    holds(made, memory, law)
    assert row not in made.changes() or made.verdict[row] == CODES["stuck"]


@patient
@given(hosts(), laws, st.sampled_from(COLUMNS_AND_SIZES))
def test_a_column_that_is_unknown_for_all_harms_nobody(host: Known, law: Settings, name: str) -> None:
    table, _ = host
    column: dict[str, Any] = {name: np.full(len(table), np.nan)}
    blind = replace(table, **column)
    memory = learn(known(table), blind, law)
    made = plan(blind, memory, law)

    holds(made, memory, law)
    if name in {"unused", "usable", "stats_at", "actual", "maximum"}:
        assert [] == made.changes()
