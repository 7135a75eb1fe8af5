"""A tick as a sample: flows of counters that begin anew, time that is known, changes that were sent."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from columns import NOW, snapshot
from numpy.testing import assert_array_equal

from ballonet.engine.engine import Engine
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.memory import Memory
from ballonet.policy.plan import plan
from ballonet.policy.settings import Settings
from ballonet.service.samples import GUEST, HOST, Cells
from ballonet.service.sampling import Sampler
from ballonet.units import GIB

SETTINGS = Settings(budget_bytes=4.0 * GIB)


def take(sampler: Sampler, at: float = NOW, *, distress: bool = False, **columns: Any) -> Cells:
    """Return the sample of two guests of 1 GiB, at a monotonic second."""
    return both(sampler, at, distress=distress, **columns)[1]


def both(sampler: Sampler, at: float = NOW, *, distress: bool = False, **columns: Any) -> tuple[Cells, Cells]:
    table = snapshot(2, taken_at=at, **{"stats_at": at - 1.0, **columns})
    memory = replace(Memory.blank(2), used=table.actual - table.usable)
    decided = plan(table, memory, SETTINGS)
    memory.distress[:] = distress
    engine = SimpleNamespace(settings=SETTINGS, memory=memory)
    return sampler.take(decided, cast("Engine", engine))


def column(sample: Cells, name: str) -> Cells:
    found: Cells = sample[GUEST.names.index(name)]
    return found


def test_flows_are_what_counters_rose_by_and_unknown_at_first_sight() -> None:
    sampler = Sampler()
    first = take(sampler, swap_in=[4096.0, np.nan])
    assert_array_equal([np.nan, np.nan], column(first, "swap_in_bytes"))
    second = take(sampler, NOW + 2.0, swap_in=[12288.0, 4096.0])
    assert_array_equal([8192.0, np.nan], column(second, "swap_in_bytes"))


def test_a_counter_that_begins_anew_at_a_reboot_is_no_negative_flow() -> None:
    sampler = Sampler()
    take(sampler, major_faults=[1000.0, 1000.0])
    assert_array_equal([30.0, 5.0], column(take(sampler, major_faults=[30.0, 1005.0]), "major_faults"))


def test_what_came_while_a_guest_was_silent_comes_with_its_next_statistics() -> None:
    sampler = Sampler()
    take(sampler, swap_out=4096.0)
    assert_array_equal([np.nan, 0.0], column(take(sampler, swap_out=[np.nan, 4096.0]), "swap_out_bytes"))
    assert_array_equal([4096.0, 0.0], column(take(sampler, swap_out=[8192.0, 4096.0]), "swap_out_bytes"))


def test_time_is_known_between_ticks_and_not_over_a_gap() -> None:
    sampler = Sampler()
    seconds = [
        float(column(take(sampler, NOW + at), "managed_seconds")[0]) for at in (0.0, 2.0, 5.0, 600.0, 602.0)
    ]
    assert [0.0, 2.0, 3.0, 0.0, 2.0] == seconds


def test_distress_at_the_floor_is_told_apart() -> None:
    sampler = Sampler()
    take(sampler)
    sizes = {"actual": [GIB, GIB / 2], "floor": GIB / 2, "usable": GIB / 4, "unused": GIB / 8}
    found = take(sampler, NOW + 2.0, distress=True, **sizes)
    assert_array_equal([2.0, 2.0], column(found, "distress_seconds"))
    assert_array_equal([0.0, 2.0], column(found, "pinched_seconds"))


def test_a_guest_that_is_left_alone_has_no_need_that_is_known() -> None:
    sampler = Sampler()
    take(sampler)
    found = take(sampler, NOW + 2.0, excluded=[True, False])
    assert_array_equal([True, False], np.isnan(column(found, "need_bytes")))
    assert_array_equal([0.0, 2.0], column(found, "managed_seconds"))
    wanted, need = column(found, "most_wanted_bytes")[1], column(found, "need_bytes")[1]
    assert wanted > need > 0


def test_changes_that_were_sent_are_counted_once() -> None:
    sampler = Sampler()
    for kind, written in ((Kind.PLANNED, True), (Kind.BURST, True), (Kind.PLANNED, False), (Kind.CAME, True)):
        sampler.hear(Happening(1.0, kind, "g1", "g1", written=written))
    found = take(sampler)
    assert ([0.0, 2.0], [0.0, 1.0]) == (column(found, "changes").tolist(), column(found, "bursts").tolist())
    assert [0.0, 0.0] == column(take(sampler), "changes").tolist()


@pytest.mark.parametrize(("rss", "together"), [(GIB, 2.0 * GIB), ([GIB, np.nan], GIB), (np.nan, np.nan)])
def test_the_hosts_sample_is_of_all_managed_guests(rss: Any, together: float) -> None:
    host, _ = both(Sampler(), rss=rss)
    values = dict(zip(HOST.names, host.tolist(), strict=True))
    assert 2.0 * GIB == values["maximum_bytes"] == values["held_bytes"]
    np.testing.assert_equal(values["rss_bytes"], together)
    assert np.isnan(values["total_bytes"])
