"""Programs in simulated guests do what their schedules say."""

import pytest

from ballonet.simulator import virtual
from ballonet.simulator.schedule import steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import MIB


def after(schedule: str, seconds: float) -> World:
    """Return a world with one guest of 512 MiB that followed a schedule for so long."""

    async def lived() -> World:
        clock = virtual.VirtualClock()
        world = World([Spec("guest", 512 * MIB, steps(schedule))], clock=clock)
        await clock.sleep(seconds)
        await world.guests()
        return world

    return virtual.run(lived())


def test_a_stream_is_read_in_large_requests_and_stays_as_cold_cache() -> None:
    world = after("at 0 stream_mib_s=0\nat 2 stream_mib_s=10", 12)
    assert 100 * MIB == pytest.approx(world.state.cold_file[0], rel=0.01)
    assert 8 * 100 == pytest.approx(world.state.disk_reads[0], rel=0.01)
    assert 0 == world.state.file[0]


def test_a_stream_larger_than_memory_drives_nothing_out_but_itself() -> None:
    world = after("at 0 anon_mib=100 hot_mib=100 stream_mib_s=60", 30)
    assert 100 * MIB == pytest.approx(world.state.hot[0])
    assert 0 == world.state.swap_out[0]
