"""What agents tell: believed while it is of now and of the size that a guest has, within its limits."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from columns import NOW, courses, known, later, laws, settings, snapshot
from hypothesis import given
from hypothesis import strategies as st

from ballonet.facts.snapshot import Snapshot
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.heard import has_swap, heard, tells
from ballonet.policy.learn import learn
from ballonet.policy.need import cushion
from ballonet.policy.plan import plan
from ballonet.policy.reads import read_disks
from ballonet.policy.sample import read_sample
from ballonet.policy.settings import Settings
from ballonet.units import GIB, MIB

LAW = settings(4)
R = reserve_bytes(1024.0 * MIB)
# Cut to half and with nothing left to drop.
POOR: dict[str, Any] = {"actual": 512 * MIB, "unused": 10 * MIB, "usable": 20 * MIB}
TOLD: dict[str, Any] = {"pressure": 0.25, "swap_left": 100.0 * MIB}
REST = {"moved_at": NOW - 60, "changed_at": NOW - 60}


def pressure(remembered: dict[str, Any] | None = None, **columns: Any) -> float:
    """Return what is believed of waits for a quarter of the last second, told half a second ago."""
    table = snapshot(1, **TOLD | columns)
    return float(heard(table, known(table, **REST | (remembered or {})), LAW).pressure[0])


@pytest.mark.parametrize("heard_at", [NOW, NOW - 0.5, NOW - 6.0])
def test_what_was_told_is_believed_for_six_seconds(heard_at: float) -> None:
    assert 0.25 == pressure(heard_at=heard_at)


@pytest.mark.parametrize("heard_at", [NOW - 6.1, NOW + 0.1, np.nan])
def test_what_is_older_from_the_future_or_of_nobody_knows_when_is_unknown(heard_at: float) -> None:
    table = snapshot(1, heard_at=heard_at, **TOLD)

    assert np.isnan(pressure(heard_at=heard_at))
    assert np.isnan(heard(table, known(table), LAW).swap_left[0])
    assert [False] == tells(table, LAW).tolist()


@pytest.mark.parametrize(
    "remembered",
    [
        {"arrived": False, "target": 400.0 * MIB},  # the balloon is on its way
        {"moved_at": NOW - 0.9},  # it moved while programs waited
        {"changed_at": NOW - 0.9},
    ],
)
def test_waits_while_the_balloon_moved_say_nothing_of_the_size_that_a_guest_has(
    remembered: dict[str, Any],
) -> None:
    assert np.isnan(pressure(remembered))
    assert 0.25 == pressure(dict.fromkeys(REST, NOW - 1.0))


def test_waits_that_an_agent_tells_are_distress_of_a_guest_that_is_cut_and_short() -> None:
    memory = known(snapshot(1, **POOR), **REST)

    def distress(**columns: Any) -> bool:
        return bool(read_sample(memory, later(2, **{**POOR, **columns}), LAW).distress[0])

    assert distress(pressure=0.0011)
    assert not distress(pressure=0.0009)
    assert not distress(pressure=1.0, heard_at=NOW - 5)
    assert not distress(pressure=1.0, usable=3 * R)
    assert not distress(pressure=1.0, actual=1024 * MIB)


# --- swap -----------------------------------------------------------------------------------------------


def test_a_cushion_need_not_be_doubled_for_a_guest_whose_agent_tells_of_room_in_its_swap() -> None:
    """1 GiB: 2 % where it has swap, 4 % where it has none or nobody tells."""

    def share(**columns: Any) -> float:
        table = snapshot(1, **columns)
        return float(cushion(table, known(table, growth=0.0), LAW)[0]) / GIB

    assert 0.04 == pytest.approx(share())
    assert 0.02 == pytest.approx(share(swap_left=100.0 * MIB))
    assert 0.04 == pytest.approx(share(swap_left=100.0 * MIB, heard_at=NOW - 7))
    assert 0.04 == pytest.approx(share(swap_left=0.0))
    assert 0.04 == pytest.approx(share(swap_left=0.0, swap_out=1.0 * GIB))  # it is full


def test_swap_that_holds_less_than_a_cushion_is_as_good_as_none() -> None:
    table = snapshot(2, swap_left=np.array([20.0 * MIB, 21.0 * MIB]))

    assert [False, True] == has_swap(table, heard(table, known(table), LAW), LAW).tolist()


# --- reads that the host does not see ---------------------------------------------------------------------


def read(**columns: Any) -> float:
    """Return the reads/s that count after two seconds of a guest that is cut and at its watermark."""
    poor = {**POOR, "usable": 210 * MIB}
    start = {"read_rate": np.nan, "disk_reads": 0.0, "disk_read_seconds": 0.0, "read_seconds": 500e-6}
    memory = known(snapshot(1, **poor), **REST | start)
    return float(read_disks(memory, later(2, **{**poor, **columns}), np.array([2.0]), LAW).read_rate[0])


def test_waits_stand_for_reads_that_the_host_does_not_see() -> None:
    """A quarter of the time, in reads of half a millisecond."""
    assert 500.0 == pytest.approx(read(disk_reads=np.nan, pressure=0.25))
    assert 500.0 == pytest.approx(read(disk_reads=20.0, pressure=0.25))


def test_reads_that_it_sees_count_where_they_are_more() -> None:
    assert 700.0 == pytest.approx(read(disk_reads=1400.0, pressure=0.25))
    assert 700.0 == pytest.approx(read(disk_reads=1400.0))


def test_cache_is_tried_where_waits_would_show_that_too_much_was_taken() -> None:
    """Without reads and waits all of it counts as in use."""

    def kept(**columns: Any) -> float:
        table = later(2, disk_reads=np.nan, unused=50 * MIB, usable=250 * MIB, **columns)
        before = snapshot(1, disk_reads=np.nan, unused=50 * MIB, usable=250 * MIB)
        return float(learn(known(before, **REST), table, LAW).kept[0])

    assert 200.0 * MIB == kept()
    assert 200.0 * MIB == kept(pressure=0.0, heard_at=NOW - 5)
    assert 0.0 == kept(pressure=0.0)


# --- whatever is told ---------------------------------------------------------------------------------------

AGENT = ("pressure", "pressure_since", "heard_at", "swapped", "swap_left", "committed")


def without(table: Snapshot) -> Snapshot:
    """Return the same guests, of which nobody has an agent."""
    unknown: dict[str, Any] = dict.fromkeys(AGENT, np.full(len(table), np.nan))
    return replace(table, **unknown)


@given(courses(), laws, st.sampled_from(["never", "long ago", "from the future"]))
def test_all_goes_on_as_without_agents_where_they_tell_nothing_of_now(
    tables: list[Snapshot], law: Settings, when: str
) -> None:
    at = {"never": np.nan, "long ago": -1e3, "from the future": 1e3}[when]
    told = silent = learn(known(tables[0]), without(tables[0]), law)
    for table in tables:
        old = replace(table, heard_at=np.full(len(table), table.taken_at + at))
        told, silent = learn(told, old, law), learn(silent, without(table), law)
        ours, theirs = plan(old, told, law), plan(without(table), silent, law)
        np.testing.assert_array_equal(theirs.target, ours.target)
        np.testing.assert_array_equal(theirs.allotted, ours.allotted)


@given(courses(), laws)
def test_no_agent_gets_its_guest_more_than_its_ceiling(tables: list[Snapshot], law: Settings) -> None:
    memory = known(tables[0])
    for table in tables:
        loud = replace(
            table,
            pressure=np.ones(len(table)),
            pressure_since=np.full(len(table), np.inf),
            heard_at=np.full(len(table), table.taken_at),
            swap_left=np.zeros(len(table)),
        )
        memory = learn(memory, loud, law)
        made = plan(loud, memory, law)
        grows = made.target > table.actual
        assert (made.target <= table.ceiling + 4096.0)[grows].all()
