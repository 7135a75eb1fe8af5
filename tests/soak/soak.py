"""Hours on real guests: random needs and random faults from a seed, and a look each second at every promise.

A promise that is broken ends it with exit code 1, and with the seed that shows it again.
"""

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from subprocess import SubprocessError

from faults import Faults
from hosts import booted
from life import Life
from serving import Service
from subjects import Machine
from watcher import Watcher

from ballonet.errors import BallonetError
from ballonet.lab.domain import GuestSpec
from ballonet.lab.lab import names
from ballonet.service.client import Client
from ballonet.service.models import Status
from ballonet.units import KIB, MIB

MAXIMUM_BYTES = 256 * MIB
FLOOR_BYTES = 112 * MIB
BUDGET_SHARE = 0.75
LOOK_SECONDS = 1.0
WEIGH_SECONDS = 5.0
LOAD_SECONDS = 40.0
STRIKE_SECONDS = (4.0, 20.0)
ROUND_SECONDS = 480.0  # of faults, before a rest in which all must settle
REST_SECONDS = 300.0  # at most: who was left alone is for a minute, who was stuck for up to some
QUIET_SECONDS = 20.0  # without a change


def say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


class Soak:
    """One run."""

    def __init__(self, machine: Machine, place: Path, seed: int) -> None:
        self.machine = machine
        maxima = dict.fromkeys(machine.lab.uuids, MAXIMUM_BYTES)
        self.budget_bytes = int(BUDGET_SHARE * sum(maxima.values()))
        options = ["--budget", f"{self.budget_bytes}B", "--floor", f"{FLOOR_BYTES}B"]
        options += ["--boot-grace", "10s", "--reserve", "64MiB"]
        self.service = Service(place, [machine.daemon.uri], *options)
        self.life = Life(self.service)
        moving = frozenset(name for name in maxima if autodeflates(name))
        self.watcher = Watcher(self.budget_bytes, FLOOR_BYTES, maxima, moving)
        self.faults = Faults(machine, self.life, self.watcher, Random(seed))
        self.rest_seconds: list[float] = []
        self.ticks: dict[int, int] = {}  # of each life, when it was last asked
        self._random = Random(seed + 1)
        self._client = Client(self.service.socket)
        self._free_bytes = 0
        self._weighed_at = 0.0

    def run(self, seconds: float) -> None:
        """Interfere and rest in turn, until the time is over or a promise is broken."""
        ends = time.monotonic() + seconds
        self.life.start()
        while time.monotonic() < ends and not self.watcher.broken:
            self._interfere(min(ROUND_SECONDS, ends - time.monotonic()))
            self._rest()
        self.faults.close()
        self.life.collect(wait=True)
        self.life.kill()

    def _interfere(self, seconds: float) -> None:
        ends, strikes_at, loads_at = time.monotonic() + seconds, 0.0, 0.0
        while time.monotonic() < ends and not self.watcher.broken:
            if time.monotonic() >= loads_at:
                self.faults.load()
                loads_at = time.monotonic() + LOAD_SECONDS
            if time.monotonic() >= strikes_at:
                say(f"{self._line()}; {self.faults.strike()}")
                strikes_at = time.monotonic() + self._random.uniform(*STRIKE_SECONDS)
            self._look()

    def _rest(self) -> None:
        """Leave everything alone, and hold it against settling."""
        begun, before = time.monotonic(), len(self.faults.failed)
        self.faults.rest()
        while not self.watcher.broken:
            self._look()
            if self._settled():
                self.rest_seconds.append(time.monotonic() - begun)
                say(f"at rest after {self.rest_seconds[-1]:.0f} s; {self._line()}")
                return
            if time.monotonic() - begun > REST_SECONDS:
                plan = self.service.ask("guests").stdout + self.service.ask("status").stdout
                lost = self.faults.failed[before:]
                self.watcher.broken.append(f"Q1, S3: nothing settles; words not taken: {lost}\n{plan}")

    def _settled(self) -> bool:
        quiet = time.time() - self.watcher.last_act_at > QUIET_SECONDS
        if not quiet or self.watcher.held_bytes() > self.budget_bytes + MIB:
            return False
        (found,) = self._client.get(Status, "/v1/status").hypervisors
        return found.guests.managed == found.guests.total

    def _look(self) -> None:
        """Look at everything, and wait for the next look."""
        due = time.monotonic() + LOOK_SECONDS
        self.faults.end_what_is_due()
        sizes = self._sizes()
        self.watcher.see(sizes)
        self.watcher.read(self.service.state)
        for name, size in sizes.items():
            if self.faults.is_left_alone(name, 30.0):
                self.watcher.feel(name, self.machine.lab.reports(name), size, self._free_bytes)
        self.life.collect()
        self._look_at_service()
        time.sleep(max(0.0, due - time.monotonic()))

    def _look_at_service(self) -> None:
        process = self.life.process
        if process is None:
            return
        if process.poll() is not None:
            self.watcher.broken.append(f"the service ended by itself: exit {process.returncode}")
            return
        if "Traceback" in self.service.said.read_text():
            self.watcher.broken.append("the service printed a traceback")
        self.watcher.broken += self.life.said
        if time.monotonic() - self._weighed_at > WEIGH_SECONDS:
            self._weighed_at = time.monotonic()
            self.watcher.weigh(process.pid, time.monotonic() - self.life.started_at)
            (found,) = self._client.get(Status, "/v1/status").hypervisors
            self._free_bytes = found.free_bytes or 0
            self.ticks[self.life.lives] = self.life.ticks()

    def _sizes(self) -> dict[str, int]:
        """Return what libvirt says that each guest has; of who hangs it may say nothing."""
        text = self.machine.daemon.virsh("domstats", "--balloon", "--nowait").stdout
        found: dict[str, int] = {}
        for block in text.split("Domain: ")[1:]:
            name = block.split("'")[1]
            lines = dict(line.strip().split("=") for line in block.splitlines()[1:] if "=" in line)
            if "balloon.current" in lines:
                found[name] = int(lines["balloon.current"]) * KIB
        return found

    def _line(self) -> str:
        held, count = self.watcher.held_bytes() // MIB, sum(self.watcher.acts.values())
        return f"{held} of {self.budget_bytes // MIB} MiB held, {count} changes, broken: 0"


def autodeflates(name: str) -> bool:
    """Return whether a guest takes memory back by itself: every third does."""
    return int(name.partition("-")[2]) % 3 == 0


def report(soak: Soak, seconds: float, seed: int, guests: Sequence[str]) -> None:
    watcher, faults, life = soak.watcher, soak.faults, soak.life
    latest = [soak.machine.lab.reports(name) for name in guests]
    kills = sum(each[-1].oom_kill for each in latest)
    rows = {
        "time": f"{seconds / 3600:.2f} h, {watcher.looks} looks",
        "seed": seed,
        "guests": f"{len(guests)} of {MAXIMUM_BYTES // MIB} MiB on {soak.budget_bytes // MIB} MiB",
        "ticks": sum(soak.ticks.values()),
        "changes": f"{sum(watcher.acts.values())}: {_counted(watcher.acts)}",
        "faults": f"{sum(faults.done.values())}: {_counted(faults.done)}",
        "commands by exit code": _counted({str(code): count for code, count in life.answers.items()}),
        "lives of the service": life.lives,
        "most of its memory": f"{watcher.most_rss_bytes / MIB:.0f} MiB",
        "its memory after a minute, by life": ", ".join(f"{size / MIB:.0f}" for size in watcher.rss_bytes),
        "most of its files": watcher.most_files,
        "smallest guest": f"{watcher.least_bytes / MIB:.1f} MiB, floor {FLOOR_BYTES // MIB} MiB",
        "above the budget": f"{watcher.over_seconds:.0f} s",
        "at rest after": ", ".join(f"{each:.0f} s" for each in soak.rest_seconds),
        "killed in guests for want of memory": kills,
        "schedules not taken": len(faults.failed),
        "promises broken": len(watcher.broken),
    }
    for name, value in rows.items():
        sys.stdout.write(f"{name:<36} {value}\n")


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=1.0, help="how long")
    parser.add_argument("--guests", type=int, default=4, help="how many, of 256 MiB each")
    parser.add_argument("--seed", type=int, default=None, help="the same needs and faults again")
    asked = parser.parse_args()
    seed = secrets.randbelow(1 << 31) if asked.seed is None else asked.seed
    say(f"seed {seed}")
    life_seconds = int(3600 * asked.hours) + 3600
    specs = [
        GuestSpec(name, memory_bytes=MAXIMUM_BYTES, autodeflate=autodeflates(name), life_seconds=life_seconds)
        for name in names(asked.guests)
    ]
    with ExitStack() as stack:
        machine = stack.enter_context(booted(specs))
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        soak, begun = Soak(machine, place, seed), time.monotonic()
        try:
            soak.run(3600.0 * asked.hours)
        except (AssertionError, BallonetError, OSError, SubprocessError) as error:
            soak.watcher.broken.append(f"{type(error).__name__}: {error}")
        finally:
            soak.life.kill()
        report(soak, time.monotonic() - begun, seed, [spec.name for spec in specs])
        if soak.watcher.broken:
            sys.stdout.write("\n".join([*soak.watcher.broken, f"again: script/soak --seed {seed}", ""]))
            sys.stdout.write(soak.service.said.read_text()[-8000:])
            sys.exit(1)


if __name__ == "__main__":
    main()
