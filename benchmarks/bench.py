"""Times decisions, the reflex, simulated hosts, commands, metrics, a service; prints figures and ratios."""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "policy"))

from columns import known, snapshot
from metrics import metrics
from scale import hosts
from service import service, virtual_hours

from ballonet.engine.residents import Followed
from ballonet.engine.watch import Watch
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.learn import learn
from ballonet.policy.plan import plan
from ballonet.policy.reflex import reflex
from ballonet.policy.settings import Settings
from ballonet.show.scores import scores_table
from ballonet.simulator.contest import Entry, run_entry
from ballonet.simulator.scenarios import scenario
from ballonet.simulator.trial import Trial
from ballonet.units import GIB, MIB

RUNS = 15
COMMAND_RUNS = 10


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--guests", type=int, default=0, help="boot so many real guests: `guests`, `make-room`"
    )
    arguments = parser.parse_args()
    decisions()
    reflexes()
    hosts()
    policies()
    commands()
    metrics()
    service(seconds=20.0, warm_seconds=20.0)  # in full: benchmarks/service.py
    virtual_hours(1.0)
    if arguments.guests:
        from real import guests
        from room import room

        guests(arguments.guests)
        room()


def median_ms(call: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median time of a call, in ms, after one to warm up."""
    call()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def policies() -> None:
    """Print what policies are worth on a few scenarios."""
    trials = [Trial(scenario("idle"), name) for name in ("ballonet", "proxmox", "equal")]
    entries = [Entry(name, 0) for name in ("same-instant", "cold-cache", "leak")]
    print(scores_table([result for entry in entries for result in run_entry(entry, trials)]))


def host(rows: int) -> tuple[Snapshot, Memory, Settings]:
    """Return guests of 1 to 8 GiB on 65 % of the sum of their maxima: the budget cuts into the caches."""
    random = np.random.default_rng(1)
    maximum = random.choice([1.0, 2.0, 4.0, 8.0], rows) * GIB
    usable = random.uniform(0.1, 0.6, rows) * maximum
    table = snapshot(
        rows,
        maximum=maximum,
        actual=0.7 * maximum,
        usable=usable,
        unused=usable * random.uniform(0.1, 1.0, rows),
    )
    return table, known(table, growth=50.0 * MIB), Settings(budget_bytes=float(0.65 * maximum.sum()))


def decisions() -> None:
    """Time `plan` and `learn`, against sorting one column of as many numbers."""
    print("decision            plan ms   learn ms   plan / sorting one column   growth")
    before = 0.0
    for rows in (100, 1_000, 10_000, 100_000):
        table, memory, settings = host(rows)
        column = np.random.default_rng(2).random(rows)
        base = median_ms(lambda column=column: np.sort(column))
        taken = median_ms(lambda a=(table, memory, settings): plan(*a))
        learnt = median_ms(lambda a=(memory, table, settings): learn(*a))
        growth = f"{taken / before:.1f}x" if before else ""
        print(f"{rows:>8} guests {taken:>11.2f} {learnt:>10.2f} {taken / base:>27.1f} {growth:>8}")
        before = taken


class _Residents:
    """Resident memory that grows by 10 MiB at each look."""

    def __init__(self, uuids: tuple[str, ...]) -> None:
        self.resident = dict.fromkeys(uuids, 512 * MIB)

    def follow(self, uuids: object) -> None:
        """Follow nobody else."""

    def read(self) -> dict[str, int]:
        """Return what all have."""
        self.resident = {uuid: size + 10 * MIB for uuid, size in self.resident.items()}
        return self.resident

    def started_at(self, uuid: str) -> float | None:
        """Return nothing."""


def reflexes() -> None:
    """Time a pass of the reflex over guests that all burst: a look, reading no process, and the answer."""
    print("\nreflex               look ms   answer ms")
    for rows in (100, 1_000):
        table, memory, settings = host(rows)
        made = plan(table, memory, settings)
        followed = Followed(_Residents(table.uuids))
        followed.follow(table.uuids)
        watch = Watch(followed)
        for step in range(5):
            watch.look(table.taken_at + 0.1 * step)

        def once(watch: Watch = watch, made=made, memory=memory, settings=settings) -> None:  # noqa: ANN001
            sight = watch.sight(made, memory, settings)
            assert sight is not None
            reflex(sight, made.free, settings)

        looked = median_ms(lambda watch=watch, at=table.taken_at: watch.look(at + 0.5))
        print(f"{rows:>8} guests {looked:>12.2f} {median_ms(once):>11.2f}")


def commands() -> None:
    """Time whole commands, against an interpreter that does nothing."""
    print("\ncommand              ms      over an empty interpreter")
    ballonet = str(Path(sys.executable).with_name("ballonet"))
    base = command_ms([sys.executable, "-c", "pass"])
    for words in (["--help"], ["names"]):
        taken = command_ms([ballonet, *words])
        print(f"ballonet {' '.join(words):<8} {taken:>6.0f} {taken / base:>12.1f}x")


def command_ms(words: list[str]) -> float:
    """Return the median time of a whole process, in ms."""
    return median_ms(
        lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL),
        COMMAND_RUNS,
    )


if __name__ == "__main__":
    main()
