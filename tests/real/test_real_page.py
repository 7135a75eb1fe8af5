"""The page of a service on real guests: what is set in a browser is the guest's real size."""

import re

import pytest
from browsing import launched
from playwright.sync_api import Page, expect, sync_playwright
from serving import Service
from subjects import Machine

from ballonet.units import MIB

pytestmark = pytest.mark.real

SIZE_MIB = 200
SECONDS = 60_000.0  # milliseconds that guests under emulation may take


def set_on_page(page: Page, url: str, token: str) -> None:
    """Open a guest, have it resized, and wait until the page says that it is."""
    page.goto(url)
    row = page.locator("#guests tbody tr", has=page.get_by_role("link", name="one", exact=True))
    row.click(timeout=SECONDS)
    drawer = page.locator("dialog.drawer")
    drawer.locator("[data-act=set]").click()
    form = page.locator("dialog:has(form)")
    form.locator("[name=size]").fill(f"{SIZE_MIB}MiB")
    form.locator("button.main").click()
    form.locator("[name=token]").fill(token)
    form.locator("button.main").click()
    expect(form).to_have_count(0)
    expect(drawer.locator(".facts")).to_contain_text(re.compile(rf"actual\s*{SIZE_MIB} MiB"), timeout=SECONDS)
    page.keyboard.press("Escape")
    expect(row).to_contain_text("paused")


def test_what_is_set_on_the_page_is_the_guests_real_size(duo: Machine, served: Service) -> None:
    with served.running(), sync_playwright() as playwright:
        browser = launched(playwright)
        set_on_page(browser.new_page(), f"http://{served.web()}/", served.ask("token").stdout.strip())
        browser.close()
        assert SIZE_MIB * MIB == duo.actual("one")
        told = duo.daemon.virsh("dommemstat", "one")
        assert f"actual {SIZE_MIB * 1024}\n" in told.stdout
