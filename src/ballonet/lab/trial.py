"""One scenario under one policy, on real guests."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ballonet.engine.clock import SystemClock
from ballonet.engine.engine import Engine, World
from ballonet.engine.limits import one_floor
from ballonet.engine.loop import run
from ballonet.engine.ports import Hypervisor
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
from ballonet.simulator.history import History
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.recording import Answers, by_second
from ballonet.simulator.scenarios import Scenario
from ballonet.simulator.schedule import steps, written
from ballonet.simulator.trial import POLICIES, Trial, mean_seconds, worst

AT_REST = "at 0 anon_mib=20 hot_mib=20 file_mib=0 rate=0"
FAST_MIB_S = 200.0  # one processor, emulated, cannot touch memory faster


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who watches a run."""

    plan: Callable[[Plan], None]
    happening: Callable[[Happening], None]


def specs(scenario: Scenario, *, free_page_reporting: bool = True) -> list[GuestSpec]:
    """Return a scenario's guests."""
    return [
        GuestSpec(
            name,
            memory_bytes=scenario.maximum_bytes,
            vcpus=processors(load),
            free_page_reporting=free_page_reporting,
            agent=scenario.agents,
            seen=scenario.seen,
        )
        for name, load in scenario.loads.items()
    ]


def processors(load: str) -> int:
    """Return how many processors a guest needs to grow as fast as its load says."""
    return 2 if max(step.grow_mib_s for step in steps(load)) > FAST_MIB_S else 1


async def one_run(
    lab: Lab,
    hypervisor: LibvirtHypervisor,
    trial: Trial,
    viewer: Viewer,
    *,
    seconds: float | None = None,
    through: Callable[[World], World] = lambda ports: ports,
) -> Outcome:
    """Run a trial's loads once, on guests at rest that its policy had time to bring within the budget.

    `through` is given the engine's ports and returns those to be used: what else it should see is added so.
    """
    loads = trial.scenario.loads
    seen = informed(hypervisor, lab) if trial.needs_pressure else hypervisor
    hypervisor.listen(lambda _: trial.has_agents)
    ports = through(World(seen, SystemClock(), LinuxHost(), ProcessResidents()))
    history = History()

    def tell(happening: Happening) -> None:
        history.hear(happening, ports.clock.monotonic())
        viewer.happening(happening)

    def after_tick(plan: Plan) -> None:
        history.take(plan)
        viewer.plan(plan)

    engine = Engine(
        ports,
        trial.settings(),
        tell,
        enforce=trial.balances,
        limits=one_floor(trial.scenario.floor_bytes),
        decide=history.timed(POLICIES[trial.policy]),
    )
    await asyncio.gather(*(lab.load(name, AT_REST) for name in loads))
    await asyncio.gather(*(hypervisor.resize(uuid, trial.shares[name]) for name, uuid in lab.uuids.items()))
    await ports.clock.sleep(trial.share_seconds)
    if trial.scenario.settled:
        await run(engine, ports, seconds=trial.rest_seconds, after_tick=viewer.plan)
    else:
        await asyncio.gather(*(lab.load(name, written(steps(load)[:1])) for name, load in loads.items()))
        await ports.clock.sleep(trial.rest_seconds)
    await asyncio.gather(*(lab.load(name, load) for name, load in loads.items()))
    engine.summary = Summary()
    before, reads = {name: lab.latest(name) for name in loads}, await _disk_reads(hypervisor)
    history.begin(ports.clock.monotonic())
    length = seconds or trial.scenario.seconds
    await run(engine, ports, seconds=length, after_tick=after_tick)
    reports = {name: _since(lab.reports(name), before[name]) for name in loads}
    return _outcome(
        reports,
        engine.summary,
        history,
        budget_bytes=trial.scenario.budget_bytes if trial.balances else None,
        disk_reads=await _disk_reads(hypervisor) - reads,
        warm_up_seconds=trial.warm_up_seconds,
    )


async def _disk_reads(hypervisor: Hypervisor) -> int:
    """Return the disk reads of all guests so far."""
    return sum(guest.disk_reads_total or 0 for guest in await hypervisor.guests())


def _since(reports: Sequence[Report], before: Report) -> list[Report]:
    """Return the reports of this run."""
    return [report for report in reports if report.uptime > before.uptime]


def _outcome(
    reports: dict[str, list[Report]],
    summary: Summary,
    history: History,
    *,
    budget_bytes: float | None,
    disk_reads: int,
    warm_up_seconds: float,
) -> Outcome:
    warm = {
        name: [report for report in rows if report.t >= warm_up_seconds] for name, rows in reports.items()
    }
    answers = {name: _answers(rows) for name, rows in warm.items()}
    everything = [report for rows in warm.values() for report in rows]
    return Outcome(
        summary=summary,
        budget_bytes=budget_bytes,
        requests=sum(report.requests for report in everything),
        mean_ms=1e3 * mean_seconds(list(answers.values())),
        p99_ms=max(report.p99_ms or 0.0 for report in everything),
        worst_guest=worst(answers),
        worst_guest_mean_ms=1e3 * mean_seconds([answers[worst(answers)]]),
        burst_mib_s=max(everything, key=lambda report: (report.anon_mib, report.grow_mib_s)).grow_mib_s,
        swap_in_pages=sum(rows[-1].pswpin - rows[0].pswpin for rows in reports.values()),
        oom_kills=sum(rows[-1].oom_kill - rows[0].oom_kill for rows in reports.values()),
        held_bytes=summary.held_byte_seconds / summary.seconds,
        resident_bytes=summary.resident_byte_seconds / summary.seconds,
        disk_reads=disk_reads,
        answers=answers,
        history=history,
    )


def _answers(reports: Sequence[Report]) -> Answers:
    """Return a guest's answers by second; each report is of the second before it."""
    return by_second(
        np.array([report.t - 1.0 for report in reports]),
        np.array([report.t for report in reports]),
        np.array([report.requests for report in reports], dtype=np.float64),
        np.array([np.nan if report.mean_ms is None else report.mean_ms / 1e3 for report in reports]),
        1 + int(max((report.t for report in reports), default=0.0)),
    )
