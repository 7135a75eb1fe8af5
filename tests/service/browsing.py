"""A real browser in front of a service: Debian's Chromium, whose every complaint fails the test.

A pytest plugin. The browser lives as long as a file of tests: Playwright keeps an event loop running in this
thread, beside which no other test's could.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hosted import Hosted, hosted
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from ballonet.simulator.virtual import VirtualClock

CHROMIUM = "/usr/bin/chromium"
# Nobody is asked for updates, and no sandbox is wanted where tests run as root.
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
WIDTH, HEIGHT = 1280, 800
expect.set_options(timeout=30_000.0)  # milliseconds: as patient as Playwright's own waits, on a busy machine


@dataclass
class Visit:
    """A page that is looked at, and the host behind it."""

    host: Hosted
    page: Page
    complaints: list[str] = field(default_factory=list)  # errors, violations of the policy, dialogs
    expected: set[str] = field(default_factory=set)  # a part of what a test makes the browser complain about

    @property
    def url(self) -> str:
        assert self.host.web is not None
        return f"http://{self.host.web.address}"

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.url + path)
        return self.page

    def live(self) -> Page:
        """Open the page and wait until it follows the service."""
        self.open()
        self.page.locator("#age").wait_for(state="attached")
        self.until("!document.querySelector('#age').hidden")
        return self.page

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def row(self, name: str) -> Any:
        return self.page.locator("#guests tbody tr", has=self.page.get_by_role("link", name=name, exact=True))

    def until(self, script: str) -> None:
        """Wait until an expression is true; the browser's own waiting would be against the page's policy."""
        deadline = time.monotonic() + 30.0
        while not self.page.evaluate(script):
            assert time.monotonic() < deadline, script
            self.page.wait_for_timeout(20)

    def token(self) -> str:
        return str(self.host.service.token().token)


def launched(playwright: Playwright) -> Browser:
    if shutil.which(CHROMIUM) is None:
        raise FileNotFoundError(f"{CHROMIUM} is missing: apt-get install chromium")
    return playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Browser, host: Hosted, **options: Any) -> Iterator[Visit]:
    """Look at a host; in the end the browser must have complained about nothing but what was expected."""
    usual = {"viewport": {"width": WIDTH, "height": HEIGHT}, "timezone_id": "UTC", "reduced_motion": "reduce"}
    context = browser.new_context(**{**usual, **options})
    page = context.new_page()
    now = datetime.fromtimestamp(VirtualClock.EPOCH + host.clock.now, UTC)
    page.clock.set_fixed_time(now)  # the simulated guests' day
    visit = Visit(host, page)
    say = visit.complaints.append
    page.on("console", lambda message: say(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: say(str(error)))
    page.on("dialog", lambda dialog: say(f"dialog: {dialog.message}"))
    yield visit
    context.close()
    assert not [each for each in visit.complaints if not any(known in each for known in visit.expected)]


@pytest.fixture
def seen(place: Path) -> Iterator[Hosted]:
    """Return a host that can be looked at in a browser."""
    with hosted(place, web=True) as host:
        yield host


@pytest.fixture
def visit(browser: Browser, seen: Hosted) -> Iterator[Visit]:
    with visiting(browser, seen) as found:
        yield found
