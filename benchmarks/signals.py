"""Measures which of the host's signals shows first that a guest outgrows what it has, and what each costs.

A real guest of 512 MiB that has 320 grows by 250 MiB/s, with free page reporting and without, once and again;
nobody balances it. Beside each other are read: the resident memory of its process, what that process writes
(its swap disk and all else), the same from libvirt's block statistics, the pressure of its control group
(PSI) by file and by trigger, libvirt's balloon event (with autodeflate and without swap), and its own
statistics. The pressure needs root and a cgroup2 that can be written to; else it is left out.
"""

import argparse
import asyncio
import os
import select
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from ballonet.engine.ports import EventKind
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.directory import embedded_uri
from ballonet.lab.domain import GuestSpec
from ballonet.lab.lab import Lab
from ballonet.units import MIB

SIZE, CUT = 512 * MIB, 320 * MIB
REST = "anon_mib=40 hot_mib=40 rate=20 touches=8"
BURST = "anon_mib=330 hot_mib=330 grow_mib_s=250"
BURST_AT, BURST_SECONDS = 4.0, 8.0
LOOK_SECONDS = 0.02
TRIGGER = b"some 10000 2000000"  # 10 ms of waiting in two seconds: what needs no privilege
RISES = {  # what counts as having shown itself
    "resident memory": 16 * MIB / 4,  # 16 MiB/s over a quarter of a second
    "bytes written by its process": 0.5 * MIB,
    "writes to its swap disk": 0.5 * MIB,
    "memory pressure of its group": 0.010,
    "I/O pressure of its group": 0.010,
    "swapped out, by its statistics": 0.5 * MIB,
}


@dataclass
class Signal:
    """One signal, read again and again."""

    name: str
    read: Callable[[], float]
    values: list[tuple[float, float]] = field(default_factory=list)  # monotonic seconds, value
    costs: list[float] = field(default_factory=list)  # seconds a read

    def look(self) -> None:
        """Read it once."""
        begun = time.perf_counter()
        value = self.read()
        self.costs.append(time.perf_counter() - begun)
        self.values.append((time.monotonic(), value))

    def rise(self, since: float, until: float) -> tuple[float | None, float]:
        """Return how long after `since` it had risen by enough (None: never), and by how much in all."""
        before = max((value for at, value in self.values if at <= since), default=0.0)
        during = [(at, value) for at, value in self.values if since < at <= until]
        seen = next((at - since for at, value in during if value - before >= RISES[self.name]), None)
        return seen, max((value for _, value in during), default=before) - before


def pid_of(uuid: str) -> int:
    """Return the process of a guest."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"-uuid\0{uuid}".encode() in path.read_bytes():
                return int(path.parent.name)
        except OSError:
            continue
    raise LookupError(uuid)


@contextmanager
def group(pid: int) -> Iterator[Path | None]:
    """Put a process into a control group of its own, as libvirt does under systemd; None: it cannot be."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    root = next((Path(words[4]) for words in mounts if words[words.index("-") + 1] == "cgroup2"), None)
    place = root and root / f"ballonet-signals-{pid}"
    try:
        if place:
            place.mkdir()
            (place / "cgroup.procs").write_text(f"{pid}\n")
    except OSError as error:
        print(f"no control group of its own: {error}")
        place = None
    try:
        yield place
    finally:
        while place and Path(f"/proc/{pid}").exists():
            time.sleep(0.05)
        if place:
            place.rmdir()


def number(path: Path, key: str) -> Callable[[], float]:
    """Return a reader of the number after a word in a file."""
    descriptor = os.open(path, os.O_RDONLY)
    word = key.encode()

    def read() -> float:
        text = os.pread(descriptor, 4096, 0)
        return float(text[text.index(word) + len(word) :].split(None, 1)[0])

    return read


def resident(pid: int) -> Callable[[], float]:
    """Return a reader of a process' resident bytes."""
    descriptor, page = os.open(f"/proc/{pid}/statm", os.O_RDONLY), os.sysconf("SC_PAGE_SIZE")
    return lambda: float(os.pread(descriptor, 128, 0).split()[1]) * page


class Trigger:
    """Times at which a pressure trigger fired."""

    def __init__(self, path: Path) -> None:
        self.fired: list[float] = []
        self.error = ""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_NONBLOCK)
            os.write(self._file, TRIGGER + b"\0")
        except OSError as error:
            self.error = str(error)
            return
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._file, select.POLLPRI)
        while True:
            if poll.poll()[0][1] & select.POLLERR:
                return
            self.fired.append(time.monotonic())


async def look(signals: Sequence[Signal], slow: Sequence[Signal], seconds: float) -> None:
    """Read the signals for so long: the slow ones, which ask libvirt, ten times a second."""
    until, turn = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for signal in [*signals, *(slow if turn % 5 == 0 else ())]:
            if signal in slow:
                await asyncio.to_thread(signal.look)
            else:
                signal.look()
        turn += 1
        await asyncio.sleep(LOOK_SECONDS)


async def bursts(hypervisor: LibvirtHypervisor, lab: Lab, spec: GuestSpec) -> None:
    """Have one guest burst twice while it is cut, and print when each signal showed it."""
    await lab.boot([spec])
    uuid = lab.uuids[spec.name]
    pid = pid_of(uuid)
    raw = hypervisor._connection._raw  # noqa: SLF001 - a process can have but one embedded driver
    domain = raw.lookupByUUIDString(uuid)
    events: list[float] = []

    async def hear() -> None:
        async for event in hypervisor.events():
            events.extend([time.monotonic()] * (event.kind is EventKind.BALLOON))

    listener = asyncio.create_task(hear())
    with group(pid) as place:
        signals = [
            Signal("resident memory", resident(pid)),
            Signal("bytes written by its process", number(Path(f"/proc/{pid}/io"), "\nwrite_bytes:")),
        ]
        triggers: dict[str, Trigger] = {}
        if place:
            for name in ("memory", "io"):
                title = f"{'I/O' if name == 'io' else name} pressure of its group"
                micros = number(place / f"{name}.pressure", "total=")
                signals.append(Signal(title, lambda micros=micros: micros() / 1e6))
                triggers[title] = Trigger(place / f"{name}.pressure")
        slow = [
            Signal("swapped out, by its statistics", lambda: domain.memoryStats().get("swap_out", 0) * 1024.0)
        ]
        if spec.swap_bytes:
            slow.append(Signal("writes to its swap disk", lambda: float(domain.blockStats("vda")[3])))
        await lab.load(spec.name, f"at 0 {REST}")
        await asyncio.sleep(2.0)
        for turn in ("first", "second"):
            await hypervisor.resize(uuid, CUT)
            await asyncio.sleep(3.0)
            await lab.load(
                spec.name, f"at 0 {REST}\nat {BURST_AT} {BURST}\nat {BURST_AT + BURST_SECONDS} {REST}"
            )
            begun = time.monotonic() + BURST_AT
            await look(signals, slow, BURST_AT + BURST_SECONDS)
            show(spec, turn, [*signals, *slow], triggers, events, begun)
            await hypervisor.resize(uuid, SIZE)
            await asyncio.sleep(6.0)
        listener.cancel()
        await hypervisor.destroy(uuid)


def show(
    spec: GuestSpec,
    turn: str,
    signals: Sequence[Signal],
    triggers: dict[str, Trigger],
    events: Sequence[float],
    begun: float,
) -> None:
    """Print when each signal showed a burst that began then."""
    until = begun + BURST_SECONDS - 1.0
    reporting = "with" if spec.free_page_reporting else "without"
    print(f"\n{spec.name}: {turn} burst, {reporting} free page reporting")
    for signal in signals:
        seen, rise = signal.rise(begun, until)
        when = "never" if seen is None else f"{seen:.2f} s"
        unit = f"{rise:.4f} s" if "pressure" in signal.name else f"{rise / MIB:.1f} MiB"
        print(
            f"  {signal.name:32} {when:>8}  rose by {unit:>12}  {1e6 * median(signal.costs):7.1f} us a read"
        )
    for title, trigger in triggers.items():
        fired = [at - begun for at in trigger.fired if begun < at <= until]
        print(f"  trigger on {title:28} {f'{fired[0]:.2f} s' if fired else trigger.error or 'never'}")
    heard = [f"{at - begun:.2f}" for at in events if begun < at <= until]
    print(f"  balloon events: {', '.join(heard) or 'none'}")


async def measure() -> None:
    """Boot one guest after the other, and have each burst."""
    specs = [
        GuestSpec("reporting", memory_bytes=SIZE),
        GuestSpec("plain", memory_bytes=SIZE, free_page_reporting=False),
        GuestSpec("deflating", memory_bytes=SIZE, autodeflate=True, swap_bytes=0),
    ]
    with tempfile.TemporaryDirectory(prefix="ballonet-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        hypervisor = await LibvirtHypervisor.open(embedded_uri(Path(directory)))
        async with Lab(Path(directory) / "lab", hypervisor) as lab:
            for spec in specs:
                await bursts(hypervisor, lab, spec)
        await hypervisor.close()


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    asyncio.run(measure())
