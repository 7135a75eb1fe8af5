"""The life of a service: the engine's loop with the API beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ballonet.engine.engine import Engine, World
from ballonet.engine.loop import run
from ballonet.errors import BallonetError, HypervisorError
from ballonet.facts.plan import Plan
from ballonet.service.facade import Service

if TYPE_CHECKING:
    from ballonet.service.server import Server


async def listen(service: Service, path: Path, *, group: str | None = None) -> "Server":
    """Return a server that answers on this socket; raises `BallonetError` where that cannot be."""
    try:  # 6 MB of memory that a run without a socket does without
        from ballonet.service.api import make_app  # noqa: PLC0415
        from ballonet.service.server import Server  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise BallonetError(
            f"answering needs {error.name}, which is not installed", hint="pip install 'ballonet[service]'"
        ) from error
    server = Server(make_app(service), path, group=group)
    await server.start()
    return server


async def serve(
    engine: Engine,
    world: World,
    service: Service,
    server: "Server | None",
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
