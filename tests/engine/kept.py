"""A journal in memory, and a simulated host with an engine, for tests of what people ask for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from ballonet.engine.by_hand import Asker, ByHand
from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.loop import run
from ballonet.engine.requests import Requests
from ballonet.errors import JournalError
from ballonet.facts.act import Act, Outcome
from ballonet.facts.happening import Happening
from ballonet.facts.request import Hold, Lease
from ballonet.policy.settings import Settings
from ballonet.simulator import virtual
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

ANNA = Asker("anna", "an experiment")


@dataclass
class MemoryJournal:
    """Keeps everything, unless it is full."""

    acts: list[Act] = field(default_factory=list)
    requests: dict[str, Hold | Lease] = field(default_factory=dict)
    outcomes: list[tuple[str, Outcome]] = field(default_factory=list)
    full: bool = False

    def before(self, acts: Sequence[Act]) -> None:
        self._room()
        self.acts += acts

    def settle(
        self, uuid: str, at: float, outcome: Outcome, actual_bytes: float | None = None, text: str = ""
    ) -> None:
        self.outcomes.append((uuid, outcome))

    def keep(self, request: Hold | Lease) -> None:
        self._room()
        self.requests[request.id] = request

    def drop(self, request_id: str) -> None:
        self._room()
        self.requests.pop(request_id, None)

    def _room(self) -> None:
        if self.full:
            raise JournalError("the journal is full", hint="make room")


@dataclass
class Host:
    """Four simulated guests of 1 GiB, of which "busy" uses 500 MiB, under an engine."""

    world: World
    engine: Engine
    by_hand: ByHand
    journal: MemoryJournal
    told: list[Happening]
    clock: virtual.VirtualClock

    def size(self, name: str) -> float:
        return float(self.world.state.actual[[spec.name for spec in self.world.specs].index(name)])

    def acts(self) -> list[Act]:
        """Return what was done by us, and not by somebody else."""
        return [act for act in self.journal.acts if act.cause != "adopted"]

    def uuid(self, name: str) -> str:
        return next(self.world.uuid(spec) for spec in self.world.specs if spec.name == name)


def four_guests(clock: virtual.VirtualClock) -> World:
    """Return simulated guests of 1 GiB: "busy" uses 500 MiB, "web" 200, "idle" and "spare" 60."""
    uses = {"busy": 500.0, "idle": 60.0, "spare": 60.0, "web": 200.0}
    specs = [Spec(name, GIB, [Step(anon_mib=mib, hot_mib=mib)], vcpus=2) for name, mib in uses.items()]
    return World(specs, clock=clock, host_bytes=16 * GIB)


def settings(budget_bytes: float) -> Settings:
    """Return settings that keep on the host what nobody needs."""
    return Settings(
        budget_bytes=budget_bytes, reserve_bytes=256.0 * MIB, boot_grace_seconds=0.0, give_surplus=False
    )


def on_host(
    does: Callable[[Host], Awaitable[None]],
    *,
    budget_bytes: float = 3.0 * GIB,
    enforce: bool = True,
    journal: MemoryJournal | None = None,
    seconds: float = 120.0,
) -> Host:
    """Run an engine for half a minute, and then this beside it; return the host as it is in the end."""
    return virtual.run(_run(does, budget_bytes, journal or MemoryJournal(), seconds, enforce=enforce))


async def _run(
    does: Callable[[Host], Awaitable[None]],
    budget_bytes: float,
    journal: MemoryJournal,
    seconds: float,
    *,
    enforce: bool,
) -> Host:
    clock = virtual.VirtualClock()
    world = four_guests(clock)
    ports = Ports(world, clock, world, world)
    told: list[Happening] = []
    engine = Engine(
        ports,
        settings(budget_bytes),
        told.append,
        enforce=enforce,
        requests=Requests(clock, journal, journal.requests.values()),
        journal=journal,
    )
    host = Host(world, engine, ByHand(engine), journal, told, clock)

    async def after_a_while() -> None:
        await clock.sleep(30.0)
        await does(host)

    beside = asyncio.create_task(after_a_while())
    await run(engine, ports, seconds=seconds)
    await beside
    return host
