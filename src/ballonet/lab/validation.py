"""The same loads under the same policy on real guests and on simulated ones, to see how near these come."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from ballonet.engine.clock import SystemClock
from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.limits import one_floor
from ballonet.engine.loop import run
from ballonet.errors import UsageError
from ballonet.host.memory import LinuxHost
from ballonet.host.residents import ProcessResidents
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.domain import GuestSpec
from ballonet.lab.emulator import emulator_bytes
from ballonet.lab.image import build
from ballonet.lab.informed import informed
from ballonet.lab.lab import POLL_SECONDS, Lab
from ballonet.lab.report import Report
from ballonet.lab.trial import AT_REST, processors
from ballonet.simulator import virtual
from ballonet.simulator.agreement import Agreement, agreements
from ballonet.simulator.recording import Answers, Look, Recorder, Series, by_second, series
from ballonet.simulator.scenarios import Scenario, scenario
from ballonet.simulator.schedule import Step, steps, written
from ballonet.simulator.spec import Spec
from ballonet.simulator.trial import POLICIES, Trial
from ballonet.simulator.world import World
from ballonet.units import MIB

SETTLE_SECONDS = 15.0  # a squeeze takes two or three bites
GONE_SECONDS = 30.0
POLICIES_COMPARED = ("none", "ballonet", "equal")


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario, and how some of its guests are made other than the rest (fields of `Spec`)."""

    scenario: Scenario
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def specs(self) -> list[Spec]:
        """Return the guests as the simulator takes them."""
        return [
            replace(
                Spec(name, self.scenario.maximum_bytes, steps(load), vcpus=processors(load)),
                **self.kinds.get(name, {}),
            )
            for name, load in self.scenario.loads.items()
        ]


_REST = "anon_mib=40 hot_mib=40 rate=50 touches=32"
_STEP = f"at 0 {_REST}\nat 10 anon_mib=120 hot_mib=120 grow_mib_s=40\nat 35 anon_mib=40 hot_mib=40"
CASES: Mapping[str, Case] = {
    "cold-memory": Case(
        Scenario(
            "one has 200 MiB that it never touches again and re-reads a file, beside two that rest",
            {
                "cold": """
                    at 0 anon_mib=40 hot_mib=40 rate=50 touches=16 reads=8
                    at 2 anon_mib=240 grow_mib_s=100 file_mib=120
                    """,
                "files": "at 0 anon_mib=20 hot_mib=20 file_mib=200 rate=50 touches=8 reads=8",
                "rest": f"at 0 {_REST}",
            },
            budget_bytes=1000.0 * MIB,
        )
    ),
    "kinds": Case(
        Scenario(
            "small steps on guests without swap, with autodeflate, and without free page reporting",
            dict.fromkeys(("plain", "bare", "rescued", "silent"), _STEP),
            budget_bytes=1100.0 * MIB,
        ),
        {
            "bare": {"swap_bytes": 0},
            "rescued": {"autodeflate": True, "maximum_bytes": 384 * MIB},
            "silent": {"free_page_reporting": False, "maximum_bytes": 384 * MIB},
        },
    ),
}


def case(name: str) -> Case:
    """Return one of the cases, or a scenario of the simulator's; `UsageError` with the nearest names."""
    if name not in CASES and (near := get_close_matches(name, CASES, n=1)):
        raise UsageError(f"no scenario is called {name!r}", hint=f"there is {near[0]}")
    return CASES[name] if name in CASES else Case(scenario(name))


@dataclass(frozen=True, slots=True)
class Run:
    """A case under a policy, for so many seconds after guests had time to settle at rest."""

    name: str
    case: Case
    policy: str
    seconds: int

    @property
    def settle_seconds(self) -> float:
        """Return how long guests rest first."""
        return SETTLE_SECONDS if self.policy != "none" else 3.0

    def engine(self, ports: Ports) -> Engine:
        """Return an engine that does what the policy says."""
        trial = Trial(self.case.scenario, self.policy)
        return Engine(
            ports,
            trial.settings(),
            lambda _: None,
            enforce=trial.balances,
            limits=one_floor(self.case.scenario.floor_bytes),
            decide=POLICIES[self.policy],
        )

    async def looks(self, ports: Ports, begin: Callable[[], Awaitable[None]]) -> list[Look]:
        """Let guests settle, begin with their loads, and return what they did from then on."""
        recorder = Recorder(ports.hypervisor, ports.clock)
        ports = replace(ports, hypervisor=recorder.hypervisor)
        engine = self.engine(ports)
        await run(engine, ports, seconds=self.settle_seconds)
        await begin()
        recorder.begin()
        # A second more: the last look is to be at the end or after it.
        await run(engine, ports, seconds=self.seconds + 1.0)
        return recorder.looks


@dataclass(frozen=True, slots=True)
class Validated:
    """What came of a run."""

    run: Run
    found: Sequence[Agreement]


async def validate(planned: Run, hypervisor: LibvirtHypervisor, lab: Lab) -> Validated:
    """Run it on fresh real guests, and on simulated ones, and compare them guest by guest."""
    real = await on_real_guests(planned, hypervisor, lab)
    # The simulator has an event loop of its own.
    simulated = await asyncio.to_thread(on_simulated_guests, planned)
    pairs = ((name, real[name], simulated[name]) for name in planned.case.scenario.loads)
    return Validated(planned, [one for pair in pairs for one in agreements(*pair)])


# --- simulated guests -------------------------------------------------------------------------------


def on_simulated_guests(planned: Run) -> dict[str, Series]:
    """Return what simulated guests do, by name."""
    return virtual.run(_simulated(planned))


async def _simulated(planned: Run) -> dict[str, Series]:
    clock = virtual.VirtualClock()
    resting = steps(AT_REST)
    world = World(
        [
            replace(spec, schedule=[*resting, *_later(spec.schedule, planned.settle_seconds)])
            for spec in planned.case.specs()
        ],
        clock=clock,
    )

    async def begin() -> None:
        """Do nothing: it is in the schedules."""

    looks = await planned.looks(Ports(world, clock, world, world), begin)
    await world.guests()  # which live on until somebody looks
    begun = np.array([at for at, _ in world.answers]) - planned.settle_seconds
    ended = np.append(begun[1:], clock.monotonic() - planned.settle_seconds)
    answered = np.array([answers.answered for _, answers in world.answers])
    seconds = np.array([answers.seconds for _, answers in world.answers])
    return {
        spec.name: series(
            looks, spec.name, by_second(begun, ended, answered[:, row], seconds[:, row], planned.seconds)
        )
        for row, spec in enumerate(world.specs)
    }


def _later(schedule: Iterable[Step], seconds: float) -> list[Step]:
    return [replace(step, at=step.at + seconds) for step in schedule]


# --- real guests ------------------------------------------------------------------------------------


def guest_spec(spec: Spec) -> GuestSpec:
    """Return the lab's guest that is made as a simulated one."""
    return GuestSpec(
        spec.name,
        memory_bytes=spec.maximum_bytes,
        vcpus=spec.vcpus,
        period_seconds=spec.period_seconds,
        autodeflate=spec.autodeflate,
        free_page_reporting=spec.free_page_reporting,
        swap_bytes=spec.swap_bytes,
        iops=int(spec.requests),
    )


async def on_real_guests(planned: Run, hypervisor: LibvirtHypervisor, lab: Lab) -> dict[str, Series]:
    """Boot a lab's guests, and return what they do, by name."""
    specs = planned.case.specs()
    await lab.boot([guest_spec(spec) for spec in specs])
    await asyncio.gather(*(lab.load(spec.name, AT_REST) for spec in specs))
    ports = Ports(informed(hypervisor, lab), SystemClock(), LinuxHost(), ProcessResidents())
    before: dict[str, Report] = {}
    own: dict[str, int] = {}

    async def begin() -> None:
        before.update({spec.name: lab.latest(spec.name) for spec in specs})
        own.update({s.name: emulator_bytes(lab.uuids[s.name], s.maximum_bytes) for s in specs})
        await asyncio.gather(*(lab.load(spec.name, written(spec.schedule)) for spec in specs))

    looks = await planned.looks(ports, begin)
    found = {
        name: series(looks, name, _answers(lab.reports(name), last, planned.seconds))
        for name, last in before.items()
    }
    return {name: _without(run, own[name]) for name, run in found.items()}


def _without(real: Series, emulator: float) -> Series:
    """Return a run with the guest's own resident memory in place of its process's."""
    return replace(real, levels={**real.levels, "resident": real.levels["resident"] - emulator})


def _answers(reports: Iterable[Report], before: Report, length: int) -> Answers:
    """Return the answers that reports of the schedule begun after `before` tell of.

    Each report is of the time since the one before; times are rounded to 1 ms.
    """
    mine = [report for report in reports if report.uptime - report.t > before.uptime - 0.01]
    until = np.array([report.t for report in mine])
    return by_second(
        np.append(0.0, until[:-1]),
        until,
        np.array([report.requests for report in mine], dtype=np.float64),
        np.array([np.nan if report.mean_ms is None else report.mean_ms / 1e3 for report in mine]),
        length,
    )


async def validate_all(
    directory: Path,
    hypervisor: LibvirtHypervisor,
    planned: Sequence[Run],
    tell: Callable[[Run], None],
) -> list[Validated]:
    """Return what came of all runs, one after the other; each has guests booted for it alone."""
    image = await asyncio.to_thread(build, directory / "image")
    found = []
    for number, one in enumerate(planned):
        tell(one)
        async with Lab(directory / str(number), hypervisor, image=image) as lab:
            found.append(await validate(one, hypervisor, lab))
        await _gone(hypervisor)
    return found


async def _gone(hypervisor: LibvirtHypervisor) -> None:
    """Wait until the hypervisor has seen the end of its guests: their names are free again."""
    async with asyncio.timeout(GONE_SECONDS):
        while await hypervisor.guests():  # noqa: ASYNC110 - libvirt notices by itself
            await asyncio.sleep(POLL_SECONDS)
