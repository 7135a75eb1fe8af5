"""The way to an agent in a guest without libvirt: the socket of the port that its QEMU gave it.

It takes one client at a time, so it is connected to for one question and left: a backup that freezes file
systems, or a person, has it in between. Whoever was there before may have left half an answer in the line.
"""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from ballonet.hypervisor.agent import LONGEST, Ask, nonsense
from ballonet.hypervisor.qmp import failures, process

# For one answer. An agent that nobody was connected to looks for requests ten times a second; a guest that
# thrashes answers late.
ANSWER_SECONDS: Final = 2.0
SKIPPED_BYTES: Final = 1 << 20  # of what is no answer to us; who sends more is heard another time
_MARK: Final = b"\xff"  # stands in no JSON: what came before it is forgotten, by the agent and by us


@asynccontextmanager
async def talking(path: str, qemu: int | None) -> AsyncIterator[Ask]:
    """Yield what asks the agent behind a socket at which this process listens; raises `BallonetError`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as connection:
        try:
            connection.connect(path)  # at once, or not at all: BlockingIOError where others wait for it
        except OSError as error:
            raise failures.unreachable_agent(path, error) from error
        # QEMU says where it listens, and a guest that broke into it would say that of anybody's socket.
        if process.listener(connection) != qemu:
            raise failures.foreign_agent(path)
        reader, writer = await asyncio.open_connection(sock=connection, limit=LONGEST)
        try:
            yield _Line(path, reader, writer).ask
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


class _Line:
    """A connection to an agent, whose answers come in the order of the requests."""

    def __init__(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer
        self._agreed = False  # the next line is the answer to the next request

    async def ask(self, words: str) -> str:
        """Return the agent's answer to one request, both JSON; raises `HypervisorError`, and in time."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if not self._agreed:
                    await self._agree()
                self._agreed = False
                self._writer.write(f"{words}\n".encode())
                line = await self._reader.readuntil()
                self._agreed = True
        except TimeoutError as error:
            raise failures.silent_agent(self._path, ANSWER_SECONDS) from error
        except (EOFError, OSError) as error:
            raise failures.lost_agent(self._path) from error
        except asyncio.LimitOverrunError as error:
            raise nonsense() from error
        return line.decode("utf-8", "replace")

    async def _agree(self) -> None:
        """Skip what is not for us: all before the answer to a number that nobody else sent."""
        number = random.getrandbits(31)
        request = {"execute": "guest-sync-delimited", "arguments": {"id": number}}
        self._writer.write(_MARK + json.dumps(request).encode() + b"\n")
        skipped = 0
        while skipped <= SKIPPED_BYTES:
            try:
                line = await self._reader.readuntil()
            except asyncio.LimitOverrunError as error:
                line = await self._reader.readexactly(error.consumed)
            skipped += len(line)
            marked, said = line.rpartition(_MARK)[1:]
            if marked and _number(said) == number:
                return
        raise nonsense()


def _number(said: bytes) -> object:
    """Return what an answer returns; None for what is none."""
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        return None
    return answer.get("return") if isinstance(answer, dict) else None
