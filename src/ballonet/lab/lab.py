"""A lab: real guests with real loads, in one directory, that end when the lab does."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self, runtime_checkable
from uuid import uuid4

from ballonet.errors import BallonetError, NoSuchGuestError
from ballonet.facts.guest import Guest
from ballonet.lab import reaper
from ballonet.lab.accelerator import accelerator
from ballonet.lab.directory import claim
from ballonet.lab.domain import GuestSpec, Places, domain_xml
from ballonet.lab.image import Image, build, with_agent
from ballonet.lab.report import Report, ReportFile
from ballonet.simulator.schedule import steps, written

POLL_SECONDS = 0.05
STARTS_AT_ONCE = 4
# A first report takes 5 s, and some 2 s more for each guest that boots beside it on two busy cores.
BOOT_SECONDS = 60.0
BOOT_SECONDS_PER_GUEST = 10.0
# A guest that swaps hard may need long to look at its port.
LOAD_SECONDS = 20.0
FORGET_SECONDS = 20.0  # some 0.5 s, measured


class Starter(Protocol):
    """The part of a hypervisor that the lab needs beyond what the engine asks for."""

    async def start(self, xml: str) -> str:
        """Start a guest that leaves nothing behind when it ends; return its UUID."""

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return the guests that it knows; also those that do not run if `inactive`."""


@runtime_checkable
class PlainStarter(Protocol):
    """What starts guests without a hypervisor between it and them."""

    async def boot(self, spec: GuestSpec, uuid: str, places: Places, image: Image, accelerator: str) -> None:
        """Start a guest that leaves nothing behind when it ends."""


class Lab:
    """Guests in a directory; leaving the context ends them and removes it.

    The hypervisor is any whose QEMU processes run on this host; `embedded_uri(directory)` gives one that
    needs no daemon. An image built before may be given, so that several labs share it.
    """

    def __init__(
        self, directory: Path, hypervisor: Starter | PlainStarter, *, image: Image | None = None
    ) -> None:
        self.directory = claim(directory)
        self.image = image
        self.accelerator = ""  # known once a guest was booted
        self.uuids: dict[str, str] = {}  # by name
        self._hypervisor = hypervisor
        self._reports: dict[str, ReportFile] = {}
        self._reaper: subprocess.Popen[str] | None = None

    async def __aenter__(self) -> Self:
        if (self.directory / reaper.UUIDS).exists():
            raise BallonetError(
                f"there is a lab in {self.directory} already",
                hint=f"end it first: ballonet lab down --directory {self.directory}",
            )
        (self.directory / reaper.UUIDS).touch()
        # Not asyncio's, which would kill it when this loop is closed.
        self._reaper = subprocess.Popen(  # noqa: S603, ASYNC220 (our own module; returns at once)
            [sys.executable, "-m", "ballonet.lab.reaper", str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C ends the owner; the reaper is to outlive it
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()

    async def boot(self, specs: Sequence[GuestSpec]) -> None:
        """Start guests, and return when each of them has reported."""
        if self.image is None:
            self.image = await asyncio.to_thread(build, self.directory / "image")
        if any(spec.agent for spec in specs):
            self.image = await asyncio.to_thread(with_agent, self.image, self.image.initramfs.parent)
        self.accelerator = self.accelerator or await asyncio.to_thread(accelerator, self.image)
        starts = asyncio.Semaphore(STARTS_AT_ONCE)
        await asyncio.gather(*(self._start(spec, self.image, starts) for spec in specs))
        deadline = time.monotonic() + BOOT_SECONDS + BOOT_SECONDS_PER_GUEST * len(specs)
        await asyncio.gather(*(self._first_report(spec.name, deadline) for spec in specs))

    async def load(self, name: str, schedule: str) -> None:
        """Give a guest a schedule, which begins at its second 0 when this returns; it replaces any other."""
        await send_schedule(self.directory, name, schedule, self._file(name))

    def reports(self, name: str) -> list[Report]:
        """Return all that a guest has reported, oldest first."""
        return self._file(name).read()

    def latest(self, name: str) -> Report:
        """Return a guest's last report; it has one once `boot` has returned."""
        return self.reports(name)[-1]

    def console(self, name: str) -> str:
        """Return what a guest's kernel and first program have printed."""
        return _console(self.directory, name)

    async def down(self) -> None:
        """End all guests and remove the directory; doing it twice does no harm."""
        started = reaper.uuids_in(self.directory)
        self.uuids.clear()
        await self._release("")
        await self._forgotten(started)

    async def _forgotten(self, uuids: set[str]) -> None:
        """Return when libvirt is through with these guests: until then it writes into its own directory."""
        if isinstance(self._hypervisor, PlainStarter):
            return
        with suppress(BallonetError, TimeoutError):
            async with asyncio.timeout(FORGET_SECONDS):
                # libvirt tells that a guest stopped before it is through with it.
                while uuids & {guest.uuid for guest in await self._hypervisor.guests(inactive=True)}:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)

    async def leave(self, seconds: float) -> None:
        """Let the guests run on for so long without this process, which may then end."""
        self.uuids.clear()
        await self._release(f"{seconds}\n", wait=False)

    async def _release(self, words: str, *, wait: bool = True) -> None:
        process, self._reaper = self._reaper, None
        if process is None or process.stdin is None:
            return
        with process.stdin as pipe:
            pipe.write(words)
        if wait:
            await asyncio.to_thread(process.wait)

    async def _start(self, spec: GuestSpec, image: Image, starts: asyncio.Semaphore) -> None:
        uuid = str(uuid4())
        places = Places.below(self.directory, spec.name)
        if places.swap.parent.exists():
            raise BallonetError(f"the lab has a guest {spec.name} already", hint="give it another name")
        places.swap.parent.mkdir(parents=True)
        for path, size_bytes in ((places.swap, spec.swap_bytes), (places.data, spec.disk_bytes)):
            _make_sparse(path, size_bytes)
        with (self.directory / reaper.UUIDS).open("a") as file:
            file.write(f"{uuid} {spec.name}\n")
        async with starts:
            if isinstance(self._hypervisor, PlainStarter):
                await self._hypervisor.boot(spec, uuid, places, image, self.accelerator)
            else:
                await self._hypervisor.start(domain_xml(spec, uuid, places, image, self.accelerator))
        self.uuids[spec.name] = uuid

    async def _first_report(self, name: str, deadline: float) -> None:
        while not self.reports(name):
            if time.monotonic() > deadline:
                last = (self.console(name).strip().splitlines() or ["nothing"])[-1]
                raise BallonetError(
                    f"guest {name} did not come up; its console says last: {last}",
                    hint=f"look at {Places.below(self.directory, name).console}",
                )
            await asyncio.sleep(POLL_SECONDS)

    def _file(self, name: str) -> ReportFile:
        return self._reports.setdefault(name, report_file(self.directory, name))


def guest_names(directory: Path) -> list[str]:
    """Return the names of a lab's guests, in the order of their start."""
    path = directory / reaper.UUIDS
    return path.read_text().split()[1::2] if path.is_file() else []


def report_file(directory: Path, name: str) -> ReportFile:
    """Return the reports of a lab's guest; raises `NoSuchGuestError`."""
    path = Places.below(directory, name).reports
    if name not in guest_names(directory):
        known = ", ".join(guest_names(directory)) or "none"
        raise NoSuchGuestError(f"the lab has no guest {name}", hint=f"its guests: {known}")
    return ReportFile(path)


async def send_schedule(directory: Path, name: str, schedule: str, reports: ReportFile) -> None:
    """Send a schedule to a guest from whatever process, and return when the guest has begun with it."""
    text = written(steps(schedule))
    before = _beginning(reports.read())
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            _, writer = await asyncio.open_unix_connection(Places.below(directory, name).schedule)
            writer.write(f"{text}go\n".encode())
            await writer.drain()
            # Closing the socket would drop what the guest has not read yet.
            # The guest's QEMU writes reports, so there is no event to wait for; times are rounded to 1 ms.
            while abs(_beginning(reports.read()) - before) < 0.01:  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)
            writer.close()
            await writer.wait_closed()
    except (TimeoutError, OSError) as error:
        raise BallonetError(
            f"guest {name} did not take the schedule", hint="see whether it runs: ballonet lab list"
        ) from error


async def turn_driver(directory: Path, name: str, *, on: bool) -> None:
    """Have a guest load its balloon driver again, or unload it, and return when it has."""
    state = "on" if on else "off"
    done = f"lab: driver {state}"
    before = _console(directory, name).count(done)
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            _, writer = await asyncio.open_unix_connection(Places.below(directory, name).schedule)
            writer.write(f"driver {state}\n".encode())
            await writer.drain()
            while _console(directory, name).count(done) == before:  # noqa: ASYNC110 (the guest's QEMU writes)
                await asyncio.sleep(POLL_SECONDS)
            writer.close()
            await writer.wait_closed()
    except (TimeoutError, OSError) as error:
        raise BallonetError(
            f"guest {name} did not turn its driver {state}",
            hint=f"look at {Places.below(directory, name).console}",
        ) from error


def _beginning(reports: Sequence[Report]) -> float:
    """Return the second of the guest's life at which its schedule began; 0 if it has not reported."""
    return reports[-1].uptime - reports[-1].t if reports else 0.0


def _make_sparse(path: Path, size_bytes: int) -> None:
    if size_bytes:
        with path.open("wb") as file:
            file.truncate(size_bytes)


def _console(directory: Path, name: str) -> str:
    path = Places.below(directory, name).console
    return path.read_text(errors="replace") if path.exists() else ""


def names(count: int) -> Iterable[str]:
    """Return so many names for guests that have none of their own."""
    return (f"guest-{number}" for number in range(1, count + 1))
