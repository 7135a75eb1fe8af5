"""One scenario under one policy, on a simulated host, through the product's engine and loop."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.limits import one_floor
from ballonet.engine.loop import run
from ballonet.engine.summary import Summary
from ballonet.errors import UsageError
from ballonet.facts.happening import Happening
from ballonet.policy.floors import floor_bytes
from ballonet.policy.plan import plan
from ballonet.policy.rivals import RIVALS, Policy
from ballonet.policy.settings import Settings
from ballonet.simulator import virtual
from ballonet.simulator.history import History
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.recording import Answers, by_second
from ballonet.simulator.scenarios import Scenario
from ballonet.simulator.schedule import Step, steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

OURS = "ballonet"
POLICIES: dict[str, Policy] = {OURS: plan, **RIVALS}
# "files" reads its file in first: it is not ballooning that is measured there.
WARM_UP_SECONDS = 8.0
REST_SECONDS = 20.0
# The budget is what is short, not the host: without ballooning all guests must fit.
LEAST_HOST_BYTES = 64 * GIB


FREE_PAGE_REPORTING = "free page reporting"
GUEST_AGENT = "guest agent"
# What can be switched off, to see what it is worth: a part of the law by its settings, or of the guests.
PARTS: Mapping[str, Mapping[str, Any]] = {
    "reflex": {"reflex": False},
    "asking": {"asks": False},
    "probing": {"watch_seconds": math.inf},
    "check": {"fell_share": math.inf},
    "disk reads": {"harm_share": math.inf},
    "pool": {"pool_share": 0.0, "pool_most_share": 0.0},
    "short ticks": {"interval_seconds": 5.0},
    FREE_PAGE_REPORTING: {},
    GUEST_AGENT: {},
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What to run: a scenario under a policy, our own perhaps without one of its parts.

    What nobody needs is kept, as memory given back is what is measured, unless it is said otherwise.
    """

    scenario: Scenario
    policy: str = OURS
    without: str = ""  # one of PARTS
    gives: bool = False  # what nobody needs is given to guests, as by default, and not kept on the host

    @property
    def title(self) -> str:
        """Return what it is called beside others."""
        return f"{self.policy}, no {self.without}" if self.without else self.policy

    @property
    def balances(self) -> bool:
        """Return whether anything is done at all."""
        return self.policy != "none"

    @property
    def free_page_reporting(self) -> bool:
        """Return whether what guests free leaves the host's memory by itself."""
        return self.without != FREE_PAGE_REPORTING

    @property
    def needs_pressure(self) -> bool:
        """Return whether guests must tell their own PSI: only an agent in them can, so others do without."""
        return self.policy == "senpai"

    @property
    def has_agents(self) -> bool:
        """Return whether an agent in each guest is listened to: no rule of others does."""
        return self.scenario.agents and self.policy == OURS and self.without != GUEST_AGENT

    @property
    def shares(self) -> dict[str, int]:
        """Return the bytes that each guest holds when the policy begins: its share of what there is.

        That is what a host without ballooning must give them to fit; at work, or without any policy, guests
        have their maxima.
        """
        scenario, maxima = self.scenario, {name: self.scenario.maximum(name) for name in self.scenario.loads}
        if not self.balances or not scenario.settled:
            return maxima
        part = min(1.0, scenario.budget_bytes / scenario.whole_bytes())
        return {name: max(int(size * part), self._floor_bytes(size)) for name, size in maxima.items()}

    def _floor_bytes(self, maximum_bytes: int) -> int:
        """Return the floor of a guest of this maximum: no share lies below it, whatever the budget."""
        floor = self.scenario.floor_bytes
        return floor_bytes(maximum_bytes) if floor is None else min(floor, maximum_bytes)

    @property
    def share_seconds(self) -> float:
        """Return how long balloons take to get there at half a GiB a second, as emulated guests do.

        Whole seconds: answers are compared second by second.
        """
        taken = max((self.scenario.maximum(name) - size for name, size in self.shares.items()), default=0)
        return 2.0 + math.ceil(taken / (512 * MIB))

    @property
    def rest_seconds(self) -> float:
        """Return for how long the policy then works on guests at rest: two rounds of the slowest.

        Where guests are at work when the policy begins, it is how long they are before.
        """
        if not self.scenario.settled:
            return WARM_UP_SECONDS
        return REST_SECONDS if self.balances else 3.0

    @property
    def settle_seconds(self) -> float:
        """Return what that is together: then the loads begin, or are looked at."""
        return self.share_seconds + self.rest_seconds

    @property
    def warm_up_seconds(self) -> float:
        """Return for how long answers are left out."""
        return WARM_UP_SECONDS if self.scenario.settled else 0.0

    def settings(self) -> Settings:
        """Return what the policy is told."""
        scenario = self.scenario
        settings = Settings(
            budget_bytes=scenario.budget_bytes if self.balances else scenario.whole_bytes(),
            reserve_bytes=256.0 * MIB,
            interval_seconds=1.0,
            boot_grace_seconds=0.0,
            give_surplus=self.gives,
            reflex=self.policy == OURS,
        )
        return replace(settings, **PARTS[self.without]) if self.without else settings


def check_policies(names: Sequence[str]) -> None:
    """Raise `UsageError` with the nearest names where a name is no policy's."""
    for name in names:
        if name not in POLICIES:
            near = get_close_matches(name, POLICIES, n=3) or list(POLICIES)
            raise UsageError(f"no policy is called {name!r}", hint=f"there is {', '.join(near)}")


def chosen(scenario: Scenario, policies: Sequence[str] | None) -> dict[str, Trial]:
    """Return the trials of these policies by name; without any all.

    Raises `UsageError` with the nearest names.
    """
    check_policies(policies or ())
    return {name: Trial(scenario, name) for name in policies or POLICIES if name != "none"}


def without(scenario: Scenario, parts: Sequence[str]) -> dict[str, Trial]:
    """Return the trials of our own law without each of these parts, by title; raises `UsageError`."""
    for part in parts:
        if part not in PARTS:
            near = get_close_matches(part, PARTS, n=3) or list(PARTS)
            raise UsageError(f"no part is called {part!r}", hint=f"there is {', '.join(near)}")
    trials = [Trial(scenario, without=part) for part in parts]
    return {trial.title: trial for trial in trials}


def outcome(
    trial: Trial,
    tell: Callable[[float, Happening], None] = lambda _, __: None,
    *,
    through: Callable[[Ports], Ports] = lambda ports: ports,
) -> Outcome:
    """Run a trial and return what it came to; the same trial always comes to the same.

    `tell` is called with what happens, and the seconds since the loads began: below 0 while guests settle.
    `through` is given the engine's ports and returns those to be used: what else it should see is added so.
    """
    return virtual.run(_run(trial, tell, through))


@dataclass(frozen=True, slots=True)
class Host:
    """A simulated host, and the engine that works on it."""

    world: World
    ports: Ports
    engine: Engine


async def _run(
    trial: Trial, tell: Callable[[float, Happening], None], through: Callable[[Ports], Ports]
) -> Outcome:
    scenario, clock, history = trial.scenario, virtual.VirtualClock(), History()

    def hear(happening: Happening) -> None:
        history.hear(happening, clock.monotonic())
        tell(clock.monotonic() - trial.settle_seconds, happening)

    host = made(trial, clock, hear, decide=history.timed(POLICIES[trial.policy]), through=through)
    world, ports, engine = host.world, host.ports, host.engine
    await settle(trial, host, clock)
    engine.summary, before = Summary(), world.state
    history.begin(clock.monotonic())
    await run(engine, ports, seconds=scenario.seconds, after_tick=history.take)
    summary, after = engine.summary, world.state
    answers = _answers(world, trial)
    return Outcome(
        summary=summary,
        budget_bytes=scenario.budget_bytes if trial.balances else None,
        requests=round(sum(own.answered.sum() for own in answers.values())),
        mean_ms=1e3 * mean_seconds(list(answers.values())),
        p99_ms=1e3 * float(max(each.longest.max() for _, each in world.answers)),
        worst_guest=worst(answers),
        worst_guest_mean_ms=1e3 * mean_seconds([answers[worst(answers)]]),
        burst_mib_s=max(step.grow_mib_s for spec in world.specs for step in spec.schedule),
        swap_in_pages=int((after.swap_in - before.swap_in).sum()),
        oom_kills=int((after.oom_kills - before.oom_kills).sum()),
        held_bytes=summary.held_byte_seconds / summary.seconds,
        resident_bytes=summary.resident_byte_seconds / summary.seconds,
        disk_reads=int((after.disk_reads - before.disk_reads).sum()),
        answers=answers,
        history=history,
    )


def made(
    trial: Trial,
    clock: virtual.VirtualClock,
    tell: Callable[[Happening], None],
    *,
    decide: Policy,
    through: Callable[[Ports], Ports] = lambda ports: ports,
) -> Host:
    """Return the trial's guests, which have lived for no time yet, and an engine that decides so."""
    scenario = trial.scenario
    specs = [
        Spec(
            name,
            scenario.maximum(name),
            _later(steps(text), trial),
            vcpus=2,
            free_page_reporting=trial.free_page_reporting,
            tells_pressure=trial.needs_pressure,
            agent=trial.has_agents,
            seen=scenario.seen,
        )
        for name, text in scenario.loads.items()
    ]
    world = World(specs, clock=clock, host_bytes=max(LEAST_HOST_BYTES, int(2 * scenario.whole_bytes())))
    ports = through(Ports(world, clock, world, world))
    engine = Engine(
        ports,
        trial.settings(),
        tell,
        enforce=trial.balances,
        limits=one_floor(scenario.floor_bytes),
        decide=decide,
    )
    return Host(world, ports, engine)


async def settle(trial: Trial, host: Host, clock: virtual.VirtualClock) -> None:
    """Let guests get to their shares and rest, or work: then the loads begin, or are looked at."""
    world = host.world
    await world.resize_many({world.uuid(spec): trial.shares[spec.name] for spec in world.specs})
    await clock.sleep(trial.share_seconds)
    if trial.scenario.settled:
        await run(host.engine, host.ports, seconds=trial.rest_seconds)
    else:
        await clock.sleep(trial.rest_seconds)


def _answers(world: World, trial: Trial) -> dict[str, Answers]:
    """Return how each guest's requests were answered once it was warm."""
    seconds = trial.scenario.seconds
    begun = np.array([at for at, _ in world.answers]) - trial.settle_seconds
    ended = np.append(begun[1:], seconds)
    answered = np.array([each.answered for _, each in world.answers])
    took = np.array([each.seconds for _, each in world.answers])
    warm = begun >= trial.warm_up_seconds
    return {
        spec.name: by_second(begun[warm], ended[warm], answered[warm, row], took[warm, row], int(seconds))
        for row, spec in enumerate(world.specs)
    }


def mean_seconds(answers: Sequence[Answers]) -> float:
    """Return the mean latency of all these requests."""
    total = sum(float(own.answered.sum()) for own in answers)
    return sum(float((own.answered * np.nan_to_num(own.seconds)).sum()) for own in answers) / max(total, 1.0)


def worst(answers: Mapping[str, Answers]) -> str:
    """Return the guest whose requests took longest."""
    return max(answers, key=lambda name: mean_seconds([answers[name]]))


def _later(schedule: Sequence[Step], trial: Trial) -> list[Step]:
    """Return a schedule as it begins when guests have settled: at rest, or at what it begins with."""
    first = schedule[0]
    rest = Step(anon_mib=min(20.0, first.anon_mib), hot_mib=min(20.0, first.hot_mib))
    return [
        rest if trial.scenario.settled else replace(first, at=0.0),
        *(replace(step, at=step.at + trial.settle_seconds) for step in schedule),
    ]
