"""What disks tell: the usual rate, what a read takes, and when reads are for want of memory."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from columns import known, later, settings, snapshot

from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.reads import excess_reads, read_disks
from ballonet.units import MIB

LAW = settings(4)
WHOLE: dict[str, Any] = {"actual": 1024 * MIB}
# Cut, and at its kernel's watermark: what it reads here it had to drop.
POOR: dict[str, Any] = {"actual": 512 * MIB, "unused": 10 * MIB, "usable": 210 * MIB}


def rested(**columns: float) -> Memory:
    """Return the memory of a guest that has been looked at, read nothing, and keeps one processor busy."""
    start = {"read_rate": 0.0, "disk_reads": 0.0, "disk_read_seconds": 0.0, "vcpu_seconds": 0.0, "busy": 1.0}
    return known(snapshot(1), **start | columns)


def looked(memory: Memory, seconds: float = 2.0, **columns: Any) -> Memory:
    """Return the memory after a look so many seconds later."""
    return read_disks(memory, later(seconds, **columns), np.array([seconds]), LAW)


def reading(rate: float, memory: Memory, seconds: int, **columns: Any) -> Memory:
    """Return the memory after so many seconds, looked at every two, at a constant rate of reads."""
    for step in range(2, seconds + 1, 2):
        memory = looked(memory, disk_reads=memory.disk_reads + 2 * rate, **{**columns, "stats_at": step})
    return memory


# --- the usual rate ---------------------------------------------------------------------------------


def test_the_usual_rate_follows_slowly_up_and_soon_down_while_a_guest_has_all_of_its_memory() -> None:
    risen = reading(100.0, rested(read_rate=100.0), 40, **WHOLE)
    fallen = reading(0.0, rested(usual_reads=100.0), 7 + 1, **WHOLE)

    assert 50.0 == pytest.approx(risen.usual_reads[0])
    assert 100 * 0.5 ** (8 / 7) == pytest.approx(fallen.usual_reads[0])


def test_what_a_guest_reads_while_it_is_cut_never_becomes_usual() -> None:
    """It may read for that reason; but what was usual, and is no more, is forgotten."""
    risen = reading(1000.0, rested(usual_reads=10.0, read_rate=1000.0), 120, **POOR)
    fallen = reading(0.0, rested(usual_reads=100.0), 8, **POOR)

    assert 10.0 == risen.usual_reads[0]
    assert 100 * 0.5 ** (8 / 7) == pytest.approx(fallen.usual_reads[0])


def test_reads_beyond_1_3_times_the_usual_and_4_a_second_are_excess() -> None:
    assert 100.0 - 1.3 * 40.0 - 4.0 == excess_reads(rested(read_rate=100.0, usual_reads=40.0), LAW)[0]
    assert 0.0 == excess_reads(rested(read_rate=55.0, usual_reads=40.0), LAW)[0]
    assert 0.0 == excess_reads(rested(read_rate=3.0), LAW)[0]


# --- what a read takes ------------------------------------------------------------------------------


def test_what_a_read_takes_is_learned_from_the_disk() -> None:
    first = looked(rested(), disk_reads=100.0, disk_read_seconds=0.1)
    slower = looked(first, 30.0, disk_reads=200.0, disk_read_seconds=0.4)

    assert 1e-3 == pytest.approx(first.read_seconds[0])
    assert 2e-3 == pytest.approx(slower.read_seconds[0])  # half of the way to 3 ms in a half-life


@pytest.mark.parametrize(
    ("reads", "seconds"), [(19.0, 0.1), (0.0, 0.0), (100.0, np.nan), (np.nan, 0.1), (100.0, -0.1)]
)
def test_few_reads_or_unknown_ones_teach_nothing(reads: float, seconds: float) -> None:
    taught = looked(rested(read_seconds=5e-3), disk_reads=reads, disk_read_seconds=seconds)

    assert 5e-3 == taught.read_seconds[0]


def test_the_processors_a_guest_keeps_busy_are_averaged_over_two_seconds() -> None:
    first = looked(rested(busy=1.0), vcpu_seconds=6.0)
    assert 2.0 == first.busy[0]
    assert 1.0 == looked(first, vcpu_seconds=6.0).busy[0]
    assert 3.0 == looked(rested(busy=np.nan), vcpu_seconds=6.0).busy[0]
    assert 1.0 == looked(rested(busy=1.0), vcpu_seconds=np.nan).busy[0]


# --- what is lost -----------------------------------------------------------------------------------


def lost(memory: Memory | None = None, **columns: Any) -> float:
    """Return the share of its time that a guest loses which reads 400 times a second."""
    given = {"disk_reads": 800.0, "disk_read_seconds": np.nan, "vcpu_seconds": np.nan, **POOR, **columns}
    return float(looked(memory or rested(read_rate=400.0), **given).lost[0])


def test_reads_of_what_was_dropped_cost_a_share_of_the_busy_processors_time() -> None:
    excess = 400.0 - 4.0

    assert excess * 150e-6 == pytest.approx(lost())
    assert excess * 2e-3 == pytest.approx(lost(rested(read_rate=400.0, read_seconds=2e-3)))
    assert excess * 150e-6 / 3 == pytest.approx(lost(rested(read_rate=400.0, busy=3.0)))
    assert excess * 150e-6 == pytest.approx(lost(rested(read_rate=400.0, busy=0.1)))
    assert excess * 150e-6 == pytest.approx(lost(rested(read_rate=400.0, busy=np.nan)))


@pytest.mark.parametrize(
    "columns",
    [
        {"disk_reads": np.nan},  # the disks are not visible
        {"unused": 200 * MIB, "usable": 400 * MIB},  # memory is free: nothing was dropped
        {"unused": np.nan},
        {"actual": 1024 * MIB},  # it has all that it may have
        {"disk_reads": 6.0},  # it reads no more: what it read a while ago does not count
    ],
)
def test_reads_that_are_not_for_want_of_memory_cost_nothing(columns: dict[str, Any]) -> None:
    assert 0.0 == lost(**columns)


def test_in_distress_the_programs_come_first() -> None:
    assert 0.0 == lost(replace(rested(read_rate=400.0), distress=np.array([True])))


def test_disks_that_cannot_be_seen_have_no_rate() -> None:
    assert np.isnan(looked(rested(read_rate=np.nan), disk_reads=np.nan).read_rate[0])
    assert 0.0 == looked(rested(read_rate=np.nan), disk_reads=np.nan).usual_reads[0]


def test_the_first_look_has_nothing_to_compare_with() -> None:
    table: Snapshot = snapshot(1, disk_reads=1e9, **POOR)

    first = read_disks(Memory.blank(1), table, np.array([np.nan]), LAW)

    assert np.isnan(first.read_rate[0])
    assert 0.0 == first.lost[0]
    assert 1e9 == first.disk_reads[0]


def test_reads_that_seem_taken_back_tell_nothing() -> None:
    """A disk was unplugged: the sum of all disks falls by all that it ever read."""
    before = rested(read_rate=40.0, usual_reads=40.0, disk_reads=1e6)

    unplugged = looked(before, disk_reads=1000.0, **POOR)
    after = reading(40.0, unplugged, 20, **POOR)

    assert [40.0, 40.0] == [unplugged.read_rate[0], unplugged.usual_reads[0]]
    assert 0.0 == after.lost[0]


def test_who_reads_for_want_of_memory_loses_time_and_nobody_beside_it() -> None:
    start = {
        "read_rate": 500.0,
        "disk_reads": 0.0,
        "disk_read_seconds": 0.0,
        "vcpu_seconds": 0.0,
        "busy": 1.0,
    }
    table = later(2, rows=2, **{**POOR, "disk_reads": [1000.0, 0.0], "disk_read_seconds": [2.0, 0.0]})

    lost = read_disks(known(snapshot(2), **start), table, np.full(2, 2.0), LAW).lost

    assert lost[0] > 0.0
    assert 0.0 == lost[1]
