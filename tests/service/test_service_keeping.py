"""A service's memory over restarts: simulated hosts under an engine with a real store."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from kept import Host, four_guests, on_host, settings

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.loop import run
from ballonet.engine.ports import Event, EventKind
from ballonet.engine.requests import Requests
from ballonet.errors import BallonetError, JournalError
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.plan import Plan
from ballonet.facts.verdict import CODES
from ballonet.service.keeping import REMEMBER_SECONDS, Keeper
from ballonet.service.store import Store
from ballonet.simulator import virtual
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB


def keeper(host: Host, store: Store, said: list[str] | None = None) -> Keeper:
    return Keeper(store, [host.engine], ([] if said is None else said).append)


def test_what_was_learned_and_told_outlives_the_process(tmp_path: Path) -> None:
    store = Store(tmp_path)

    async def lives(host: Host) -> None:
        keeper(host, store).ticked()

    first = on_host(lives, seconds=60.0)
    store.before(first.journal.acts)
    store.close()
    again = Store(tmp_path)
    told = {act.uuid: act.to_bytes for act in first.journal.acts}
    assert told == {uuid: target.size_bytes for uuid, target in again.targets().items()}
    assert set(again.learned()) >= set(told)
    assert all(values["growth"] >= 0.0 for values in again.learned().values())
    again.close()


def test_a_store_that_cannot_be_written_is_told_of_once_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, said = Store(tmp_path), list[str]()

    def full() -> None:
        raise JournalError("the disk is full", hint="make room")

    async def lives(host: Host) -> None:
        keeps = keeper(host, store, said)
        with monkeypatch.context() as patched:
            patched.setattr(store, "flush", full)
            keeps.ticked()
            keeps.ticked()
            assert keeps.fails
        keeps.ticked()
        assert not keeps.fails

    on_host(lives)
    assert [
        "the disk is full: nothing is remembered until it can be written",
        "what happens is remembered again",
    ] == said
    store.close()


def test_what_is_learned_is_kept_each_minute_and_at_the_end(tmp_path: Path) -> None:
    store = Store(tmp_path)
    times: list[int] = []

    async def lives(host: Host) -> None:
        keeps = keeper(host, store)
        for _ in range(3):
            keeps.ticked()
            times.append(len(store.learned()))
            await host.clock.sleep(REMEMBER_SECONDS / 2)
        keeps.end()

    on_host(lives, seconds=200.0)
    assert [4, 4, 4] == times
    again = Store(tmp_path)
    assert 4 == len(again.learned())
    again.close()


@pytest.mark.parametrize("killed_after_seconds", [62.0, 67.5, 91.0])
def test_a_service_that_is_killed_gets_where_it_would_have_got(
    tmp_path: Path, killed_after_seconds: float
) -> None:
    """By then what it learned of a burst was written; who never saw one leaves that guest 250 MiB less."""
    whole = virtual.run(_lives(Store(tmp_path / "whole"), [150.0]))
    killed = virtual.run(
        _lives(Store(tmp_path / "killed"), [killed_after_seconds, 150.0 - killed_after_seconds])
    )
    assert whole == pytest.approx(killed, abs=16 * MIB)


def one_that_burst(clock: virtual.VirtualClock) -> World:
    """Return guests of 1 GiB of which one grew by 450 MiB once, in a way that the reflex cannot see."""
    burst = Step(10.0, anon_mib=600.0, hot_mib=300.0, grow_mib_s=150.0)
    specs = [
        Spec("busy", GIB, [_rests(150.0), burst, _rests(150.0, at=30.0)], vcpus=2, free_page_reporting=False),
        *(Spec(name, GIB, [_rests(mib)], vcpus=2) for name, mib in (("idle", 60.0), ("web", 200.0))),
    ]
    return World(specs, clock=clock, host_bytes=16 * GIB)


def _rests(mib: float, *, at: float = 0.0) -> Step:
    return Step(at, anon_mib=mib, hot_mib=mib / 2)


async def _lives(store: Store, lives: list[float]) -> list[float]:
    """Run one engine after the other on the same guests, each killed after so long; return their sizes."""
    clock = virtual.VirtualClock()
    world = one_that_burst(clock)
    ports = Ports(world, clock, world, world)
    for seconds in lives:
        requests = Requests(clock, store, [*store.holds(), *store.leases()])
        engine = Engine(
            ports, settings(2.2 * GIB), store.tell, enforce=True, requests=requests, journal=store
        )
        keeps = Keeper(store, [engine])
        keeps.recall()

        def ticked(_: Plan, keeps: Keeper = keeps) -> None:
            keeps.ticked()

        await run(engine, ports, seconds=seconds, after_tick=ticked)
    assert not [event for event in store.events() if "somebody else" in event.sentence]
    store.close()
    sizes: list[float] = world.state.actual.tolist()
    return sizes


class Killed(BaseException):
    """The process is gone."""


class Fatal(World):
    """A host whose service is killed in the tick of a change: those before it have arrived, it has not."""

    sent = 0
    fatal: int | None = None

    async def resize_many(self, sizes: Mapping[str, int]) -> Mapping[str, BallonetError]:
        for uuid, size in sizes.items():
            if self.sent == self.fatal:
                raise Killed
            self.sent += 1
            await super().resize_many({uuid: size})
        return {}


async def _dies(store: Store, fatal: int | None) -> tuple[list[float], int]:
    """Run an engine for two minutes, another one after a kill; return the sizes, and how many were sent."""
    clock = virtual.VirtualClock()
    world = Fatal(four_guests(clock).specs, clock=clock, host_bytes=16 * GIB)
    world.fatal = fatal
    ports = Ports(world, clock, world, world)
    while (left := 120.0 - clock.monotonic()) > 0.0:
        engine = Engine(ports, settings(1.6 * GIB), store.tell, enforce=True, journal=store)
        keeps = Keeper(store, [engine])
        keeps.recall()

        def ticked(_: Plan, keeps: Keeper = keeps) -> None:
            keeps.ticked()

        with suppress(Killed):
            await run(engine, ports, seconds=left, after_tick=ticked)
        world.fatal = None
    store.close()
    return world.state.actual.tolist(), world.sent


def test_a_plan_that_a_kill_cuts_short_anywhere_is_made_up_for(tmp_path: Path) -> None:
    """S3: killed before each of the changes that a run makes until it rests."""
    whole, sent = virtual.run(_dies(Store(tmp_path / "whole"), None))
    assert sent > 4
    for fatal in range(sent):
        killed, _ = virtual.run(_dies(Store(tmp_path / str(fatal)), fatal))
        assert whole == pytest.approx(killed, abs=MIB)


class SetClock(virtual.VirtualClock):
    """A wall clock that somebody sets."""

    set_by = 0.0

    def time(self) -> float:
        return super().time() + self.set_by


def test_who_began_anew_is_left_alone_though_the_clock_was_set_before_the_restart(tmp_path: Path) -> None:
    """S3, S6, G7."""
    clock, store = SetClock(), Store(tmp_path)
    law = replace(settings(2.2 * GIB), boot_grace_seconds=120.0)

    async def lives() -> None:
        world = four_guests(clock)
        ports = Ports(world, clock, world, world)
        first, second = (Engine(ports, law, lambda _: None, enforce=True) for _ in range(2))
        Keeper(store, [first]).recall()
        await clock.sleep(200.0)
        first.hear(Event(EventKind.REBOOTED, "simulated-busy", "busy"))
        await first.tick()
        Keeper(store, [first]).ticked()
        clock.set_by = 110.0
        await clock.sleep(20.0)
        Keeper(store, [second]).recall()
        assert CODES["booting"] == (await second.tick()).verdict[0]

    virtual.run(lives())
    store.close()


def test_who_began_anew_is_left_alone_after_a_kill_soon_after(tmp_path: Path) -> None:
    """S3, G7: a reset does not show in the process, and what is learned is else written once a minute."""
    clock, store = virtual.VirtualClock(), Store(tmp_path)
    law = replace(settings(2.2 * GIB), boot_grace_seconds=120.0)

    async def lives() -> None:
        world = four_guests(clock)
        ports = Ports(world, clock, world, world)
        first, second = (Engine(ports, law, lambda _: None, enforce=True) for _ in range(2))
        keeps = Keeper(store, [first])
        await clock.sleep(200.0)
        await first.tick()
        keeps.ticked()
        await clock.sleep(10.0)
        first.hear(Event(EventKind.REBOOTED, "simulated-busy", "busy"))
        keeps.hear(Happening(clock.time(), Kind.REBOOTED, "busy"))
        await first.tick()
        keeps.ticked()
        await clock.sleep(10.0)
        Keeper(store, [second]).recall()
        assert [CODES["booting"], *[CODES["managed"]] * 3] == (await second.tick()).verdict.tolist()

    virtual.run(lives())
    store.close()


def test_who_is_moved_once_more_is_left_alone_as_long_after_a_kill(tmp_path: Path) -> None:
    """S3, Q2: its verdict is what it was, and what is learned is else written once a minute."""
    clock, store = virtual.VirtualClock(), Store(tmp_path)

    async def lives() -> None:
        world = four_guests(clock)
        ports = Ports(world, clock, world, world)
        first, second = (Engine(ports, settings(4.0 * GIB), lambda _: None, enforce=True) for _ in range(2))
        keeps = Keeper(store, [first])
        await clock.sleep(200.0)
        for size in (GIB, 900 * MIB, 800 * MIB):
            await world.resize("simulated-busy", size)
            await clock.sleep(10.0)
            await first.tick()
            keeps.ticked()
        Keeper(store, [second]).recall()
        await second.tick()
        assert clock.monotonic() + 60.0 == pytest.approx(first.memory.foreign_until.max())
        assert first.memory.foreign_until.max() == pytest.approx(second.memory.foreign_until.max())

    virtual.run(lives())
    store.close()
