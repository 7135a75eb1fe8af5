"""A service's life on a simulated host: it reads its settings again, remembers, and ends in order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from kept import ANNA, four_guests, settings

from ballonet.engine.counts import Counts
from ballonet.engine.engine import World as Ports
from ballonet.engine.limits import one_floor, usual
from ballonet.engine.ports import Wanted, nobody
from ballonet.errors import BallonetError, HypervisorError, RefusedError, UnreachableError, UsageError
from ballonet.facts.guest import Guest
from ballonet.facts.happening import Happening, Kind
from ballonet.service.claim import Claim
from ballonet.service.daemon import Daemon, Ears, Rules
from ballonet.service.history_file import Bounds, HistoryFile
from ballonet.service.notify import Notifier
from ballonet.service.span import ReportAsked, Span
from ballonet.service.store import Store
from ballonet.simulator import virtual
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

RULES = Rules(settings(2.2 * GIB), usual, enforce=True)


@dataclass
class Heard:
    """What a daemon said, and the settings that it reads next."""

    rules: Rules | UsageError = RULES
    words: list[str] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)

    def read(self) -> Rules:
        if isinstance(self.rules, UsageError):
            raise self.rules
        return self.rules


class LaterClock(virtual.VirtualClock):
    """A clock of another day."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        return super().time() + self._seconds


Does = Callable[[Daemon, World, virtual.VirtualClock], Awaitable[None]]


async def nothing(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
    """Let it run."""


def life(
    heard: Heard,
    does: Does = nothing,
    *,
    store: Store | None = None,
    claim: Claim | None = None,
    history: HistoryFile | None = None,
    seconds: float = 90.0,
    epoch_seconds: float = 0.0,  # later than usual
) -> list[float]:
    """Run a daemon, and after half a minute this beside it; return the guests' sizes at its end."""

    async def lives() -> list[float]:
        clock = LaterClock(epoch_seconds)
        world = four_guests(clock)
        ports = Ports(world, clock, world, world)
        ears = Ears(heard.happenings.append, heard.words.append)
        notifier = Notifier({})
        daemon = Daemon(
            "sim:", ports, heard.read, ears, store=store, notifier=notifier, claim=claim, history=history
        )

        async def later() -> None:
            await clock.sleep(30.0)
            await does(daemon, world, clock)

        beside = asyncio.create_task(later())
        await daemon.run([], seconds=seconds)
        await beside
        await clock.sleep(10.0)
        world.memory()  # a look: nothing moves without one
        sizes: list[float] = world.state.actual.tolist()
        return sizes

    return virtual.run(lives())


def test_new_settings_are_in_force_from_the_next_tick_on() -> None:
    heard = Heard()

    async def does(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
        heard.rules = replace(RULES, limits=one_floor(600.0 * MIB), enforce=False)
        daemon.reload()
        await clock.sleep(3.0)
        assert not daemon.engine.writes
        assert "observe" == daemon.service.status().mode
        heard.rules = replace(RULES, law=settings(3.0 * GIB), limits=one_floor(600.0 * MIB))
        daemon.reload()
        await clock.sleep(3.0)
        assert daemon.engine.writes

    sizes = life(heard, does)
    assert min(sizes) >= 600 * MIB
    assert ["settings were read again"] * 2 == heard.words


def test_whose_agents_are_asked_changes_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    heard, told = Heard(), list[Wanted]()
    monkeypatch.setattr(World, "listen", lambda _, to: told.append(to), raising=False)
    monkeypatch.setattr(World, "hear", lambda _: None, raising=False)

    def everybody(_: Guest) -> bool:
        return True

    async def does(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
        heard.rules = replace(RULES, asks=everybody)
        daemon.reload()

    life(heard, does, seconds=40.0)

    assert [nobody, everybody] == told


def test_settings_that_are_wrong_leave_those_before_in_force_and_that_shows() -> None:
    heard = Heard()

    async def does(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
        heard.rules = UsageError("conf.toml:3: no such key", hint="leave it out")
        daemon.reload()
        await clock.sleep(3.0)
        reload = daemon.service.status().settings
        assert (False, "conf.toml:3: no such key") == (reload.succeeded, reload.error)
        assert reload.at > reload.in_force_since == daemon.service.status().started_at
        assert daemon.engine.writes
        heard.rules = RULES
        daemon.reload()
        await clock.sleep(3.0)
        reload = daemon.service.status().settings
        assert reload.succeeded
        assert reload.at == reload.in_force_since

    life(heard, does)
    assert ["settings stay as they were: conf.toml:3: no such key", "settings were read again"] == heard.words


def test_enforcing_is_for_one_only_also_after_settings_were_read_again(tmp_path: Path) -> None:
    other = Claim(["test:///default"], tmp_path)
    other.take()
    heard = Heard(replace(RULES, enforce=False))

    async def does(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
        heard.rules = replace(RULES, limits=one_floor(600.0 * MIB))
        daemon.reload()
        await clock.sleep(3.0)
        assert not daemon.engine.writes
        assert "another ballonet" in (daemon.service.status().settings.error or "")
        other.drop()
        daemon.reload()
        await clock.sleep(3.0)
        assert daemon.engine.writes
        with pytest.raises(RefusedError):
            other.take()
        heard.rules = replace(RULES, enforce=False)
        daemon.reload()
        other.take()
        other.drop()
        heard.rules = RULES
        daemon.reload()

    life(heard, does, claim=Claim(["test:///default"], tmp_path))
    other.take()  # it ended
    other.drop()


def test_where_another_enforces_it_does_not_begin(tmp_path: Path) -> None:
    other, ours = (Claim(["test:///default"], tmp_path) for _ in range(2))
    other.take()
    assert [GIB] * 4 == life(Heard(replace(RULES, enforce=False)), claim=ours, seconds=40.0)
    with pytest.raises(RefusedError, match="another ballonet"):
        life(Heard(), claim=ours)
    other.drop()


def test_memory_is_given_back_in_the_end_where_the_settings_say_so() -> None:
    kept = life(Heard())
    assert sum(kept) < 2.2 * GIB
    released = life(Heard(replace(RULES, release_on_stop=True)))
    assert sum(released) == pytest.approx(2.2 * GIB, rel=0.02)


def test_an_observer_gives_nothing_back() -> None:
    assert [GIB] * 4 == life(Heard(replace(RULES, enforce=False, release_on_stop=True)))


def test_who_is_told_twice_to_end_waits_for_no_guest_and_keeps_what_it_learned(tmp_path: Path) -> None:
    class Hangs(World):
        ends = False

        async def resize_many(self, sizes: Mapping[str, int]) -> Mapping[str, BallonetError]:
            if self.ends:
                await asyncio.Event().wait()
            return await super().resize_many(sizes)

    async def lives() -> None:
        clock = virtual.VirtualClock()
        world = Hangs(four_guests(clock).specs, clock=clock)
        ports = Ports(world, clock, world, world)
        heard = Heard(replace(RULES, release_on_stop=True))
        ears = Ears(heard.happenings.append, heard.words.append)
        daemon = Daemon("sim:", ports, heard.read, ears, store=store)
        task = asyncio.create_task(daemon.run([]))
        await clock.sleep(90.0)
        world.ends = True
        for _ in range(2):
            task.cancel()
            await clock.sleep(0.1)
        assert task.cancelled()

    store = Store(tmp_path)
    virtual.run(lives())
    with closing(Store(tmp_path)) as again:  # which the first would refuse, if it was not closed
        assert 4 == len(again.learned())


def test_what_happened_is_kept_and_what_was_asked_for_goes_on(tmp_path: Path) -> None:
    async def does(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
        daemon.connection.by_hand.pause("web", None, ANNA)

    life(Heard(), does, store=Store(tmp_path))
    again, heard = Store(tmp_path), Heard()
    assert Kind.PLANNED in {event.kind for event in again.events()}

    async def looks(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
        assert ["web"] == [hold.name for hold in daemon.engine.requests.holds]

    life(heard, looks, store=again)


@pytest.mark.parametrize("enforce", [True, False])
def test_a_services_changes_are_counted_with_or_without_a_store(*, enforce: bool) -> None:
    found: list[Counts] = []

    async def look(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
        found.append(daemon.counts)

    sizes = life(Heard(replace(RULES, enforce=enforce)), look)
    [counts] = found
    results = {result for (_, _, result), count in counts.changes.items() if count}
    assert results <= ({"reached", "overtaken"} if enforce else {"observed"})
    assert results
    assert 4 * GIB - sum(sizes) == counts.moved_bytes["shrink"] - counts.moved_bytes["grow"]
    assert 4 == counts.happenings["came"]
    assert 45 <= counts.ticks.cumulative()[-1]
    assert (0, True, None) == (counts.failures, counts.reads, counts.store_writable)


def test_history_goes_on_after_a_restart(tmp_path: Path) -> None:
    def history() -> tuple[Store, HistoryFile]:
        return Store(tmp_path), HistoryFile(tmp_path, Bounds())

    store, file = history()
    life(Heard(), store=store, history=file)
    again, file = history()
    heard = Heard()

    async def looks(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
        span = Span(clock.time() - 60.0, clock.time(), 10)
        assert 2 <= len(daemon.history.names())
        past = await daemon.history.guest("simulated-web", span)
        assert [True, False] == np.isnan(past.column("actual_bytes"))[[0, -1]].tolist()
        report = await daemon.service.report(ReportAsked())
        assert 88.0 + 30.0 == report.observed_seconds  # of both lives, not between
        assert 4 == len(report.guests)

    life(heard, looks, store=again, history=file, epoch_seconds=1000.0)
    assert [] == heard.words


def test_history_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    store, file, heard = Store(tmp_path), HistoryFile(tmp_path, Bounds()), Heard()
    file.close()
    life(heard, store=store, history=file)
    [word] = heard.words
    assert "history.sqlite cannot be written" in word
    with closing(Store(tmp_path)) as kept:
        assert Kind.PLANNED in {event.kind for event in kept.events()}


def test_a_tick_that_failed_feeds_no_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    """S8."""
    fed: list[float] = []

    async def does(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
        monkeypatch.setattr(Notifier, "ticked", lambda _, __: fed.append(clock.monotonic()))
        await clock.sleep(6.0)
        assert fed
        fed.clear()
        monkeypatch.setattr(world, "columns", _gone)
        await clock.sleep(30.0)
        assert [] == fed
        monkeypatch.undo()

    life(Heard(), does)


async def _gone() -> None:
    raise HypervisorError("libvirt is gone")


def test_who_waits_for_a_hypervisor_that_is_not_there_is_not_taken_for_one_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []

    async def unreachable() -> None:
        raise UnreachableError("no libvirt daemon answers")

    async def does(daemon: Daemon, world: World, clock: virtual.VirtualClock) -> None:
        await clock.sleep(6.0)
        monkeypatch.setattr(Notifier, "ticked", lambda _, status: said.append(status))
        monkeypatch.setattr(world, "columns", unreachable)
        await clock.sleep(30.0)
        assert {"waiting: no libvirt daemon answers"} == set(said)
        assert 10 < len(said)
        monkeypatch.undo()

    life(Heard(), does)


def test_unless_settings_say_so_no_agent_is_asked() -> None:
    guests = virtual.run(four_guests(virtual.VirtualClock()).guests())

    assert not any(RULES.asks(guest) for guest in guests)
