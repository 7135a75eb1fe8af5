"""Settings from their text to what guests get: on a simulated host, through the product's own engine."""

import pytest

from ballonet.config.law import law
from ballonet.config.limits import FileLimits
from ballonet.config.load import Loaded, composed
from ballonet.config.read import layer
from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.loop import run
from ballonet.errors import Issue
from ballonet.facts.happening import Happening, Kind
from ballonet.simulator import virtual
from ballonet.simulator.schedule import steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

TEXT = """\
[host]
budget = "3 GiB"
reserve = "64 MiB"
[guest.high]
floor = "900 MiB"
[guest."l?w"]
ceiling = "512 MiB"
[guest.left]
manage = false
"""
NAMES = ("high", "low", "left", "plain")


class Balanced:
    """Four idle guests of 1 GiB after five minutes on 3 GiB."""

    def __init__(self) -> None:
        said = layer("x.toml", TEXT)
        self.notes: list[Issue] = []
        self.told: list[Happening] = []
        self._loaded = Loaded(composed(said), said)
        self.actual = dict(zip(NAMES, virtual.run(self._run()), strict=True))

    async def _run(self) -> list[float]:
        clock = virtual.VirtualClock()
        load = steps("at 0 anon_mib=100 hot_mib=100 rate=50 touches=32")
        world = World([Spec(name, GIB, load) for name in NAMES], clock=clock)
        ports = Ports(world, clock, world, world)
        engine = Engine(
            ports,
            law(self._loaded, world.memory()),
            self.told.append,
            enforce=True,
            limits=FileLimits(self._loaded, self.notes.append),
        )
        await run(engine, ports, seconds=300.0)
        order = [guest.name for guest in await world.guests()]
        sizes = [float(guest.actual_bytes or 0) for guest in await world.guests()]
        return [sizes[order.index(name)] for name in NAMES]


@pytest.fixture(scope="module")
def balanced() -> Balanced:
    return Balanced()


def test_each_guest_gets_what_its_table_says(balanced: Balanced) -> None:
    assert 900 * MIB <= balanced.actual["high"] <= GIB
    assert 256 * MIB <= balanced.actual["low"] <= 520 * MIB
    assert GIB == balanced.actual["left"]
    assert 256 * MIB <= balanced.actual["plain"] < 900 * MIB
    assert sum(balanced.actual.values()) <= 3 * GIB


def test_who_is_left_alone_is_said_to_be_and_never_touched(balanced: Balanced) -> None:
    [verdict] = [each for each in balanced.told if each.name == "left" and each.kind is not Kind.CAME]

    assert verdict.row is not None
    assert "excluded" == verdict.row.verdict.code
    assert [] == balanced.notes
