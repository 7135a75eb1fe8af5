"""Measures what further signals of the host are worth to the reflex: the bench with each of them and without.

Ballonet as it is, and with one signal added, in turn, round by round, on the same guests:

  signals_worth.py real same-instant --guests plain --rounds 3
  signals_worth.py sim same-instant trade-places mix --seeds 5

Real guests are root's to measure: `/proc/PID/io` and pressure triggers are not for others. What a signal is
and what is done about it stands in signals_sources.py and signals_added.py. Simulated guests only know what
they write to swap: their processes' pressure is not modelled, nor are events of their balloons.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from signals import group, pid_of
from signals_added import Added, Answer, BulkCalls, Calls, Signal, Tally
from signals_sources import BalloonEvents, Pressure, ProcessWrites, SimulatedWrites, SwapDisks

from ballonet.engine.engine import World
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.directory import embedded_uri
from ballonet.lab.domain import GuestSpec
from ballonet.lab.lab import Lab
from ballonet.lab.trial import Viewer, one_run, specs
from ballonet.show.table import UNKNOWN, table
from ballonet.simulator.confidence import interval
from ballonet.simulator.oracle import oracle
from ballonet.simulator.pool import everywhere
from ballonet.simulator.scenarios import REPORT_SEEDS, Scenario, scenario
from ballonet.simulator.scores import Score, score
from ballonet.simulator.trial import FREE_PAGE_REPORTING, Trial, outcome
from ballonet.simulator.world import World as SimulatedWorld
from ballonet.units import MIB

AS_IT_IS = "as it is"
REPORTING, PLAIN, DEFLATING = "reporting", "plain", "deflating"
GUESTS: Mapping[
    str, Mapping[str, Any]
] = {  # kinds of guests: with free page reporting, without, and so with autodeflate in place of swap
    REPORTING: {},
    PLAIN: {"free_page_reporting": False},
    DEFLATING: {"free_page_reporting": False, "autodeflate": True, "swap_bytes": 0},
}
SIGNALS: Mapping[str, tuple[str, Answer]] = {  # what is heard, and what is done about it
    AS_IT_IS: ("", Answer.GROW),
    "writes": ("writes", Answer.GROW),
    "writes counted": ("writes", Answer.COUNT),
    "writes asked": ("writes", Answer.ASK),
    "swap disk": ("swap disk", Answer.GROW),
    "pressure": ("pressure", Answer.GROW),
    "balloon": ("balloon", Answer.GROW),
}
LIFE_SECONDS = 6 * 3600  # of guests that nobody ends
QUIET = Viewer(lambda _: None, lambda _: None)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to."""

    scenario: str
    guests: str
    added: str
    score: Score
    tally: Tally


# --- simulated guests -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Task:
    """One simulated host."""

    scenario: str
    seed: int
    guests: str
    share: float


def budgeted(name: str, share: float, seed: int = 0) -> Scenario:
    """Return a scenario with this share of its budget."""
    found = scenario(name, seed)
    return replace(found, budget_bytes=share * found.budget_bytes)


def simulated(task: Task, added: Sequence[str]) -> list[Run]:
    """Return what each signal came to there."""
    found = budgeted(task.scenario, task.share, task.seed)
    known, twin = oracle(found), outcome(Trial(found, "none"))
    trial = Trial(found, without=FREE_PAGE_REPORTING if task.guests == PLAIN else "")
    runs = []
    for name in added:
        tally = Tally()
        run = outcome(trial, through=partial(_simulated_ports, name=name, tally=tally))
        tally.looks = 0  # what they take is the simulator's
        runs.append(Run(task.scenario, task.guests, name, score(found, run, twin, known), tally))
    return runs


def _simulated_ports(ports: World, name: str, tally: Tally) -> World:
    assert isinstance(ports.hypervisor, SimulatedWorld)
    source, _ = SIGNALS[name]
    signal = SimulatedWrites(ports.hypervisor) if source else None
    return _with(ports, BulkCalls(ports.hypervisor), signal, name, tally)


def _with(ports: World, calls: Calls, signal: Signal | None, name: str, tally: Tally) -> World:
    """Return ports through which a signal is seen."""
    assert ports.residents is not None
    _, answer = SIGNALS[name]
    residents = Added(ports.residents, ports.clock, calls, tally, signal, answer)
    return replace(ports, hypervisor=calls, residents=residents)


def simulate(
    names: Sequence[str], guests: Sequence[str], added: Sequence[str], seeds: int, share: float
) -> list[Run]:
    """Run all on simulated hosts."""
    drawn = REPORT_SEEDS[:seeds]
    tasks = [Task(name, seed, kind, share) for name in names for kind in guests for seed in drawn]
    return [run for runs in everywhere(partial(simulated, added=added), tasks) for run in runs]


# --- real guests ----------------------------------------------------------------------------------------


async def measure(
    names: Sequence[str], guests: Sequence[str], added: Sequence[str], rounds: int, share: float
) -> list[Run]:
    """Run all on real guests, that are booted anew for each scenario and kind."""
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="ballonet-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        # One driver for all labs: a process can have but one that is embedded.
        hypervisor = await LibvirtHypervisor.open(embedded_uri(Path(directory)))
        for name in names:
            for kind in guests:
                # The groups can be removed when the guests have ended.
                with ExitStack() as groups:
                    async with Lab(Path(directory) / "lab", hypervisor) as lab:
                        found = budgeted(name, share)
                        await lab.boot(_specs(found, kind))
                        bench = Bench(hypervisor, lab, found, name, kind, _groups(lab, groups))
                        able = [each for each in added if bench.can(each)]
                        for turn in range(rounds):
                            first = turn % len(able)  # guests remember the last run: each has its turn
                            runs += await bench.round(able[first:] + able[:first])
        await hypervisor.close()
    return runs


def _specs(found: Scenario, kind: str) -> list[GuestSpec]:
    return [replace(spec, life_seconds=LIFE_SECONDS, **GUESTS[kind]) for spec in specs(found)]


def _groups(lab: Lab, groups: ExitStack) -> dict[str, Path]:
    """Put each guest's process into a control group of its own, where that can be done."""
    places = {uuid: groups.enter_context(group(pid_of(uuid))) for uuid in lab.uuids.values()}
    return {uuid: place for uuid, place in places.items() if place is not None}


@dataclass(frozen=True, slots=True)
class Bench:
    """Guests that run, and what is tried on them."""

    hypervisor: LibvirtHypervisor
    lab: Lab
    found: Scenario
    name: str
    guests: str
    groups: Mapping[str, Path]

    def can(self, added: str) -> bool:
        """Return whether these guests, or this machine, have such a signal."""
        if added == "swap disk":
            return self.guests != DEFLATING
        return added != "pressure" or bool(self.groups)

    async def round(self, added: Sequence[str]) -> list[Run]:
        """Run the loads without ballooning, and then with each signal; tell each run."""
        known, runs = oracle(self.found), []
        twin = await one_run(self.lab, self.hypervisor, Trial(self.found, "none"), QUIET)
        for name in added:
            tally = Tally()
            with ExitStack() as held:
                through = partial(self._ports, name=name, tally=tally, held=held)
                run = await one_run(self.lab, self.hypervisor, Trial(self.found), QUIET, through=through)
            runs.append(Run(self.name, self.guests, name, score(self.found, run, twin, known), tally))
            print(f"{self.name}, {self.guests}: {', '.join(_row(name, runs[-1:]))}", flush=True)
        return runs

    def _ports(self, ports: World, name: str, tally: Tally, held: ExitStack) -> World:
        calls = Calls(ports.hypervisor)
        source, _ = SIGNALS[name]
        signal = self._signal(source, calls, tally)
        if signal:
            held.callback(signal.close)
        return _with(ports, calls, signal, name, tally)

    def _signal(self, source: str, calls: Calls, tally: Tally) -> Signal | None:
        match source:
            case "writes":
                return ProcessWrites()
            case "swap disk":
                return SwapDisks(self.hypervisor, tally)
            case "pressure":
                return Pressure(self.groups)
            case "balloon":
                return BalloonEvents(calls)
        return None


# --- the table ------------------------------------------------------------------------------------------

COLUMNS: Mapping[str, Callable[[Run], float]] = {
    "LATENCY x": lambda run: run.score.latency_ratio,
    "WORST GUEST x": lambda run: run.score.worst_latency_ratio,
    "GIVEN BACK MiB": lambda run: run.score.given_back_bytes / MIB,
    "SWAPPED IN MiB": lambda run: run.score.swap_in_bytes / MIB,
    "READS": lambda run: run.score.disk_reads,
    "KILLED": lambda run: run.score.oom_kills,
    "REACTION s": lambda run: run.score.reaction_seconds,
    "SPOKE": lambda run: float(run.tally.spoke),
    "ALONE": lambda run: float(run.tally.alone),
    "us A LOOK": lambda run: run.tally.microseconds,
}
SAVED = "SAVED MiB"


def show(runs: Sequence[Run]) -> None:
    """Print a table for each scenario and kind of guests: the mean, and from least to most.

    What was swapped in less than without the signal is taken pair by pair, its mean with the 95 % interval.
    """
    for place in dict.fromkeys((run.scenario, run.guests) for run in runs):
        here: dict[str, list[Run]] = {}
        for run in runs:
            if (run.scenario, run.guests) == place:
                here.setdefault(run.added, []).append(run)
        rows = [[*_row(name, own), _saved(own, here[AS_IT_IS])] for name, own in here.items()]
        print(f"\n{', '.join(place)}, {len(here[AS_IT_IS])} runs each: mean (least to most)")
        print(table(["ADDED", *COLUMNS, SAVED], rows, right=[*COLUMNS, SAVED]))


def _row(added: str, runs: Sequence[Run]) -> list[str]:
    return [added, *(_cell([read(run) for run in runs]) for read in COLUMNS.values())]


def _cell(values: Sequence[float]) -> str:
    if np.isnan(values).any():
        return UNKNOWN
    least, most = _figure(min(values)), _figure(max(values))
    return least if least == most else f"{_figure(mean(values))} ({least} to {most})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{round(value, 3):.3g}"


def _saved(runs: Sequence[Run], without: Sequence[Run]) -> str:
    saved = [
        (before.score.swap_in_bytes - run.score.swap_in_bytes) / MIB
        for run, before in zip(runs, without, strict=True)
    ]
    low, high = interval(saved)
    return f"{_figure(mean(saved))} ({_figure(low)} to {_figure(high)})"


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("on", choices=["real", "sim"])
    parser.add_argument("scenarios", nargs="+", metavar="SCENARIO")
    parser.add_argument("--guests", action="append", choices=list(GUESTS), help="may be repeated")
    parser.add_argument("--signal", action="append", choices=list(SIGNALS)[1:], help="may be repeated")
    parser.add_argument("--rounds", type=int, default=1, help="of real guests")
    parser.add_argument("--seeds", type=int, default=5, help="of simulated ones")
    parser.add_argument("--budget", type=float, default=1.0, help="so many times the scenarios'")
    options = parser.parse_args()
    guests = options.guests or [REPORTING, PLAIN]
    added = [AS_IT_IS, *(options.signal or list(SIGNALS)[1:])]
    if options.on == "sim":
        guests = [kind for kind in guests if kind != DEFLATING]
        added = [name for name in added if SIGNALS[name][0] in {"", "writes"}]
        show(simulate(options.scenarios, guests, added, options.seeds, options.budget))
    else:
        show(asyncio.run(measure(options.scenarios, guests, added, options.rounds, options.budget)))


if __name__ == "__main__":
    main()
