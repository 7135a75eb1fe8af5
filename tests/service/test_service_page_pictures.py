"""The pictures in the documents: a host of eleven guests, fourteen minutes into a working day.

They are taken with each run of the tests, and kept in docs/pictures where BALLONET_PICTURES says so
(script/pictures).
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import Visit, visiting
from hosted import Hosted, hosted
from playwright.sync_api import Browser

from ballonet.facts.guest import Obstacle
from ballonet.facts.host import HostMemory
from ballonet.service.models import PauseAsked, RoomAsked
from ballonet.simulator.incidents import Happens, Incident
from ballonet.simulator.schedule import Step, steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB

MOST_BYTES = 200_000
SECONDS = 840


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


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    place = tmp_path_factory.mktemp("host") / "run" / "s"
    made = lambda clock: Used(GUESTS, clock=clock, host_bytes=64 * GIB)  # noqa: E731
    with hosted(place, web=True, world=made, budget_bytes=39.0 * GIB, ticks=SECONDS // 2 - 10) as found:
        service = found.service
        found.does(service.pause(PauseAsked(guest="mail", for_seconds=3600.0, why="backup"), "anna"))
        found.does(service.make_room(RoomAsked(size_bytes=3 * GIB, guest="crm"), "libvirt-qemu"))
        found.ticks(4)
        yield found


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return Path(os.environ.get("BALLONET_PICTURES", tmp_path))


def take(visit: Visit, path: Path) -> None:
    visit.page.mouse.move(0, 0)
    visit.page.screenshot(path=path, animations="disabled", caret="hide")
    assert 10_000 < path.stat().st_size < MOST_BYTES


@pytest.mark.parametrize(("theme", "name"), [("light", "page.png"), ("dark", "page-dark.png")])
def test_a_picture_is_taken_of_the_whole(
    browser: Browser, host: Hosted, kept: Path, theme: str, name: str
) -> None:
    with visiting(browser, host, color_scheme=theme) as visit:
        visit.live()
        take(visit, kept / name)


def test_a_picture_is_taken_of_one_guest(browser: Browser, host: Hosted, kept: Path) -> None:
    with visiting(browser, host, viewport={"width": 1280, "height": 960}) as visit:
        page = visit.live()
        visit.row("build-7").click()
        page.locator("dialog.drawer .u-legend").last.wait_for()
        page.evaluate("document.activeElement.blur()")
        take(visit, kept / "page-guest.png")


def test_a_picture_is_taken_on_a_phone(browser: Browser, host: Hosted, kept: Path) -> None:
    with visiting(browser, host, viewport={"width": 360, "height": 740}, device_scale_factor=2) as visit:
        visit.live()
        take(visit, kept / "page-phone.png")
