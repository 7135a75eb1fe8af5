"""An agent behind a socket, as QEMU gives a guest one: one client at a time, sending whatever it likes."""

import asyncio
import json
import socket
from pathlib import Path

from guest_agent import Agent

MARK = b"\xff"


class AgentSocket:
    """Hands what a client sends to an agent, whose answers it sends back as lines."""

    def __init__(self, path: Path, agent: Agent | None = None) -> None:
        self.path = path
        self.agent = agent or Agent()
        self.first = b""  # sent before anything is asked
        self.raw: bytes | None = None  # instead of each answer
        self.ends = False  # hang up instead of answering
        self.clients = 0  # how many there were
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> "AgentSocket":
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        listening.bind(str(self.path))
        listening.listen(1)
        self._serving = asyncio.create_task(self._serve(listening))
        return self

    async def stop(self) -> None:
        assert self._serving is not None
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)

    async def _serve(self, listening: socket.socket) -> None:
        with listening:
            while True:
                connection, _ = await asyncio.get_running_loop().sock_accept(listening)
                self.clients += 1
                reader, writer = await asyncio.open_connection(sock=connection)
                try:
                    await self._talk(reader, writer)
                except ConnectionError:
                    pass
                finally:
                    writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.first)
        while line := await reader.readline():
            request = json.loads(line.rpartition(MARK)[2])
            if request["execute"] == "guest-sync-delimited":
                # Its parser is not told of the mark: it complains, and then answers.
                writer.write(b'{"error": {"class": "GenericError", "desc": "JSON parse error"}}\n')
                writer.write(MARK + json.dumps({"return": request["arguments"]["id"]}).encode() + b"\n")
            elif self.ends:
                return
            else:
                answer = (await self.agent.ask(json.dumps(request))).encode() + b"\n"
                writer.write(answer if self.raw is None else self.raw)
            await writer.drain()
