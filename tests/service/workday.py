"""A host of eleven simulated guests of all kinds on a working day."""

from dataclasses import replace

from ballonet.facts.guest import Obstacle
from ballonet.facts.host import HostMemory
from ballonet.simulator.incidents import Happens, Incident
from ballonet.simulator.schedule import Step, steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB


class Used(World):
    """A host that needs something itself."""

    def memory(self) -> HostMemory:
        found = super().memory()
        own = round(2.6 * GIB)
        return replace(found, available_bytes=found.available_bytes - own, pressure_some_ratio=0.004)


def busy(mib: int, file_mib: int = 0) -> list[Step]:
    return [Step(anon_mib=mib, hot_mib=mib, file_mib=file_mib, rate=20.0, touches=8.0)]


WEB_1 = """
    at 0 anon_mib=1400 hot_mib=1400
    at 300 anon_mib=2900 hot_mib=2900 grow_mib_s=12
"""
WEB_2 = """
    at 0 anon_mib=2600 hot_mib=2600
    at 500 anon_mib=1500 hot_mib=1500
"""
SHOP = """
    at 0 anon_mib=2200 hot_mib=2200
    at 770 anon_mib=5200 hot_mib=5200 grow_mib_s=25
"""
BUILD = """
    at 0 anon_mib=600 hot_mib=600
    at 120 anon_mib=6000 hot_mib=6000 grow_mib_s=60
    at 400 anon_mib=700 hot_mib=700
    at 801 anon_mib=5600 hot_mib=5600 grow_mib_s=70
"""
SILENT = Incident(at=600.0, kind=Happens.GAP, seconds=3600.0)
GUESTS = [
    Spec("web-1", 4 * GIB, steps(WEB_1)),
    Spec("web-2", 4 * GIB, steps(WEB_2)),
    Spec("shop", 8 * GIB, steps(SHOP)),
    Spec("db-main", 12 * GIB, busy(7200, 1500), vcpus=4),
    Spec("db-replica", 12 * GIB, busy(4100, 900), vcpus=4),
    Spec("build-7", 8 * GIB, steps(BUILD)),
    Spec("mail", 2 * GIB, busy(700)),
    Spec("wiki", 2 * GIB, busy(260)),
    Spec("render", 8 * GIB, busy(3000), obstacle=Obstacle.PASSTHROUGH),
    Spec("legacy", 2 * GIB, busy(500), incidents=[SILENT]),
    Spec("jump", GIB, busy(90)),
]
