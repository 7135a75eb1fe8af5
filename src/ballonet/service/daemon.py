"""The life of a service: the engine's loop with the API beside it."""

from collections.abc import Callable
from pathlib import Path

from ballonet.engine.engine import Engine, World
from ballonet.engine.loop import run
from ballonet.errors import HypervisorError
from ballonet.facts.plan import Plan
from ballonet.service.api import make_app
from ballonet.service.facade import Service
from ballonet.service.server import Server


async def listen(service: Service, path: Path, *, group: str | None = None) -> Server:
    """Return a server that answers on this socket; raises `BallonetError` where that cannot be."""
    server = Server(make_app(service), path, group=group)
    await server.start()
    return server


async def serve(
    engine: Engine,
    world: World,
    service: Service,
    server: Server | None,
    *,
    seconds: float | None = None,
    after_tick: Callable[[Plan], None] = lambda _: None,
    on_failure: Callable[[HypervisorError], None] = lambda _: None,
) -> None:
    """Run the loop as `engine.loop.run` does, a server that was started beside it; then stop that."""
    try:
        await run(engine, world, seconds=seconds, after_tick=after_tick, on_failure=on_failure)
    finally:
        service.close()
        if server is not None:
            await server.stop()
