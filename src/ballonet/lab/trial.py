"""One scenario under one policy, on real guests."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ballonet.engine.clock import SystemClock
from ballonet.engine.engine import Engine, World
from ballonet.engine.loop import run
from ballonet.engine.summary import Summary
from ballonet.facts.happening import Happening
from ballonet.facts.plan import Plan
from ballonet.host.memory import LinuxHost
from ballonet.host.residents import ProcessResidents
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.domain import GuestSpec
from ballonet.lab.informed import informed
from ballonet.lab.lab import Lab
from ballonet.lab.report import Report
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.scenarios import Scenario
from ballonet.simulator.schedule import steps
from ballonet.simulator.trial import POLICIES, WARM_UP_SECONDS, Trial

AT_REST = "at 0 anon_mib=20 hot_mib=20 file_mib=0 rate=0"
FAST_MIB_S = 200.0  # one processor, emulated, cannot touch memory faster


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who watches a run."""

    plan: Callable[[Plan], None]
    happening: Callable[[Happening], None]


def specs(scenario: Scenario) -> list[GuestSpec]:
    """Return a scenario's guests."""
    return [
        GuestSpec(name, memory_bytes=scenario.maximum_bytes, vcpus=processors(load))
        for name, load in scenario.loads.items()
    ]


def processors(load: str) -> int:
    """Return how many processors a guest needs to grow as fast as its load says."""
    return 2 if max(step.grow_mib_s for step in steps(load)) > FAST_MIB_S else 1


async def one_run(
    lab: Lab, hypervisor: LibvirtHypervisor, trial: Trial, viewer: Viewer, *, seconds: float | None = None
) -> Outcome:
    """Run a trial's loads once, on guests at rest that its policy had time to bring within the budget."""
    loads, ports = (
        trial.scenario.loads,
        World(informed(hypervisor, lab), SystemClock(), LinuxHost(), ProcessResidents()),
    )
    engine = Engine(
        ports,
        trial.settings(),
        viewer.happening,
        enforce=trial.balances,
        floor_bytes=trial.scenario.floor_bytes,
        decide=POLICIES[trial.policy],
    )
    await asyncio.gather(*(lab.load(name, AT_REST) for name in loads))
    if not trial.balances:
        whole = trial.scenario.maximum_bytes
        await asyncio.gather(*(hypervisor.resize(uuid, whole) for uuid in lab.uuids.values()))
    await run(engine, ports, seconds=trial.settle_seconds, after_tick=viewer.plan)
    await asyncio.gather(*(lab.load(name, load) for name, load in loads.items()))
    engine.summary = Summary()
    before = {name: lab.latest(name) for name in loads}
    await run(engine, ports, seconds=seconds or trial.scenario.seconds, after_tick=viewer.plan)
    reports = {name: _since(lab.reports(name), before[name]) for name in loads}
    return _outcome(engine.summary, reports, trial.scenario.budget_bytes if trial.balances else None)


def _since(reports: Sequence[Report], before: Report) -> list[Report]:
    """Return the reports of this run."""
    return [report for report in reports if report.uptime > before.uptime]


def _outcome(summary: Summary, reports: dict[str, list[Report]], budget_bytes: float | None) -> Outcome:
    warm = {
        name: [report for report in rows if report.t >= WARM_UP_SECONDS] for name, rows in reports.items()
    }
    means = {name: _mean_ms(rows) for name, rows in warm.items()}
    worst = max(means, key=lambda name: means[name])
    everything = [report for rows in warm.values() for report in rows]
    return Outcome(
        summary=summary,
        budget_bytes=budget_bytes,
        requests=sum(report.requests for report in everything),
        mean_ms=_mean_ms(everything),
        p99_ms=max(report.p99_ms or 0.0 for report in everything),
        worst_guest=worst,
        worst_guest_mean_ms=means[worst],
        burst_mib_s=max(everything, key=lambda report: (report.anon_mib, report.grow_mib_s)).grow_mib_s,
        swap_in_pages=sum(rows[-1].pswpin - rows[0].pswpin for rows in reports.values()),
        oom_kills=sum(rows[-1].oom_kill - rows[0].oom_kill for rows in reports.values()),
        held_bytes=summary.held_byte_seconds / summary.seconds,
        resident_bytes=summary.resident_byte_seconds / summary.seconds,
    )


def _mean_ms(reports: Sequence[Report]) -> float:
    """Return the mean latency of all requests answered."""
    answered = sum(report.requests for report in reports)
    total = sum((report.mean_ms or 0.0) * report.requests for report in reports)
    return total / answered if answered else float("nan")
