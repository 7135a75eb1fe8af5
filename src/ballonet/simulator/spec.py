"""What a simulated guest is made as."""

from collections.abc import Sequence
from dataclasses import dataclass

from ballonet.facts.guest import Obstacle
from ballonet.simulator.incidents import Incident
from ballonet.simulator.kinds import Kind
from ballonet.simulator.schedule import Step
from ballonet.units import MIB


@dataclass(frozen=True, slots=True)
class Spec:
    """A guest to simulate; sizes in bytes."""

    name: str
    maximum_bytes: int
    schedule: Sequence[Step]
    swap_bytes: int = 512 * MIB
    requests: float = 1000.0  # a second, of its disks
    vcpus: int = 1
    autodeflate: bool = False
    free_page_reporting: bool = True
    recent: bool = False  # Linux 6.12: it tells OOM kills, stalls and scans
    tells_pressure: bool = False  # somebody tells its PSI, which is all that it tells beside its statistics
    seen: bool = True  # the host sees its files read, and not only its swap
    agent: bool = False  # an agent in it tells that and its swap
    period_seconds: int = 1
    kind: Kind = Kind.LINUX
    incidents: Sequence[Incident] = ()
    obstacle: Obstacle | None = None  # it moves, but the host gains nothing
