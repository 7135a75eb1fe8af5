"""A socket of QEMU's: it serves one client after the other, and takes the next when that has gone."""

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Self


class OneClient:
    """Listens at a path; what is said to a client is for who inherits from it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw: bytes | None = None  # instead of each answer
        self.clients = 0  # how many there were
        self._serving: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def start(self) -> Self:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        listening.bind(str(self.path))
        listening.listen(1)
        self._serving = asyncio.create_task(self._serve(listening))
        return self

    async def stop(self) -> None:
        """End as a process would: the socket stays where it is, and nobody listens."""
        assert self._serving is not None
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)

    async def _serve(self, listening: socket.socket) -> None:
        with listening:
            while True:
                connection, _ = await asyncio.get_running_loop().sock_accept(listening)
                self.clients += 1
                reader, self._writer = await asyncio.open_connection(sock=connection)
                try:
                    with contextlib.suppress(ConnectionError):
                        await self._talk(reader, self._writer)
                finally:
                    self._writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError
