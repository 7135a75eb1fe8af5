"""The pictures in the documents: a host of eleven guests, fourteen minutes into a working day.

They are taken with each run of the tests, and kept in docs/pictures where BALLONET_PICTURES says so
(script/pictures).
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Visit, visiting
from hosted import Hosted, hosted
from playwright.sync_api import Browser
from workday import GUESTS, Used

from ballonet.service.models import PauseAsked, RoomAsked
from ballonet.units import GIB

MOST_BYTES = 200_000
SECONDS = 840


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
