"""The page of a service on real guests: what is set in a browser is the guest's real size."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import launched
from hosts import booted
from playwright.sync_api import Page, expect, sync_playwright
from subjects import Machine

from ballonet.lab.domain import GuestSpec
from ballonet.units import MIB

pytestmark = pytest.mark.real

OPTIONS = ["--enforce", "--budget", "420MiB", "--floor", "96MiB", "--boot-grace", "0s", "--interval", "1s"]
IDLE = "at 0 anon_mib=10 hot_mib=10 rate=20 touches=8"
SIZE_MIB = 200
SECONDS = 60_000.0  # milliseconds that guests under emulation may take


@pytest.fixture(scope="module")
def host() -> Iterator[Machine]:
    """Boot two guests of 256 MiB."""
    with booted([GuestSpec(name, memory_bytes=256 * MIB) for name in ("one", "two")]) as machine:
        yield machine


@contextmanager
def served(host: Machine, place: Path) -> Iterator[tuple[str, str]]:
    """Run the service; yield where its page is, and the token for changes."""
    socket = place / "run.sock"
    words = [sys.executable, "-m", "ballonet", "-c", host.daemon.uri, "run", *OPTIONS]
    words += ["--socket", str(socket), "--state", str(place / "state"), "--web", "127.0.0.1:0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            said = (re.search(r"http://[\d.:]+/", line) for line in process.stdout)
            url = next(found[0] for found in said if found)
            token = subprocess.run(
                [sys.executable, "-m", "ballonet", "token"],
                env={**os.environ, "BALLONET_SOCKET": str(socket)},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            yield url, token
        finally:
            process.terminate()


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


def test_what_is_set_on_the_page_is_the_guests_real_size(host: Machine, tmp_path: Path) -> None:
    for name in ("one", "two"):
        host.load(name, IDLE)
    with served(host, tmp_path) as (url, token), sync_playwright() as playwright:
        browser = launched(playwright)
        set_on_page(browser.new_page(), url, token)
        browser.close()
        assert SIZE_MIB * MIB == host.actual("one")
        told = host.daemon.virsh("dommemstat", "one")
        assert f"actual {SIZE_MIB * 1024}\n" in told.stdout
