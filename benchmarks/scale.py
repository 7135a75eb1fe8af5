"""Times whole simulated hosts through the product's engine and loop: many ticks, and many guests."""

import argparse
import resource
import time
from dataclasses import dataclass
from random import Random

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.loop import run
from ballonet.policy.settings import Settings
from ballonet.simulator import virtual
from ballonet.simulator.day import DAY_SECONDS, day
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

SEED = 1


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run took, and what it did."""

    wall_seconds: float
    processor_seconds: float
    peak_bytes: int  # of the whole process, since its start
    ticks: int
    changes: int

    def line(self, what: str, whole: float) -> str:
        """Return the figures, the wall time also as that of `whole` times the run."""
        per_tick_ms, peak_gib = 1e3 * self.wall_seconds / self.ticks, self.peak_bytes / GIB
        rest = f"{self.changes} changes" if whole == 1 else f"whole {self.wall_seconds * whole:.0f} s"
        return (
            f"{what:<34} {self.wall_seconds:>7.1f} s wall {self.processor_seconds:>7.1f} s CPU "
            f"{per_tick_ms:>8.2f} ms a tick {peak_gib:>6.2f} GiB  {rest}"
        )


def hours(guests: int, seconds: float, *, interval_seconds: float, reflex: bool, simulated: float) -> Ran:
    """Run so many guests of 1 to 8 GiB for `simulated` seconds of schedules made for `seconds`."""
    random = Random(SEED)
    sizes = random.choices([1, 2, 4, 8], k=guests)
    specs = [
        Spec(f"g{row:06}", size * GIB, day(random, size * 1024.0, seconds), vcpus=2)
        for row, size in enumerate(sizes)
    ]
    start, used = time.perf_counter(), time.process_time()
    settings = Settings(
        budget_bytes=0.65 * GIB * sum(sizes),
        reserve_bytes=256.0 * MIB,
        interval_seconds=interval_seconds,
        boot_grace_seconds=0.0,
        reflex=reflex,
    )
    engine = virtual.run(_run(specs, settings, simulated))
    return Ran(
        wall_seconds=time.perf_counter() - start,
        processor_seconds=time.process_time() - used,
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        ticks=engine.summary.ticks,
        changes=sum(engine.summary.changes.values()),
    )


async def _run(specs: list[Spec], settings: Settings, seconds: float) -> Engine:
    clock = virtual.VirtualClock()
    host_bytes = 2 * sum(spec.maximum_bytes for spec in specs)
    world = World(specs, clock=clock, host_bytes=host_bytes, detail=False)
    ports = Ports(world, clock, world, world)
    engine = Engine(ports, settings, lambda _: None, enforce=True)
    await run(engine, ports, seconds=seconds)
    return engine


def hosts() -> None:
    """Time a part of each, and say what the whole would take."""
    print("\nsimulated hosts, through engine and loop")
    hour = hours(100, DAY_SECONDS, interval_seconds=2.0, reflex=True, simulated=3600.0)
    print(hour.line("100 guests, an hour (whole: day)", 24.0))
    ticks = hours(100_000, 3600.0, interval_seconds=10.0, reflex=False, simulated=60.0)
    print(ticks.line("100,000 guests, 60 s (whole: hour)", 60.0))


def main() -> None:
    """Run one of the two in full."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("day", "hour"))
    if parser.parse_args().what == "day":
        ran = hours(100, DAY_SECONDS, interval_seconds=2.0, reflex=True, simulated=DAY_SECONDS)
        print(ran.line("100 guests, a day", 1.0))
    else:
        ran = hours(100_000, 3600.0, interval_seconds=10.0, reflex=False, simulated=3600.0)
        print(ran.line("100,000 guests, an hour", 1.0))


if __name__ == "__main__":
    main()
