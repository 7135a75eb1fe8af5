"""Measures the page in Chromium: its weight, its first paint, what a tick costs the browser and the service.

On real time: a service in a process of its own, whose simulated guests all change at each tick, on loopback.
A look at the page before the first is what reads the templates; it is printed beside the later ones.
"""

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from typing import IO, Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from service import INTERVAL_SECONDS, SEED, BothHosts, Look, RealClock, rules

from ballonet.engine.engine import World as Ports
from ballonet.facts.address import Address
from ballonet.service.daemon import Daemon, Ears, open_web
from ballonet.service.notify import Notifier
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

CHROMIUM = "/usr/bin/chromium"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
COUNTS = (4, 100, 500)
TURN_SECONDS = 20.0  # a guest that grew shrinks, and again
PAINTS = 5

# How long the page's own code takes for each look that comes, and nothing else of the browser.
CLOCKED = """
window.took = [];
const listen = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (name, heard) {
  listen.call(this, name, name !== "overview" ? heard : (event) => {
    const began = performance.now();
    heard(event);
    window.took.push(performance.now() - began);
  });
};
"""
WEIGHT = """
[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((each) => !each.name.includes("/v1/"))
  .reduce((sum, each) => sum + each.encodedBodySize, 0)
"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def swaying(count: int) -> World:
    """Return guests whose needs never rest."""
    random = Random(SEED)
    specs = []
    for row in range(count):
        low, begins = random.uniform(80.0, 300.0), random.uniform(0.0, TURN_SECONDS)
        steps = [Step(anon_mib=low, hot_mib=low)]
        for turn in range(100):
            mib = low + 400.0 * ((turn + 1) % 2)
            at = begins + turn * TURN_SECONDS
            steps.append(Step(at=at, anon_mib=mib, hot_mib=mib, grow_mib_s=400.0 / TURN_SECONDS))
        specs.append(Spec(f"g{row:03}", GIB, steps, vcpus=2))
    return World(specs, clock=RealClock(), host_bytes=2 * count * GIB, detail=False)


async def serve(count: int, place: Path) -> None:
    """Run a service until it is ended; print where its page is."""
    world = swaying(count)
    law = rules(0.75 * count * GIB)
    ports = Ports(world, RealClock(), BothHosts(world), world)
    daemon = Daemon("sim:", ports, lambda: law, Ears(lambda _: None, print), notifier=Notifier({}))
    web = await open_web(daemon.service, Address("127.0.0.1", 0), place)
    print(f"http://{web.address}", flush=True)
    await daemon.run([web])


@contextlib.contextmanager
def serving(count: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a service of so many guests; yield its process and where its page is."""
    with tempfile.TemporaryDirectory() as place:
        words = [sys.executable, __file__, "--serve", str(count), place]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
            try:
                out: IO[str] | None = child.stdout
                assert out is not None
                url = out.readline().strip()
                time.sleep(3 * INTERVAL_SECONDS)
                yield child, url
            finally:
                child.terminate()


def opened(browser: Browser, url: str) -> Page:
    """Open the page in a browser that knows nothing of it."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.add_init_script(CLOCKED)
    page.goto(url)
    page.wait_for_function(PAINT)
    return page


def costs(session: CDPSession) -> dict[str, float]:
    """Return what the browser's thread of a page spent on it, in seconds of a processor."""
    found: dict[str, Any] = session.send("Performance.getMetrics")
    return {each["name"]: each["value"] for each in found["metrics"] if each["name"].endswith("Duration")}


def measure(browser: Browser, count: int, seconds: float) -> None:
    """Print what one host costs."""
    with serving(count) as (child, url):
        alone = [Look.of(child.pid, time.monotonic())]
        time.sleep(seconds / 2)
        alone.append(Look.of(child.pid, time.monotonic()))
        paints = []
        for _ in range(1 + PAINTS):
            page = opened(browser, url)
            paints.append(page.evaluate(PAINT))
            page.context.close()
        page = opened(browser, url)
        weight = page.evaluate(WEIGHT)
        time.sleep(2 * INTERVAL_SECONDS)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})  # whatever else the machine does
        before, watched = costs(session), [Look.of(child.pid, time.monotonic())]
        page.evaluate("window.took.length = 0")
        time.sleep(seconds)
        after, took = costs(session), page.evaluate("window.took")
        watched.append(Look.of(child.pid, time.monotonic()))
        page.locator("#guests tbody a").first.click()
        page.locator(".u-legend").last.wait_for()
        whole = page.evaluate(WEIGHT)
        page.context.close()
    rest = {name: 1000 * (after[name] - before[name]) / len(took) for name in after}
    print(f"{count:>4} guests: {weight / 1024:.0f} KiB on the wire, with charts {whole / 1024:.0f}")
    print(f"  first paint {median(paints[1:]):.0f} ms, the first of all {paints[0]:.0f}")
    print(
        f"  a tick: script {median(took):.1f} ms, at most {max(took):.1f}; of a processor "
        f"{rest['ScriptDuration']:.1f} ms, style {rest['RecalcStyleDuration']:.1f}, "
        f"layout {rest['LayoutDuration']:.1f}, all {rest['TaskDuration']:.1f}"
    )
    print(
        f"  service: {100 * share(alone):.1f} % of a processor, looked at {100 * share(watched):.1f} %, "
        f"{watched[-1].rss_bytes / MIB:.0f} MiB"
    )


def share(looks: list[Look]) -> float:
    """Return the share of a processor between two looks."""
    first, last = looks
    return (last.processor_seconds - first.processor_seconds) / (last.at - first.at)


def main() -> None:
    """Measure hosts of several sizes, or be the service that one of them is."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.serve:
        asyncio.run(serve(int(asked.serve[0]), Path(asked.serve[1])))
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        for count in COUNTS:
            measure(browser, count, asked.seconds)
        browser.close()


if __name__ == "__main__":
    main()
