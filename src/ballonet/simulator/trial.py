"""One scenario under one policy, on a simulated host, through the product's engine and loop."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.loop import run
from ballonet.engine.summary import Summary
from ballonet.errors import UsageError
from ballonet.policy.plan import plan
from ballonet.policy.rivals import RIVALS, Policy
from ballonet.policy.settings import Settings
from ballonet.simulator import virtual
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.programs import Answers
from ballonet.simulator.scenarios import Scenario
from ballonet.simulator.schedule import Step, steps
from ballonet.simulator.world import Spec, World
from ballonet.units import MIB

OURS = "ballonet"
POLICIES: dict[str, Policy] = {OURS: plan, **RIVALS}
# "files" reads its file in first: it is not ballooning that is measured there.
WARM_UP_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What to run: a scenario under a policy, our own with or without its reflex."""

    scenario: Scenario
    policy: str = OURS
    reflex: bool = True

    @property
    def balances(self) -> bool:
        """Return whether anything is done at all."""
        return self.policy != "none"

    @property
    def settle_seconds(self) -> float:
        """Return how long guests rest first: our squeeze takes two or three bites, others four rounds."""
        if not self.balances:
            return 3.0
        return 15.0 if self.policy == OURS else 45.0

    def settings(self) -> Settings:
        """Return what the policy is told."""
        scenario = self.scenario
        whole = len(scenario.loads) * float(scenario.maximum_bytes)
        return Settings(
            budget_bytes=scenario.budget_bytes if self.balances else whole,
            reserve_bytes=256.0 * MIB,
            interval_seconds=1.0,
            boot_grace_seconds=0.0,
            reflex=self.reflex and self.policy == OURS,
        )


def check_policies(names: Sequence[str]) -> None:
    """Raise `UsageError` with the nearest names where a name is no policy's."""
    for name in names:
        if name not in POLICIES:
            near = get_close_matches(name, POLICIES, n=3) or list(POLICIES)
            raise UsageError(f"no policy is called {name!r}", hint=f"there is {', '.join(near)}")


def chosen(scenario: Scenario, policies: Sequence[str] | None) -> dict[str, Trial]:
    """Return the trials of these policies by name; without any all, and ours without its reflex.

    Raises `UsageError` with the nearest names.
    """
    check_policies(policies or ())
    trials = {name: Trial(scenario, name) for name in policies or POLICIES if name != "none"}
    return trials if policies else trials | {f"{OURS}, no reflex": Trial(scenario, reflex=False)}


def outcome(trial: Trial) -> Outcome:
    """Run a trial and return what it came to; the same trial always comes to the same."""
    return virtual.run(_run(trial))


async def _run(trial: Trial) -> Outcome:
    scenario, clock = trial.scenario, virtual.VirtualClock()
    specs = [
        Spec(name, scenario.maximum_bytes, _later(steps(text), trial.settle_seconds), vcpus=2)
        for name, text in scenario.loads.items()
    ]
    world = World(specs, clock=clock)
    ports = Ports(world, clock, world, world)
    engine = Engine(
        ports,
        trial.settings(),
        lambda _: None,
        enforce=trial.balances,
        floor_bytes=scenario.floor_bytes,
        decide=POLICIES[trial.policy],
    )
    await run(engine, ports, seconds=trial.settle_seconds)
    engine.summary = Summary()
    before = world.state
    await run(engine, ports, seconds=scenario.seconds)
    summary, warm = engine.summary, trial.settle_seconds + WARM_UP_SECONDS
    return replace(
        _answered(
            [answers for at, answers in world.answers if at >= warm], [spec.name for spec in world.specs]
        ),
        summary=summary,
        budget_bytes=scenario.budget_bytes if trial.balances else None,
        swap_in_pages=int((world.state.swap_in - before.swap_in).sum()),
        oom_kills=int((world.state.oom_kills - before.oom_kills).sum()),
        held_bytes=summary.held_byte_seconds / summary.seconds,
        resident_bytes=summary.resident_byte_seconds / summary.seconds,
        burst_mib_s=max(step.grow_mib_s for spec in specs for step in spec.schedule),
    )


def _later(schedule: Sequence[Step], seconds: float) -> list[Step]:
    """Return a schedule that begins later, with its guest at rest until then."""
    first = schedule[0]
    rest = Step(anon_mib=min(20.0, first.anon_mib), hot_mib=min(20.0, first.hot_mib))
    return [rest, *(replace(step, at=step.at + seconds) for step in schedule)]


def _answered(steps_answered: Sequence[Answers], names: Sequence[str]) -> Outcome:
    """Return the part of the outcome that is about requests."""
    answered = np.array([answers.answered for answers in steps_answered])
    seconds = np.nan_to_num(np.array([answers.seconds for answers in steps_answered]))
    longest = np.array([answers.longest for answers in steps_answered])
    total = answered.sum(axis=0)
    means = np.divide((answered * seconds).sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
    worst = int(np.argmax(means))
    return Outcome(
        summary=Summary(),
        budget_bytes=None,
        requests=round(total.sum()),
        mean_ms=1e3 * float((answered * seconds).sum() / max(total.sum(), 1.0)),
        p99_ms=1e3 * float(longest.max()),
        worst_guest=names[worst],
        worst_guest_mean_ms=1e3 * float(means[worst]),
        burst_mib_s=0.0,
        swap_in_pages=0,
        oom_kills=0,
        held_bytes=0.0,
        resident_bytes=0.0,
    )
