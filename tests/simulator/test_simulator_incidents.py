"""What happens to simulated guests, through the product's engine and loop."""

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np
import pytest

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.limits import one_floor
from ballonet.engine.loop import run
from ballonet.facts.guest import Obstacle, State
from ballonet.facts.happening import Happening
from ballonet.facts.happening import Kind as Told
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.verdict import CODES
from ballonet.hypervisor.libvirt.failures import failure
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.settings import Settings
from ballonet.simulator import virtual
from ballonet.simulator.incidents import Happens, Incident
from ballonet.simulator.kinds import Kind
from ballonet.simulator.schedule import steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import MIB

RESTS = "at 0 anon_mib=100 hot_mib=100"
NAMES = {code: name for name, code in CODES.items()}
_INVALID_OPERATION = 55  # libvirt's number


def guest(name: str, *incidents: Incident, load: str = RESTS, **other: Any) -> Spec:
    """Return a guest of 512 MiB."""
    return Spec(name, 512 * MIB, steps(load), incidents=incidents, **other)


class Ran:
    """These guests under the product's engine on a budget, after so many seconds."""

    def __init__(
        self,
        specs: Sequence[Spec],
        budget_mib: float,
        seconds: float,
        *,
        boot_grace_seconds: float = 0.0,
        reflex: bool = True,
    ) -> None:
        self.plans: list[Plan] = []
        self.memories: list[Memory] = []
        self.happenings: list[Happening] = []
        self._reflex = reflex
        self._settings = Settings(
            budget_bytes=budget_mib * MIB,
            reserve_bytes=256.0 * MIB,
            interval_seconds=1.0,
            boot_grace_seconds=boot_grace_seconds,
        )
        self.world = virtual.run(self._run(specs, seconds))

    async def _run(self, specs: Sequence[Spec], seconds: float) -> World:
        clock = virtual.VirtualClock()
        world = World(specs, clock=clock)
        ports = Ports(world, clock, world, world if self._reflex else None)
        engine = Engine(
            ports, self._settings, self.happenings.append, enforce=True, limits=one_floor(128 * MIB)
        )

        def keep(plan: Plan) -> None:
            self.plans.append(plan)
            self.memories.append(engine.memory)

        await run(engine, ports, seconds=seconds, after_tick=keep)
        return world

    def at(self, name: str, at: float) -> tuple[Plan, Memory, int]:
        """Return the first plan from a moment on, what it was made from, and a guest's row there."""
        index = next(index for index, plan in enumerate(self.plans) if plan.snapshot.taken_at >= at)
        plan = self.plans[index]
        return plan, self.memories[index], plan.snapshot.names.index(name)

    def verdicts(self, name: str, since: float = 0.0, until: float = inf) -> set[str]:
        """Return all verdicts of a guest between two moments."""
        plans = [plan for plan in self.plans if since <= plan.snapshot.taken_at < until]
        found = [plan for plan in plans if name in plan.snapshot.names]
        return {NAMES[int(plan.verdict[plan.snapshot.names.index(name)])] for plan in found}

    def size_mib(self, name: str, at: float) -> float:
        """Return what a guest had at a moment."""
        plan, _, row = self.at(name, at)
        return float(plan.snapshot.actual[row]) / MIB

    def told_mib(self, name: str, since: float, until: float) -> list[float]:
        """Return what a guest was told between two moments."""
        epoch = virtual.VirtualClock.EPOCH
        return [
            one.to_bytes / MIB
            for one in self.happenings
            if one.name == name and one.to_bytes is not None and since <= one.at - epoch < until
        ]

    def told(self, kind: Told) -> list[tuple[int, str]]:
        """Return when something was told, in whole seconds, and of whom."""
        epoch = virtual.VirtualClock.EPOCH
        return [(int(one.at - epoch), one.name) for one in self.happenings if one.kind is kind]


# --- accounting and kinds ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "counted"),
    [
        ({}, False),
        ({"autodeflate": True}, True),
        ({"kind": Kind.WINDOWS}, True),
    ],
)
def test_need_comes_out_right_however_the_balloon_counts(other: dict[str, Any], *, counted: bool) -> None:
    ran = Ran([guest("odd", **other), guest("other")], 700, 60)
    plan, memory, row = ran.at("odd", 55)

    assert ran.size_mib("odd", 55) < 400
    assert counted == bool(memory.counted[row])
    assert counted == bool(plan.snapshot.available[row] > plan.snapshot.actual[row])
    usable = plan.snapshot.usable[row]
    assert float(memory.used[row]) == pytest.approx(float(plan.snapshot.actual[row] - usable), rel=0.02)


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        ({"kind": Kind.BSD}, "no-usable"),
        ({"kind": Kind.SILENT}, "silent"),
        ({"obstacle": Obstacle.HUGEPAGES}, "hugepages"),
    ],
)
def test_a_guest_that_cannot_be_judged_is_left_alone_and_counted(other: dict[str, Any], verdict: str) -> None:
    ran = Ran([guest("odd", **other), guest("other")], 800, 60)

    assert ran.verdicts("odd", since=5) == {verdict}
    assert ran.size_mib("odd", 55) == 512
    # What it holds is not there for others.
    assert ran.size_mib("other", 55) <= 800 - 512
    assert ran.told_mib("odd", 0, 60) == []


def test_windows_without_its_service_is_not_shrunk() -> None:
    ran = Ran([guest("win", Incident(0, Happens.GAP, inf), kind=Kind.WINDOWS), guest("other")], 700, 60)

    assert ran.verdicts("win", since=5) == {"silent"}
    assert ran.told_mib("win", 0, 60) == []


async def _guests(*specs: Spec, at: float, inactive: bool = False) -> list[object]:
    clock = virtual.VirtualClock()
    world = World(specs, clock=clock)
    await clock.sleep(at)
    return list(await world.guests(inactive=inactive))


def test_what_a_kind_does_not_tell_is_none() -> None:
    found = virtual.run(
        _guests(
            guest("bsd", kind=Kind.BSD),
            guest("mute", kind=Kind.SILENT),
            guest("win", kind=Kind.WINDOWS),
            at=5,
        )
    )
    bsd, mute, win = [one.statistics for one in found]  # type: ignore[attr-defined]

    assert (None, None, None) == (bsd.usable_bytes, bsd.swap_in_bytes_total, bsd.disk_caches_bytes)
    assert bsd.unused_bytes > 0
    assert (None, None, None) == (mute.unused_bytes, mute.available_bytes, mute.last_update)
    assert None is win.disk_caches_bytes
    assert win.usable_bytes == win.unused_bytes > 0


# --- incidents --------------------------------------------------------------------------------------


def test_a_guest_that_reboots_is_left_alone_until_it_reports_again() -> None:
    ran = Ran(
        [guest("web", Incident(40, Happens.REBOOT, 5)), guest("other")], 700, 120, boot_grace_seconds=20
    )
    before = ran.size_mib("web", 39)

    assert before < 400
    assert [(40, "web")] == ran.told(Told.REBOOTED)
    assert {"booting"} == ran.verdicts("web", since=40.2, until=59)
    assert [] == ran.told_mib("web", 40.2, 59)
    # QEMU tells the size of before while the guest owns all its memory; then it shrinks to that again.
    assert ran.size_mib("web", 43) == before
    assert ran.size_mib("web", 50) == pytest.approx(before, abs=2)
    assert "managed" in ran.verdicts("web", since=65)


def test_all_that_reboot_at_once_are_told_of() -> None:
    ran = Ran([guest(name, Incident(40.1, Happens.REBOOT, 5)) for name in ("db", "mail", "web")], 1400, 45)

    assert [(40, "db"), (40, "mail"), (40, "web")] == ran.told(Told.REBOOTED)


def test_statistics_outlive_a_reboot_as_in_old_qemu_and_counters_begin_anew() -> None:
    async def look() -> list[tuple[float | None, int | None]]:
        clock = virtual.VirtualClock()
        world = World(
            [guest("web", Incident(10, Happens.REBOOT, 5), load="at 0 anon_mib=600 hot_mib=600")], clock=clock
        )
        seen = []
        for _ in range(4):
            await clock.sleep(4.0)
            (one,) = await world.guests()
            since = one.statistics.last_update
            seen.append((since and since - clock.EPOCH, one.statistics.swap_out_bytes_total))
        return seen

    (_, _), (at8, out8), (at12, out12), (at16, out16) = virtual.run(look())

    assert at12 == pytest.approx(10, abs=1.01)
    assert at8 is not None
    assert out8 is not None
    assert out12 is not None
    assert out16 is not None
    assert out12 >= out8 > 0
    assert at16 == 16
    assert out16 < out12


def test_a_hung_guest_is_not_shrunk() -> None:
    ran = Ran([guest("web", Incident(3, Happens.HANG, 100)), guest("other")], 700, 100)
    held = ran.size_mib("web", 10)

    assert {"blind"} == ran.verdicts("web", since=40)
    assert [] == ran.told_mib("web", 40, 100)
    assert ran.size_mib("web", 90) == held


def test_a_paused_guest_is_left_alone_and_managed_again() -> None:
    ran = Ran([guest("web", Incident(10, Happens.PAUSE, 30)), guest("other")], 700, 60)

    assert {"not-running"} == ran.verdicts("web", since=10.2, until=40)
    assert [] == ran.told_mib("web", 10.2, 40)
    assert {"managed"} == ran.verdicts("web", since=42)


def test_a_migrating_guest_is_left_alone() -> None:
    ran = Ran([guest("web", Incident(10, Happens.JOB, 20)), guest("other")], 700, 60)

    assert {"busy"} == ran.verdicts("web", since=10.2, until=30)
    assert [] == ran.told_mib("web", 10.2, 30)
    assert "managed" in ran.verdicts("web", since=32)


async def _refusals() -> dict[str, str]:
    """Return what came of resizing a guest that a job holds and one that is off, by the error's class."""
    clock = virtual.VirtualClock()
    busy, off = guest("busy", Incident(5, Happens.JOB, 60)), guest("off", Incident(5, Happens.OFF, 60))
    world = World([busy, off], clock=clock)
    await clock.sleep(10)
    failed = await world.resize_many({f"simulated-{name}": 300 * MIB for name in ("busy", "off")})
    return {type(error).__name__: str(error) for error in failed.values()}


def test_a_guest_that_is_busy_or_off_is_not_resized() -> None:
    as_libvirt_says = failure(_INVALID_OPERATION, "domain is not running", "resizing off")

    assert virtual.run(_refusals()) == {
        "DeadlineError": "no answer to resizing busy in time",
        type(as_libvirt_says).__name__: str(as_libvirt_says),
    }


@pytest.mark.parametrize(("job_seconds", "size_mib"), [(20, 300), (60, 512)])
def test_libvirt_does_what_waited_for_a_job_unless_that_took_too_long(
    job_seconds: float, size_mib: int
) -> None:
    async def look() -> list[float]:
        clock = virtual.VirtualClock()
        world = World([guest("web", Incident(5, Happens.JOB, job_seconds))], clock=clock)
        await clock.sleep(10)
        await world.resize_many({"simulated-web": 300 * MIB})
        sizes = []
        for seconds in (10, 60):
            await clock.sleep(seconds)
            sizes.append(float((await world.columns()).actual[0]) / MIB)
        return sizes

    assert virtual.run(look()) == [512, size_mib]


def test_a_burst_that_a_job_keeps_from_help_is_told_and_costs_nobody_else() -> None:
    """The job begins between two ticks: only the answer to the burst shows it."""
    load = f"{RESTS}\nat 40.2 anon_mib=400 hot_mib=400 grow_mib_s=100"
    ran = Ran([guest("web", Incident(40.15, Happens.JOB, 6), load=load), guest("other")], 900, 90)
    failed = [one for one in ran.happenings if one.kind is Told.FAILED]

    assert {"web"} == {one.name for one in failed}
    assert 40 <= failed[0].at - virtual.VirtualClock.EPOCH < 41.5
    assert {"busy"} == ran.verdicts("web", since=41.3, until=46)
    # What was asked for arrived late and is our own: nobody else's hand is seen in it.
    assert "foreign" not in ran.verdicts("web", since=40)
    assert ran.size_mib("web", 60) > 450
    assert {"managed"} == ran.verdicts("other", since=5)


def test_nothing_is_taken_on_statistics_that_come_late() -> None:
    late = Incident(2, Happens.LAG, 100, late_seconds=24)
    ran = Ran([guest("web", late), guest("other")], 700, 100)
    shrunk = [
        (float(plan.snapshot.taken_at - plan.snapshot.stats_at[row]), float(plan.target[row]))
        for plan in ran.plans
        for row in [plan.snapshot.names.index("web")]
        if plan.target[row] < plan.snapshot.actual[row]
    ]

    assert {"managed", "stale"} <= ran.verdicts("web", since=5)
    assert shrunk
    assert max(age for age, _ in shrunk) <= 15
    assert ran.size_mib("web", 99) < 512


def test_nothing_is_taken_on_statistics_that_stopped() -> None:
    ran = Ran([guest("web", Incident(2, Happens.GAP, 60)), guest("other")], 700, 90)
    sizes = [ran.size_mib("web", at) for at in (20.0, 40.0, 61.0)]

    assert len(set(sizes)) == 1
    assert {"blind"} == ran.verdicts("web", since=35, until=61)
    assert {"managed"} == ran.verdicts("web", since=64)


def test_a_driver_that_leaves_gives_all_memory_back() -> None:
    ran = Ran([guest("web", Incident(20, Happens.UNLOADED, 50)), guest("other")], 700, 100)

    assert ran.size_mib("web", 19) < 400
    assert ran.size_mib("web", 25) == 512
    assert {"blind"} == ran.verdicts("web", since=55, until=69)
    assert ran.size_mib("web", 95) < 512


def test_a_guest_that_is_shut_off_leaves_its_memory_to_others_and_comes_back() -> None:
    specs = [guest("web", Incident(20, Happens.OFF, 30)), guest("other")]
    ran = Ran(specs, 700, 90)
    gone = [plan.snapshot.names for plan in ran.plans if 20.2 <= plan.snapshot.taken_at < 50]

    assert {("other",)} == set(gone)
    assert [(20, "web")] == ran.told(Told.WENT)
    assert (50, "web") in ran.told(Told.CAME)
    assert ran.size_mib("other", 49) > ran.size_mib("other", 19)
    assert "managed" in ran.verdicts("web", since=60)
    (other,) = virtual.run(_guests(*specs, at=30.0))
    both = virtual.run(_guests(*specs, at=30.0, inactive=True))
    assert other.name == "other"  # type: ignore[attr-defined]
    assert [State.RUNNING, State.SHUT_OFF] == [one.state for one in both]  # type: ignore[attr-defined]


def test_a_balloon_that_finds_no_page_is_called_stuck() -> None:
    ran = Ran([guest("web", Incident(0, Happens.OUT_OF_PUFF, 120)), guest("other")], 700, 60)

    assert "stuck" in ran.verdicts("web")
    assert ran.size_mib("web", 50) == 512


def test_somebody_elses_size_is_adopted() -> None:
    ran = Ran([guest("web", Incident(40, Happens.FOREIGN, size_bytes=450 * MIB)), guest("other")], 1000, 70)

    assert "foreign" in ran.verdicts("web", since=40)
    assert ran.size_mib("web", 60) == 450
    assert [] == ran.told_mib("web", 42, 70)


def test_what_a_rescue_took_back_stays_until_a_size_is_told_again() -> None:
    """Autodeflate gives memory rather than a process; the same size sent again would undo it."""

    async def look() -> tuple[float, float, float]:
        clock = virtual.VirtualClock()
        load = "at 0 anon_mib=100 hot_mib=100\nat 20 anon_mib=330 hot_mib=330 grow_mib_s=400"
        world = World([guest("web", load=load, autodeflate=True, swap_bytes=0)], clock=clock)
        await world.resize("simulated-web", 256 * MIB)
        await clock.sleep(15)
        before = float((await world.columns()).actual[0])
        await clock.sleep(100)
        rescued = float((await world.columns()).actual[0])
        await clock.sleep(60)
        return before / MIB, rescued / MIB, float((await world.columns()).actual[0]) / MIB

    before, rescued, later = virtual.run(look())

    assert before == 256
    assert rescued > 300
    assert later == rescued


def test_the_law_adopts_what_a_rescue_took_back_and_gives_what_still_lacks() -> None:
    """Without the reflex a burst of 400 MiB/s is over before the next look."""
    load = f"{RESTS}\nat 40.3 anon_mib=330 hot_mib=330 grow_mib_s=400"
    web = guest("web", load=load, autodeflate=True, swap_bytes=0, vcpus=2)
    ran = Ran([web, guest("other")], 800, 90, reflex=False)
    plan, _, row = ran.at("web", 50)

    assert {"managed"} == ran.verdicts("web", since=41, until=95)
    assert min(ran.told_mib("web", 40.3, 95)) > ran.size_mib("web", 40) + 50
    assert plan.snapshot.unused[row] > 0.9 * reserve_bytes(plan.snapshot.maximum)[row]
    assert ran.world.state.oom_kills.sum() == 0


def test_windows_gives_no_memory_back_by_itself() -> None:
    """Its driver never negotiates autodeflate, whatever the device offers."""
    world = World([guest("win", kind=Kind.WINDOWS, autodeflate=True)], clock=virtual.VirtualClock())

    assert not world.make.deflates.any()
    assert virtual.run(world.columns()).autodeflate.all()


def test_the_next_look_comes_in_time_for_what_happens() -> None:
    async def look() -> list[float]:
        clock = virtual.VirtualClock()
        world = World([guest("web", Incident(20, Happens.PAUSE, 4))], clock=clock)
        seconds = []
        for at in (15.0, 18.0, 22.0):
            await clock.sleep(at - clock.monotonic())
            seconds.append(at + world.even_seconds())
        return seconds

    first, second, third = virtual.run(look())

    assert 19 < first < 20
    assert 19 < second < 20
    assert 23 < third < 24


def test_what_a_paused_guest_was_to_begin_it_begins_afterwards() -> None:
    load = f"{RESTS}\nat 45 anon_mib=400 hot_mib=400 grow_mib_s=100"
    ran = Ran([guest("web", Incident(40, Happens.PAUSE, 20), load=load), guest("other")], 800, 80)
    bursts = [at for at, name in ran.told(Told.BURST) if name == "web"]

    assert 60 <= min(bursts) <= 61
    assert {"managed"} == ran.verdicts("web", since=62)
    assert ran.size_mib("web", 75) > 400


# --- all of it at once ------------------------------------------------------------------------------


def crowd(guests: int) -> list[Spec]:
    """Return guests of all kinds, every tenth of which meets with something."""
    happens = [kind for kind in Happens if kind is not Happens.FOREIGN]
    kinds = [Kind.LINUX, Kind.LINUX, Kind.LINUX, Kind.WINDOWS, Kind.BSD, Kind.LINUX, Kind.SILENT]
    return [
        guest(
            f"g{row:04}",
            *(
                [Incident(5 + row % 23, happens[row // 10 % len(happens)], 12, late_seconds=8)]
                if row % 10 == 0
                else []
            ),
            kind=kinds[row % len(kinds)],
            autodeflate=row % 5 == 0,
            load=f"at 0 anon_mib={60 + row % 50} hot_mib=50\n"
            f"at {10 + row % 7} anon_mib={90 + row % 80} grow_mib_s=40",
        )
        for row in range(guests)
    ]


@pytest.mark.parametrize("guests", [50, 1000])
def test_a_mixed_crowd_lives_the_same_twice(guests: int) -> None:
    first, second = (Ran(crowd(guests), 400.0 * guests, 45) for _ in range(2))

    assert first.happenings == second.happenings
    assert len(first.plans) == len(second.plans)
    assert np.array_equal(first.world.state.actual, second.world.state.actual)
    assert {one.kind for one in first.happenings} >= {Told.REBOOTED, Told.WENT, Told.CAME, Told.PLANNED}
    assert not [one for one in first.happenings if one.kind is Told.BROKEN]
    assert float(first.world.state.actual.sum()) <= 400.0 * guests * MIB
    for plan in first.plans:
        grown = plan.target > plan.snapshot.actual
        told = grown | (plan.target < plan.snapshot.actual)  # the same: who is stuck need try no longer
        managed, stale = (plan.verdict == CODES[code] for code in ("managed", "stale"))
        assert not (told & ~(managed | (stale & grown))).any()
