"""Who listens in on a hypervisor changes nothing but what guests look like."""

from collections.abc import Sequence
from dataclasses import replace

from ballonet.facts.guest import Guest
from ballonet.simulator import virtual
from ballonet.simulator.overheard import Overheard
from ballonet.simulator.recording import Look, Recorder
from ballonet.simulator.schedule import steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import MIB


def world(clock: virtual.VirtualClock) -> World:
    return World([Spec("web", 512 * MIB, steps("at 0 anon_mib=40"))], clock=clock)


def test_guests_go_through_the_listener_and_sizes_through_the_hypervisor() -> None:
    async def resized() -> tuple[list[Guest], Guest]:
        clock = virtual.VirtualClock()
        simulated = world(clock)

        def with_pressure(guests: Sequence[Guest]) -> list[Guest]:
            return [replace(guest, pressure_ratio=0.25) for guest in guests]

        overheard = Overheard(simulated, with_pressure)
        await overheard.resize(World.uuid(simulated.specs[0]), 300 * MIB)
        await clock.sleep(3.0)
        return await overheard.guests(), await simulated.guest("web")

    (seen,), really = virtual.run(resized())
    assert 0.25 == seen.pressure_ratio
    assert replace(really, pressure_ratio=0.25) == seen
    assert 300 * MIB == really.actual_bytes


def test_a_recorder_keeps_the_looks_since_it_was_told_to_begin() -> None:
    async def looked() -> list[Look]:
        clock = virtual.VirtualClock()
        recorder = Recorder(world(clock), clock)
        for seconds in (1.0, 2.0):
            await recorder.hypervisor.guests()
            await clock.sleep(seconds)
        recorder.begin()
        for _ in range(2):
            await clock.sleep(1.5)
            await recorder.hypervisor.guests()
        return recorder.looks

    looks = virtual.run(looked())
    assert [1.5, 3.0] == [look.at for look in looks]
    assert ["web", "web"] == [look.guests[0].name for look in looks]
