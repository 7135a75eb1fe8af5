"""Times what Prometheus scrapes, against prometheus-client's own writing of the same samples."""

import statistics
import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.policy.settings import Settings
from ballonet.service.api import make_app
from ballonet.service.connection import Connection
from ballonet.service.facade import Service
from ballonet.service.recent import Recent
from ballonet.show.metrics import Exposition
from ballonet.simulator import virtual
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

RUNS = 25


class _Parsed(Collector):
    """What a text says, to be written once more."""

    def __init__(self, text: str) -> None:
        self._families = list(text_string_to_metric_families(text))

    def collect(self) -> Iterator[Metric]:
        """Yield all of it."""
        yield from self._families


def metrics(guests: tuple[int, ...] = (100, 500)) -> None:
    """Print what a scrape takes."""
    print("\nmetrics               text ms   by prometheus-client ms       size")
    for count in guests:
        print(virtual.run(_line(count)))


async def _line(count: int) -> str:
    """Return the figures of so many guests."""
    exposition = await _settled(count)
    text = exposition.text()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Parsed(text))
    ours, theirs = _median_ms(exposition.text), _median_ms(lambda: generate_latest(registry))
    return f"{count:>8} guests {ours:>13.1f} {theirs:>25.1f} {len(text) / MIB:>6.2f} MiB"


async def _settled(count: int) -> Exposition:
    """Return the metrics of so many guests after a few ticks."""
    clock = virtual.VirtualClock()
    specs = [
        Spec(f"guest-{row:04}", GIB, [Step(anon_mib=200.0, hot_mib=200.0)], vcpus=2) for row in range(count)
    ]
    world = World(specs, clock=clock, host_bytes=2 * count * GIB)
    settings = Settings(budget_bytes=0.7 * count * GIB, reserve_bytes=1.0 * GIB, boot_grace_seconds=0.0)
    engine = Engine(Ports(world, clock, world, world), settings, lambda _: None, enforce=True)
    for _ in range(5):
        await engine.tick()
        await clock.sleep(2.0)
    service = Service([Connection("sim:", world, engine)], Recent())
    found: Exposition = make_app(service).state.metrics
    return found


def _median_ms(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


if __name__ == "__main__":
    metrics()
