"""The demo's guests, loads and runs: the same minute twice, without ballooning and with it."""

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
from ballonet.lab.lab import Lab
from ballonet.lab.report import Report
from ballonet.policy.settings import Settings
from ballonet.simulator.outcome import Outcome
from ballonet.simulator.scenarios import SCENARIOS
from ballonet.units import MIB

SECONDS = 60.0
MAXIMUM_BYTES = 512 * MIB
BUDGET_BYTES = SCENARIOS["trade-places"].budget_bytes  # 59 % of the sum of the maxima
FLOOR_BYTES = 128 * MIB

LOADS = SCENARIOS["trade-places"].loads
VCPUS = {"web": 2, "shop": 2}  # one processor, emulated, cannot touch memory at 300 MiB/s
WARM_UP_SECONDS = 8.0  # until "files" has read its file in: it is not ballooning that is measured there
_AT_REST = "at 0 anon_mib=20 hot_mib=20 file_mib=0 rate=0"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who watches a run."""

    plan: Callable[[Plan], None]
    happening: Callable[[Happening], None]


def specs() -> list[GuestSpec]:
    """Return the demo's guests."""
    return [GuestSpec(name, memory_bytes=MAXIMUM_BYTES, vcpus=VCPUS.get(name, 1)) for name in LOADS]


def world(hypervisor: LibvirtHypervisor) -> World:
    """Return the ports of a run on this host."""
    return World(hypervisor, SystemClock(), LinuxHost(), ProcessResidents())


async def one_run(
    lab: Lab,
    hypervisor: LibvirtHypervisor,
    viewer: Viewer,
    *,
    balanced: bool,
    reflex: bool = True,
    seconds: float = SECONDS,
) -> Outcome:
    """Run all loads once; with `balanced`, guests are first brought within the budget."""
    settings = Settings(
        budget_bytes=BUDGET_BYTES if balanced else len(LOADS) * MAXIMUM_BYTES,
        reserve_bytes=256 * MIB,
        interval_seconds=1.0,
        boot_grace_seconds=0.0,
        reflex=reflex,
    )
    ports = world(hypervisor)
    engine = Engine(ports, settings, viewer.happening, enforce=balanced, floor_bytes=FLOOR_BYTES)
    await asyncio.gather(*(lab.load(name, _AT_REST) for name in LOADS))
    if not balanced:
        await asyncio.gather(*(hypervisor.resize(uuid, MAXIMUM_BYTES) for uuid in lab.uuids.values()))
    # The first squeeze takes two or three bites, each followed by a look at newer statistics.
    await run(engine, ports, seconds=15.0 if balanced else 3.0, after_tick=viewer.plan)
    await asyncio.gather(*(lab.load(name, load) for name, load in LOADS.items()))
    engine.summary = Summary()
    before = {name: lab.latest(name) for name in LOADS}
    await run(engine, ports, seconds=seconds, after_tick=viewer.plan)
    reports = {name: _since(lab.reports(name), before[name]) for name in LOADS}
    return _outcome(engine.summary, reports, BUDGET_BYTES if balanced else None)


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
