"""uvicorn, as a service has it: in its event loop, beside its ticks, on a listener that is there already."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from ballonet.service.guarded import GuardedProtocol

BACKLOG = 64
IDLE_SECONDS = 30  # a connection that asks nothing more is closed
GRACE_SECONDS = 5  # so long may last what is under way when the server stops
DATE_SECONDS = 1.0  # between two looks at the clock for the date of answers


class _Uvicorn(uvicorn.Server):
    """Leaves signals to the program that it runs in, and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.ending = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.up.set()

    async def main_loop(self) -> None:
        """Keep the date of answers right until it is to end; uvicorn's own loop wakes ten times a second."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DATE_SECONDS):
                    await self.ending.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Serving:
    """An application that is served on one listener, to whom the protocol lets in."""

    def __init__(self, app: ASGIApp, protocol: type[GuardedProtocol]) -> None:
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # a client's mistakes are told to the client
                access_log=False,
                server_header=False,
                proxy_headers=False,  # who asks is who connected
                backlog=BACKLOG,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket) -> None:
        """Serve from now on."""
        self._task = asyncio.create_task(self._uvicorn.serve(sockets=[listener]))
        await self._uvicorn.up.wait()

    async def stop(self) -> bool:
        """End what is under way, within some seconds; return whether anything was served."""
        if self._task is None:
            return False
        self._uvicorn.should_exit = True
        self._uvicorn.ending.set()
        await self._task
        return True
