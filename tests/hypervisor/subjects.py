"""What the fixtures of `hosts` give to a test."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from daemon import Daemon

from ballonet.engine.ports import Hypervisor
from ballonet.lab.lab import Lab, report_file, send_schedule
from ballonet.units import KIB, MIB

MAXIMUM_BYTES = 256 * MIB  # of the guests "web" and "off"
RESIZE_SECONDS = 60.0  # at most, of a guest that gets there


@dataclass(frozen=True, slots=True)
class Subject:
    """A hypervisor with the guests "web", which runs, and "off", which does not; 256 MiB each at most.

    One that stores nothing has no "off".
    """

    hypervisor: Hypervisor
    reports: bool = True  # its statistics are of now
    tells: bool = True  # it has events of balloons
    stores: bool = True  # it keeps guests that do not run, and what they have at their next start


@dataclass(frozen=True, slots=True)
class Machine:
    """A libvirtd with guests: web, api (half as large), and off, which does not run; bare has no balloon
    device, mute did not load its driver, and full is small and has no swap.
    """

    daemon: Daemon
    lab: Lab

    @property
    def uri(self) -> str:
        """Return what leads to it."""
        return self.daemon.uri

    def definition(self, name: str, *words: str) -> ET.Element:
        """Return a guest's XML: that of now, or with "--inactive" the stored one."""
        return ET.fromstring(self.daemon.virsh("dumpxml", name, *words).stdout)

    def period(self, name: str, *words: str) -> int:
        """Return the seconds between two statistics; 0: nobody asks."""
        stats = self.definition(name, *words).find("devices/memballoon/stats")
        return 0 if stats is None else int(stats.attrib["period"])

    def actual(self, name: str) -> int:
        """Return what a guest's balloon leaves it, in bytes, as virsh says."""
        return KIB * int(self.daemon.virsh("dommemstat", name).stdout.split()[1])

    def resize(self, name: str, size_bytes: int) -> None:
        """Set a guest's balloon, and return when it is there."""
        self.daemon.virsh("setmem", name, f"{size_bytes}b", "--live")
        deadline = time.monotonic() + RESIZE_SECONDS
        while (actual := self.actual(name)) != size_bytes:
            assert time.monotonic() < deadline, f"{name} has {actual} bytes, not {size_bytes}"
            time.sleep(0.1)

    def load(self, name: str, schedule: str) -> None:
        """Give a guest a schedule."""
        asyncio.run(send_schedule(self.lab.directory, name, schedule, report_file(self.lab.directory, name)))


@dataclass(frozen=True, slots=True)
class PlainMachine:
    """QEMUs without libvirt, their monitors at `monitors/NAME.qmp`: web; mute without driver; bare."""

    lab: Lab

    @property
    def monitors(self) -> Path:
        """Return the directory of the monitors' sockets."""
        return self.lab.directory / "monitors"

    @property
    def uri(self) -> str:
        """Return what names all of them."""
        return f"qmp:{self.monitors}/*.qmp"

    def load(self, name: str, schedule: str) -> None:
        """Give a guest a schedule."""
        asyncio.run(send_schedule(self.lab.directory, name, schedule, report_file(self.lab.directory, name)))
