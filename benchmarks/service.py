"""Measures what a service of 100 guests at rest costs: processor, memory, file descriptors, and their growth.

On real time, each in a process of its own that is looked at from outside, in /proc:

- the real command, `ballonet run`, on libvirt's test driver: the adapter, the command and all it imports; its
  guests tell no statistics, so little is decided
- the same service around simulated guests that want the same all the time, through the path of real ones:
  rows, a process each whose resident memory is read ten times a second, /proc of this host, socket and store
- the simulated guests alone, looked at as often, which is taken off: they would live elsewhere
- an interpreter with the same imports that does nothing, which the rest is compared with

And an hour of virtual time of guests that do change, for what grows with what happens.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import numpy as np

from ballonet.engine.engine import World as Ports
from ballonet.engine.limits import usual
from ballonet.engine.ports import Hypervisor
from ballonet.facts.host import HostMemory
from ballonet.host.memory import LinuxHost
from ballonet.host.residents import ProcessResidents
from ballonet.policy.settings import Settings
from ballonet.service.client import Client
from ballonet.service.daemon import Daemon, Ears, Rules, listen
from ballonet.service.history_file import Bounds, HistoryFile
from ballonet.service.models import Status
from ballonet.service.notify import Notifier
from ballonet.service.store import Store
from ballonet.simulator import virtual
from ballonet.simulator.day import DAY_SECONDS, day
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

GUESTS = 100
INTERVAL_SECONDS = 2.0
LOOK_SECONDS = 10.0  # between two looks at a process
SEED = 1
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Look:
    """A process at one moment."""

    at: float  # monotonic seconds, or virtual ones
    processor_seconds: float
    rss_bytes: int
    files: int

    @classmethod
    def of(cls, number: int | str, at: float) -> "Look":
        """Return what /proc says of a process now."""
        directory = Path("/proc") / str(number)
        fields = (directory / "stat").read_text().rpartition(")")[2].split()
        pages = int((directory / "statm").read_text().split()[1])
        used = (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
        return cls(at, used, pages * PAGE_BYTES, len(list((directory / "fd").iterdir())))


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took while it was looked at."""

    what: str
    seconds: float
    core_share: float  # of one processor
    rss_bytes: tuple[int, int]  # at the first look and at the last
    rss_bytes_per_hour: float  # along a straight line through all looks
    files: tuple[int, int]

    @classmethod
    def of(cls, what: str, looks: Sequence[Look]) -> "Cost":
        """Return the cost between the first look and the last."""
        first, last = looks[0], looks[-1]
        slope, _ = np.polyfit([look.at - first.at for look in looks], [look.rss_bytes for look in looks], 1)
        return cls(
            what,
            last.at - first.at,
            (last.processor_seconds - first.processor_seconds) / (last.at - first.at),
            (first.rss_bytes, last.rss_bytes),
            3600.0 * float(slope),
            (first.files, last.files),
        )

    def line(self) -> str:
        """Return one row of the table."""
        begin, end = (size / MIB for size in self.rss_bytes)
        files = " to ".join(map(str, self.files))
        return (
            f"{self.what:<38} {100 * self.core_share:>6.2f} % {begin:>6.1f} to {end:>5.1f} MiB "
            f"{self.rss_bytes_per_hour / MIB:>+7.1f} MiB/h {files:>10} files"
        )


# --- what is measured: each in a process of its own -----------------------------------------------------


class RealClock(virtual.VirtualClock):
    """A simulated world's clock that goes with this host's."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def monotonic(self) -> float:
        """Return seconds since it was made."""
        return time.monotonic() - self._began


class Rows:
    """A simulated world's guests one by one, as real ones come, and not side by side."""

    def __init__(self, world: World) -> None:
        for name in ("guests", "guest", "resize", "set_period", "set_maximum", "refresh", "events", "facts"):
            setattr(self, name, getattr(world, name))


class BothHosts:
    """A simulated host's memory, for the price of this one's."""

    def __init__(self, world: World) -> None:
        self._world, self._host = world, LinuxHost()

    def memory(self) -> HostMemory:
        """Return the simulated one's."""
        self._host.memory()
        return self._world.memory()


def still_world(clock: virtual.VirtualClock) -> World:
    """Return guests that want the same all the time."""
    random = Random(SEED)
    uses = [random.uniform(100.0, 500.0) for _ in range(GUESTS)]
    specs = [
        Spec(f"g{row:03}", GIB, [Step(anon_mib=mib, hot_mib=mib, file_mib=200.0)], vcpus=2)
        for row, mib in enumerate(uses)
    ]
    return World(specs, clock=clock, host_bytes=2 * GUESTS * GIB, detail=False)


def rules(budget_bytes: float) -> Rules:
    """Return the settings of all services here."""
    law = Settings(
        budget_bytes=budget_bytes,
        reserve_bytes=256.0 * MIB,
        interval_seconds=INTERVAL_SECONDS,
        boot_grace_seconds=0.0,
    )
    return Rules(law, usual, enforce=True)


async def serve(place: Path) -> None:
    """Run a service of guests at rest until it is ended."""
    clock = RealClock()
    world = still_world(clock)
    hypervisor: Hypervisor = Rows(world)  # type: ignore[assignment] - it has what the world has
    ports = Ports(hypervisor, clock, BothHosts(world), ProcessResidents())
    law, store = rules(0.65 * GUESTS * GIB), Store(place / "state")
    ears = Ears(lambda _: None, print)
    history = HistoryFile(place / "state", Bounds())
    daemon = Daemon("sim:", ports, lambda: law, ears, store=store, notifier=Notifier({}), history=history)
    await daemon.run([await listen(daemon.service, place / "run" / "ballonet.sock")])


async def live() -> None:
    """Look at the same guests as often, and do nothing."""
    world = still_world(RealClock())
    while True:
        await world.guests()
        world.memory()
        await asyncio.sleep(INTERVAL_SECONDS)


def rest() -> None:
    """Do nothing, with all imported that serves."""
    import ballonet.service.api
    import ballonet.service.server  # noqa: F401

    time.sleep(1e6)


def hour(place: Path, seconds: float) -> None:
    """Run a service for so much virtual time on guests that change; print its looks at itself."""
    random = Random(SEED)
    sizes = random.choices([1, 2, 4, 8], k=GUESTS)
    specs = [
        Spec(f"g{row:03}", size * GIB, day(random, size * 1024.0, DAY_SECONDS), vcpus=2)
        for row, size in enumerate(sizes)
    ]

    async def lives() -> None:
        clock, looks = virtual.VirtualClock(), list[Look]()
        world = World(specs, clock=clock, host_bytes=2 * sum(sizes) * GIB, detail=False)
        law, store = rules(0.65 * sum(sizes) * GIB), Store(place / "state")
        ears = Ears(lambda _: None, print)
        ports = Ports(world, clock, world, world)
        history = HistoryFile(place / "state", Bounds())
        daemon = Daemon("sim:", ports, lambda: law, ears, store=store, notifier=Notifier({}), history=history)

        async def look() -> None:
            while True:
                await clock.sleep(seconds / 12)
                looks.append(Look.of("self", clock.monotonic()))

        beside = asyncio.create_task(look())
        await daemon.run([], seconds=seconds)
        beside.cancel()
        changes = sum(daemon.engine.summary.changes.values())
        print(json.dumps({"changes": changes, "looks": [asdict(each) for each in looks]}))

    virtual.run(lives())


# --- measuring -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def process(words: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Run a program for the length of a block."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, text=True) as child:
        try:
            yield child
        finally:
            child.terminate()


def child(*words: str) -> list[str]:
    """Return the words that run one of the children above."""
    return [sys.executable, __file__, *words]


@contextlib.contextmanager
def guests_processes() -> Iterator[None]:
    """Run what looks like each guest's QEMU: a process that names its UUID and sleeps."""
    with contextlib.ExitStack() as ending:
        for row in range(GUESTS):
            words = ["sh", "-c", "read never", "-uuid", f"simulated-g{row:03}"]
            started = ending.enter_context(subprocess.Popen(words, stdin=subprocess.PIPE))
            ending.callback(started.terminate)
        yield


@contextlib.contextmanager
def test_driver(place: Path) -> Iterator[str]:
    """Yield the URI of as many guests of libvirt's test driver."""
    domain = (
        "<domain type='test'><name>{0}</name><memory unit='GiB'>1</memory><os><type>hvm</type></os>"
        "<devices><memballoon model='virtio'/></devices></domain>"
    )
    file = place / "host.xml"
    file.write_text(f"<node>{''.join(domain.format(f'g{row:03}') for row in range(GUESTS))}</node>")
    yield f"test://{file}"


def watched(
    what: str, words: Sequence[str], seconds: float, warm_seconds: float, socket: Path | None = None
) -> Cost:
    """Return what a program costs once it is warm; a service is asked for its status at each look."""
    looks: list[Look] = []
    with process(words) as running:
        time.sleep(warm_seconds)
        ends = time.monotonic() + seconds
        while True:
            if socket is not None:
                Client(socket).get(Status, "/v1/status")
            looks.append(Look.of(running.pid, time.monotonic()))
            if time.monotonic() >= ends:
                return Cost.of(what, looks)
            time.sleep(min(LOOK_SECONDS, seconds))


def service(seconds: float, warm_seconds: float) -> list[Cost]:
    """Measure a service at rest on real time."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        place = Path(directory)
        for each in ("real", "simulated"):
            (place / each).mkdir()
        idle = watched("an interpreter that does nothing", child("rest"), seconds, min(warm_seconds, 5.0))
        alone = watched("the simulated guests alone", child("live"), seconds, min(warm_seconds, 5.0))
        with guests_processes():
            whole = watched(
                "service of simulated guests at rest",
                child("serve", str(place / "simulated")),
                seconds,
                warm_seconds,
                place / "simulated" / "run" / "ballonet.sock",
            )
        with test_driver(place) as uri:
            socket = place / "real" / "ballonet.sock"
            words = [
                sys.executable,
                "-m",
                "ballonet",
                "-c",
                uri,
                "run",
                "--socket",
                str(socket),
                "--state",
                str(place / "real" / "state"),
            ]
            real = watched(
                "`ballonet run` on libvirt's test driver", words, seconds, min(warm_seconds, 15.0), socket
            )
    costs = [idle, alone, whole, real]
    print(f"\n{f'{GUESTS} guests, {INTERVAL_SECONDS:.0f} s a tick':<38} a processor, memory at begin and end")
    print("\n".join(cost.line() for cost in costs))
    own, memory = whole.core_share - alone.core_share, max(cost.rss_bytes[1] for cost in costs)
    print(
        f"without the simulated guests {100 * own:.2f} % of a processor (goal: 1 %); "
        f"at most {memory / MIB:.0f} MiB (goal: 80 MiB), "
        f"{memory / idle.rss_bytes[1]:.2f} times an interpreter that does nothing"
    )
    return costs


def virtual_hours(hours: float) -> Cost:
    """Measure a service of guests that change on virtual time."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        words = child("hour", directory, "--seconds", str(3600.0 * hours))
        done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    looks = [Look(**each) for each in found["looks"]]
    print(f"\n{hours:.3g} virtual hours, {found['changes']} changes")
    cost = Cost.of("service and simulated guests, changing", looks)
    print(cost.line())
    return cost


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", default="all", choices=("all", "serve", "live", "rest", "hour"))
    parser.add_argument("place", nargs="?", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=600.0, help="of real time, of each process")
    parser.add_argument("--warm", type=float, default=120.0, help="seconds before the first look")
    parser.add_argument("--hours", type=float, default=1.0, help="of virtual time")
    parser.add_argument("--json", type=Path, help="write all figures there, too")
    asked = parser.parse_args()
    if asked.what == "serve":
        asyncio.run(serve(asked.place))
    elif asked.what == "live":
        asyncio.run(live())
    elif asked.what == "rest":
        rest()
    elif asked.what == "hour":
        hour(asked.place, asked.seconds)
    else:
        costs = [*service(asked.seconds, asked.warm), virtual_hours(asked.hours)]
        if asked.json:
            asked.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=2))


if __name__ == "__main__":
    main()
