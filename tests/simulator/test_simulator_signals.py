"""What simulated guests and their host tell of lack of memory, and of memory that was never touched."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ballonet.facts.columns import Columns
from ballonet.simulator import virtual
from ballonet.simulator.pressure import Pressure
from ballonet.simulator.scenarios import scenario
from ballonet.simulator.schedule import steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.trial import Trial, outcome
from ballonet.simulator.world import World
from ballonet.units import MIB

BUSY = "at 0 anon_mib=200 hot_mib=200 rate=50 touches=32"
READS = "at 0 anon_mib=20 hot_mib=20 file_mib=200 rate=50 touches=16 reads=8"


def seen(
    load: str, looks: Sequence[tuple[float, float | None]], **guest: Any
) -> tuple[list[Columns], list[int]]:
    """Return what a guest of 512 MiB tells at these seconds, and what its process holds then, in whole MiB.

    At each it is told a size (MiB; None: it is not).
    """

    async def look() -> tuple[list[Columns], list[int]]:
        clock = virtual.VirtualClock()
        world = World([Spec("one", 512 * MIB, steps(load), **guest)], clock=clock)
        told, held = [], []
        for at, size in looks:
            await clock.sleep(at - clock.monotonic())
            told.append(await world.columns())
            held.append(round(world.read()["simulated-one"] / MIB))
            if size is not None:
                await world.resize("simulated-one", int(size * MIB))
        return told, held

    return virtual.run(look())


# --- pressure -----------------------------------------------------------------------------------------


def test_pressure_is_the_share_of_time_averaged_over_ten_seconds() -> None:
    pressure = Pressure(1)
    pressure.take(np.array([5.0]), 10.0)
    half = float(pressure.share[0])
    pressure.take(np.array([5.0]), 10.0)

    assert 0.5 * (1 - np.exp(-1)) == pytest.approx(half)
    assert half * np.exp(-1) == pytest.approx(pressure.share[0])


@pytest.mark.parametrize("load", [BUSY, READS])
def test_a_guest_waits_for_what_it_swapped_or_dropped_and_not_at_rest(load: str) -> None:
    (rests, waits, heals), _ = seen(load, [(20, 220), (40, 512), (220, None)], tells_pressure=True)

    assert rests.pressure[0] < 0.01
    assert waits.pressure[0] > 0.02
    assert heals.pressure[0] < waits.pressure[0]


def test_a_guest_tells_its_pressure_only_where_an_agent_does() -> None:
    (column,), _ = seen(BUSY, [(5, None)])

    assert np.isnan(column.pressure[0])


def test_senpai_squeezes_simulated_guests() -> None:
    """It needs their own pressure; the others do without, as no hypervisor tells it."""
    found = replace(scenario("idle"), seconds=120.0)

    assert outcome(Trial(found, "senpai")).held_bytes < 0.9 * found.whole_bytes()
    assert not Trial(found, "ballonet").needs_pressure


# --- what a recent kernel tells -----------------------------------------------------------------------


def test_a_recent_kernel_tells_of_stalls_scans_and_kills_and_another_one_does_not() -> None:
    grows = f"at 0 {BUSY.removeprefix('at 0 ')}\nat 30 anon_mib=400 hot_mib=400 grow_mib_s=200"
    looks = [(20.0, 300.0), (29.0, None), (45.0, None)]
    (_, before, after), _ = seen(grows, looks, recent=True)
    (*_, silent), _ = seen(grows, looks)

    assert 0.0 == before.alloc_stalls[0]
    assert after.alloc_stalls[0] > 100
    assert 32 * 4096 * after.alloc_stalls[0] == pytest.approx(after.direct_scans[0], rel=0.01)
    assert np.isnan([silent.alloc_stalls[0], silent.direct_scans[0], silent.oom_kills[0]]).all()


def test_processors_are_busy_with_requests_and_with_growth() -> None:
    (first, second), _ = seen(BUSY, [(10, None), (20, None)])

    assert 10 * 50 * 0.5e-3 == pytest.approx(second.vcpu_seconds[0] - first.vcpu_seconds[0], rel=0.02)
    assert first.vcpu_seconds[0] > 200 / 512


# --- guests without swap ------------------------------------------------------------------------------


def test_without_swap_a_guest_that_lacks_memory_drops_its_cache_and_then_kills() -> None:
    load = "at 0 anon_mib=100 hot_mib=100 file_mib=150 rate=50 touches=16 reads=8"
    grows = f"{load}\nat 30 anon_mib=200 hot_mib=200 grow_mib_s=50\nat 60 anon_mib=420 hot_mib=420"
    (_, before, poorer, killed), _ = seen(
        grows, [(20.0, 350.0), (29.0, None), (50.0, None), (70.0, None)], swap_bytes=0, recent=True
    )

    assert [0.0, 0.0, 0.0] == [poorer.swap_out[0], poorer.oom_kills[0], killed.swap_out[0]]
    assert poorer.disk_reads[0] - before.disk_reads[0] > 1000
    assert killed.oom_kills[0] > 0


def test_autodeflate_gives_memory_rather_than_a_process() -> None:
    grows = f"{BUSY}\nat 30 anon_mib=300 hot_mib=300 grow_mib_s=50"
    (*_, rescued), _ = seen(
        grows, [(20.0, 320.0), (29.0, None), (60.0, None)], swap_bytes=0, recent=True, autodeflate=True
    )

    assert 0.0 == rescued.oom_kills[0]
    assert rescued.actual[0] > 340 * MIB


# --- memory that was never touched --------------------------------------------------------------------


def test_taking_memory_that_was_never_touched_frees_nothing_on_the_host() -> None:
    _, (before, after) = seen("at 0 anon_mib=20 hot_mib=20", [(10, 300), (20, None)])

    assert before < 130
    assert before == after


@pytest.mark.parametrize(("reports", "kept"), [(True, False), (False, True)])
def test_what_was_freed_leaves_the_host_by_reporting_or_by_the_balloon(*, reports: bool, kept: bool) -> None:
    load = "at 0 anon_mib=300 hot_mib=300\nat 20 anon_mib=20 hot_mib=20"
    _, (full, freed, taken) = seen(load, [(15, None), (40, 200), (50, None)], free_page_reporting=reports)

    assert full > 380
    assert kept == (freed > full - 10)
    assert taken <= 200
