"""The loop: ticks at their interval, glances beside them, events as they come, until it is told to end."""

import asyncio
from collections.abc import Callable

from ballonet.engine.engine import Engine, World
from ballonet.engine.watch import PASS_SECONDS
from ballonet.errors import HypervisorError
from ballonet.facts.plan import Plan

# An early tick follows a burst by this long: the guest's first grant has arrived by then (20 to 50 ms), and
# so have the statistics that others were asked for (20 to 60 ms).
EARLY_SECONDS = 0.1


async def run(
    engine: Engine,
    world: World,
    *,
    seconds: float | None = None,
    after_tick: Callable[[Plan], None] = lambda _: None,
    on_failure: Callable[[HypervisorError], None] = lambda _: None,
) -> None:
    """Run until `seconds` are over (None: until cancelled). Failures to read guests are told and outlived."""
    parts = [_tick(engine, world, after_tick, on_failure), _listen(engine, world)]
    if engine.glances:
        parts.append(_glance(engine, world))
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        ended, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()  # no part goes on without the others: what one raised ends all


async def _tick(
    engine: Engine,
    world: World,
    after_tick: Callable[[Plan], None],
    on_failure: Callable[[HypervisorError], None],
) -> None:
    """Tick for ever: at the interval, or soon after something called for it."""
    while True:
        engine.wake.clear()
        due = world.clock.monotonic() + engine.interval_seconds()
        try:
            after_tick(await engine.tick())
        except HypervisorError as error:
            on_failure(error)
            due = max(due, world.clock.monotonic() + engine.settings.interval_seconds)
        await _wait(world, engine.wake, due)


async def _wait(world: World, wake: asyncio.Event, due: float) -> None:
    """Wait until a tick is due, or until shortly after somebody wakes it."""
    left, is_due = max(0.0, due - world.clock.monotonic()), asyncio.Event()

    def ring() -> None:
        is_due.set()
        wake.set()

    # Not `asyncio.timeout`, at each tick: it cancels this task, and catches that again.
    timer = asyncio.get_running_loop().call_later(left, ring)
    try:
        await wake.wait()
    finally:
        timer.cancel()
    if not is_due.is_set():
        await world.clock.sleep(min(EARLY_SECONDS, max(0.0, due - world.clock.monotonic())))


async def _glance(engine: Engine, world: World) -> None:
    """Look ten times a second, unless there is nothing to see; the reflex never waits for a tick."""
    while True:
        if await engine.glance():
            engine.wake.set()
        await world.clock.sleep(max(PASS_SECONDS, engine.calm_seconds()))


async def _listen(engine: Engine, world: World) -> None:
    """Take in the hypervisor's events as they come."""
    async for event in world.hypervisor.events():
        if engine.hear(event):
            engine.wake.set()
