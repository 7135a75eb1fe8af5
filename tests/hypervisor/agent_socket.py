"""An agent behind a socket, as QEMU gives a guest one: one client at a time, sending whatever it likes."""

import asyncio
import json
from pathlib import Path

from guest_agent import Agent
from one_client import OneClient

MARK = b"\xff"


class AgentSocket(OneClient):
    """Hands what a client sends to an agent, whose answers it sends back as lines."""

    def __init__(self, path: Path, agent: Agent | None = None) -> None:
        super().__init__(path)
        self.agent = agent or Agent()
        self.first = b""  # sent before anything is asked
        self.ends = False  # hang up instead of answering

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
