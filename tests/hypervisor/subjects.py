"""What the fixtures of `hosts` give to a test."""

from dataclasses import dataclass

from daemon import Daemon

from ballonet.engine.ports import Hypervisor
from ballonet.lab.lab import Lab
from ballonet.units import MIB

MAXIMUM_BYTES = 256 * MIB  # of the guests "web" and "off"


@dataclass(frozen=True, slots=True)
class Subject:
    """A hypervisor with the guests "web", which runs, and "off", which does not; 256 MiB each at most."""

    hypervisor: Hypervisor
    reports: bool = True  # its statistics are of now
    tells: bool = True  # it has events of balloons


@dataclass(frozen=True, slots=True)
class Machine:
    """A libvirtd with the real guests web, api (half as large), bare (no balloon), and off (not running)."""

    daemon: Daemon
    lab: Lab
