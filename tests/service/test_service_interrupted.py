"""S3: a service that dies in the middle of its plans comes to where it would have come without that."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pretend import PretendClock, PretendHypervisor, guest

from ballonet.engine.engine import Engine, World
from ballonet.engine.requests import Requests
from ballonet.facts.happening import Happening, Kind
from ballonet.policy.settings import Settings
from ballonet.service.keeping import Keeper
from ballonet.service.store import Store
from ballonet.units import GIB, MIB

BUDGET = 2 * GIB
USED = {"a": 300 * MIB, "b": 450 * MIB, "c": 150 * MIB, "d": 200 * MIB}
NEEDIER_AT, NEEDS = 1014.0, 700 * MIB  # what the clock says then, and what "a" uses from then on
END = 1040.0  # undisturbed, the plan is empty by then
# What is found otherwise than it was told is left alone for a minute, as if it was somebody's change.
SETTLES_SECONDS = 140.0
# A guest is not moved for less than this: two that differ by it are at rest both.
DEADBAND = 32 * MIB


class KilledError(BaseException):
    """The process is gone."""


@dataclass
class Deadly(PretendHypervisor):
    """Takes so many sizes; who sends the next one is killed, before the guest heard of it or after."""

    takes: float = float("inf")
    heard: bool = False

    async def resize(self, uuid: str, size_bytes: int, **more: Any) -> None:
        self.takes -= 1
        if self.takes >= 0 or (self.heard and self.takes == -1):
            await super().resize(uuid, size_bytes, **more)
        if self.takes == -1:
            raise KilledError


@dataclass
class Process:
    """One life of a service: its engine, and what it wrote down."""

    engine: Engine
    keeper: Keeper


class Run:
    """Four guests of 1 GiB on 2 GiB, one of which needs more after a while; the service may die."""

    def __init__(self, directory: Path) -> None:
        self.clock = PretendClock()
        self.hypervisor = Deadly(self.clock)
        for name, used in USED.items():
            self.hypervisor.add(guest(name), used)
        self.told: list[Happening] = []
        self.directory = directory

    @contextmanager
    def process(self) -> Iterator[Process]:
        """Begin a service on what the one before left; it ends as if it was killed."""
        self.directory.mkdir(exist_ok=True)
        store = Store(self.directory)
        requests = Requests(self.clock, store, [*store.holds(), *store.leases()])
        engine = Engine(
            World(self.hypervisor, self.clock),
            Settings(budget_bytes=BUDGET),
            self.told.append,
            enforce=True,
            requests=requests,
            journal=store,
        )
        keeper = Keeper(store, [engine])
        keeper.recall()
        try:
            yield Process(engine, keeper)
        finally:
            # What a killed process leaves is what its files hold: all that waits in it is gone.
            left = self.directory.with_name(f"{self.directory.name}-")
            shutil.copytree(self.directory, left)
            store.close()
            self.directory = left

    async def until(self, process: Process, end: float) -> None:
        """Tick until then; the budget is kept whenever it can be."""
        while self.clock.now < end:
            if self.clock.now >= NEEDIER_AT:
                self.hypervisor.used["uuid-a"] = NEEDS
            was = self.total()
            await process.engine.tick()
            process.keeper.ticked()
            assert self.total() <= max(was, BUDGET)
            self.clock.now += 2.0

    def total(self) -> int:
        return sum(row.actual_bytes or 0 for row in self.hypervisor.rows.values())

    def sizes(self) -> dict[str, int]:
        return {row.name: row.actual_bytes or 0 for row in self.hypervisor.rows.values()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which nobody dies."""

    async def lives() -> Run:
        run = Run(tmp_path_factory.mktemp("lives") / "state")
        with run.process() as process:
            await run.until(process, END)
        return run

    return asyncio.run(lives())


async def killed(directory: Path, takes: int, *, heard: bool, away_seconds: float) -> Run:
    """Return a run whose service dies once, is away for so long, and begins again."""
    run = Run(directory)
    run.hypervisor.takes, run.hypervisor.heard = takes, heard
    with run.process() as process, pytest.raises(KilledError):
        await run.until(process, END)
    run.hypervisor.takes = float("inf")
    run.clock.now += away_seconds
    with run.process() as process:
        await run.until(process, run.clock.now + SETTLES_SECONDS)
        settled = len(run.hypervisor.sent)
        await run.until(process, run.clock.now + 20.0)
        assert settled == len(run.hypervisor.sent)  # the plan is empty
    return run


SENDS = 24


@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("takes", range(SENDS))
async def test_wherever_it_dies_it_goes_on_to_the_same_sizes(
    undisturbed: Run, tmp_path: Path, takes: int, *, heard: bool
) -> None:
    away_seconds = (1.0, 60.0)[takes % 2]  # what was told is still under way after the first, and not then

    run = await killed(tmp_path / "state", takes, heard=heard, away_seconds=away_seconds)

    assert undisturbed.sizes() == pytest.approx(run.sizes(), abs=DEADBAND)
    assert not {Kind.BROKEN, Kind.FAILED} & {each.kind for each in run.told}


def test_it_dies_before_each_change_and_after_each(undisturbed: Run) -> None:
    assert SENDS == len(undisturbed.hypervisor.sent)
