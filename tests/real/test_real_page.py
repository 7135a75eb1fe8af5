"""The page of a service on real guests: what is set in a browser is the guest's real size."""

import re

import pytest
from browsing import launched
from playwright.sync_api import Locator, Page, expect, sync_playwright
from serving import Service, wait_for_room, wait_until
from subjects import Machine

from ballonet.units import MIB

pytestmark = pytest.mark.real

SIZE_MIB = 200
SECONDS = 60_000.0  # milliseconds that guests under emulation may take


class Watcher:
    """Somebody who looks at the page, and has things done there."""

    def __init__(self, page: Page, url: str, token: str) -> None:
        self.page, self._token = page, token
        page.goto(url)

    def row(self, name: str) -> Locator:
        link = self.page.get_by_role("link", name=name, exact=True)
        return self.page.locator("#guests tbody tr", has=link)

    def opened(self, name: str) -> Locator:
        """Open what is known of a guest."""
        self.row(name).click(timeout=SECONDS)
        found = self.page.locator("dialog.drawer")
        found.locator("h1").wait_for()
        return found

    def does(self, place: Locator, act: str, **fields: str) -> None:
        """Press a button, fill its form in and confirm, with the token where it is asked for."""
        place.locator(f"[data-act={act}]").click(timeout=SECONDS)
        form = self.page.locator("dialog:has(form)")
        for name, text in fields.items():
            form.locator(f"[name={name}]").fill(text)
        form.locator("button.main").click()
        expect(self.page.locator("[name=token]:visible, #said:visible").first).to_be_visible(timeout=SECONDS)
        if form.locator("[name=token]").count():
            form.locator("[name=token]").fill(self._token)
            form.locator("button.main").click()
        expect(form).to_have_count(0, timeout=SECONDS)


def holds(served: Service) -> list[str | None]:
    return [each.name for each in served.status().holds]


def test_what_is_done_on_the_page_is_done_to_real_guests(duo: Machine, served: Service) -> None:
    with served.running(), sync_playwright() as playwright:
        browser = launched(playwright)
        url, token = f"http://{served.web()}/", served.ask("token").stdout.strip()
        watcher = Watcher(browser.new_page(), url, token)

        wait_for_room(served, SIZE_MIB)
        drawer = watcher.opened("one")
        watcher.does(drawer, "set", size=f"{SIZE_MIB}MiB")
        said = re.compile(rf"actual\s*{SIZE_MIB} MiB")
        expect(drawer.locator(".facts")).to_contain_text(said, timeout=SECONDS)
        assert SIZE_MIB * MIB == duo.actual("one")
        assert f"actual {SIZE_MIB * 1024}\n" in duo.daemon.virsh("dommemstat", "one").stdout
        watcher.does(drawer, "resume")
        wait_until(lambda: holds(served) == [], served.said)
        wait_until(lambda: duo.actual("one") != SIZE_MIB * MIB, served.said)

        watcher.does(drawer, "pause", **{"for": "10m"})
        assert ["one"] == holds(served)
        size = duo.actual("one")
        watcher.does(drawer, "release")
        wait_until(lambda: duo.actual("one") > size, served.said)
        watcher.page.keyboard.press("Escape")
        expect(watcher.row("one")).to_contain_text("paused", timeout=SECONDS)

        watcher.does(watcher.page.locator("#host"), "pause")
        assert None in holds(served)
        expect(watcher.page.locator("#paused")).to_be_visible(timeout=SECONDS)
        browser.close()
