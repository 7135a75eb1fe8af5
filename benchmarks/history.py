"""Measures the history of 100 guests: what a tick costs, how large a week is, how long questions take.

A tick is taken in by a service's own engine on simulated guests that change; the week is written minute by
minute, as it would be, of guests whose sizes wander.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import numpy as np

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.policy.settings import Settings
from ballonet.service import past
from ballonet.service.block import Block
from ballonet.service.history import History
from ballonet.service.history_file import Bounds, HistoryFile
from ballonet.service.report import Reckoning
from ballonet.service.samples import GUEST, HOST
from ballonet.service.span import REPORT_STEPS, Span
from ballonet.simulator import virtual
from ballonet.simulator.day import DAY_SECONDS, day
from ballonet.simulator.spec import Spec
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

GUESTS = 100
INTERVAL_SECONDS = 2.0
BEGUN_AT = 1.7e9
SEED = 1


def ticks(place: Path, seconds: float) -> dict[str, float]:
    """Return what taking ticks in costs: on average, and at most, when a minute is written."""
    random, spent = Random(SEED), list[tuple[float, float]]()
    specs = [Spec(f"g{row:03}", 4 * GIB, day(random, 4096.0, DAY_SECONDS), vcpus=2) for row in range(GUESTS)]

    async def live() -> None:
        clock = virtual.VirtualClock()
        world = World(specs, clock=clock, host_bytes=8 * GUESTS * GIB, detail=False)
        settings = Settings(
            budget_bytes=2.6 * GUESTS * GIB, boot_grace_seconds=0.0, interval_seconds=INTERVAL_SECONDS
        )
        history = History(HistoryFile(place, Bounds()))
        engine = Engine(Ports(world, clock, world, world), settings, history.hear, enforce=True)
        while clock.monotonic() < seconds:
            plan = await engine.tick()
            begun, used = time.perf_counter(), time.process_time()
            history.take(plan, engine)
            spent.append((time.perf_counter() - begun, time.process_time() - used))
            await clock.sleep(INTERVAL_SECONDS)
        history.end()

    virtual.run(live())
    walls, used = np.array(spent).T * 1e3
    return {
        "tick_ms_mean": float(used.mean()),
        "tick_ms_median": float(np.median(used)),
        "minute_ms_median": float(np.median(walls[walls > np.quantile(walls, 0.97)])),
        "minute_ms_most": float(walls.max()),
    }


def week(place: Path, days: float) -> HistoryFile:
    """Return a file of so many days."""
    random, file = np.random.default_rng(SEED), HistoryFile(place, Bounds())
    uuids = tuple(f"{row:08x}-0000-4000-8000-000000000000" for row in range(GUESTS))
    names = tuple(f"g{row:03}" for row in range(GUESTS))
    sizes = random.uniform(1, 4, (len(GUEST), GUESTS)).astype(np.float32) * GIB
    host = np.full(len(HOST), 1e11, dtype=np.float32)
    for minute in range(int(days * 1440)):
        begins = BEGUN_AT // 60 * 60 + 60.0 * minute
        block = Block.at(begins, 15.0)
        for tick in range(int(60 / INTERVAL_SECONDS)):
            sizes += random.normal(0, 4 * MIB, sizes.shape).astype(np.float32)
            block.add(begins + INTERVAL_SECONDS * tick, uuids, names, host, sizes.copy())
        file.write([block])
        file.prune(begins + 60.0)
    return file


def milliseconds(does: Callable[[], object], times: int = 5) -> float:
    """Return the median of the processor's time that a question takes: others may be busy."""
    spent = []
    for _ in range(times):
        begun = time.process_time()
        does()
        spent.append(1e3 * (time.process_time() - begun))
    return float(np.median(spent))


def questions(file: HistoryFile, days: float) -> dict[str, float]:
    """Return how long questions take."""
    history, until = History(file), BEGUN_AT + days * 86400.0
    spans = {"hour": 3600.0, "day": 86400.0, "week": 7 * 86400.0}
    found = {
        f"guest_{name}_ms": milliseconds(partial(_guest, history, Span(until - seconds, until, 1000)))
        for name, seconds in spans.items()
    }
    hour = Span(until - 3600.0, until, 60)
    found["sparklines_ms"] = milliseconds(lambda: asyncio.run(past.sparklines(history, hour)))
    for name in ("day", "week"):
        span = Span(until - spans[name], until, REPORT_STEPS)
        found[f"report_{name}_ms"] = milliseconds(partial(_report, history, span), 3)
    return found


def _guest(history: History, span: Span) -> None:
    asyncio.run(history.guest(next(iter(history.names())), span))


def _report(history: History, span: Span) -> None:
    async def reckon() -> None:
        reckoning = Reckoning()
        async for table in history.guests(span, 60.0):
            reckoning.add(table)

    asyncio.run(reckon())


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument(
        "--seconds", type=float, default=3600.0, help="of virtual time, for what a tick costs"
    )
    parser.add_argument("--json", type=Path, help="write all figures there, too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        (Path(directory) / "ticks").mkdir()
        found = ticks(Path(directory) / "ticks", asked.seconds)
        begun = time.perf_counter()
        file = week(Path(directory), asked.days)
        found["fill_seconds"] = time.perf_counter() - begun
        found |= questions(file, asked.days)
        files = Path(directory).glob("history.sqlite*")
        found["file_mib"] = sum(each.stat().st_size for each in files) / MIB
        file.close()
        begun = time.perf_counter()
        HistoryFile(Path(directory), Bounds()).close()
        found["open_seconds"] = time.perf_counter() - begun
    for name, value in found.items():
        print(f"{name:<18} {value:>9.3f}")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
