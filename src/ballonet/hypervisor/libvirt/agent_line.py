"""The way to agents in guests through libvirt.

It is a connection of its own: a daemon works at five requests of a client at a time, and while one call waits
for an agent that hangs, libvirt's client may send the next one late. No tick may wait for that.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from ballonet.errors import RefusedError
from ballonet.hypervisor.agent import Ask
from ballonet.hypervisor.libvirt.connection import Connection

try:
    import libvirt_qemu
except ImportError:  # as libvirt, an extra
    libvirt_qemu = None

# What libvirt waits for an answer, whole seconds; before each request it waits as long for a sign of life.
ANSWER_SECONDS: Final = 1
CALL_SECONDS: Final = 3.0
# A daemon works at five requests of a client at a time; one that hangs keeps one of them busy.
AT_ONCE, NEW_AT_ONCE = 3, 1


class AgentLine:
    """Hands requests to the agents in guests; connects when it is used first."""

    def __init__(self, uri: str, *, read_only: bool) -> None:
        self._read_only = read_only
        self._connection = Connection(
            uri, read_only=read_only, deadline_seconds=CALL_SECONDS, hears_events=False
        )

    @asynccontextmanager
    async def to(self, uuid: str) -> AsyncIterator[Ask]:
        """Yield what asks the agent of a guest."""
        yield partial(self._ask, uuid)

    async def _ask(self, uuid: str, words: str) -> str:
        """Return an agent's answer to one request, both JSON; raises `BallonetError`."""
        if self._read_only:
            raise RefusedError("no agent is asked over a read-only connection", hint="leave out --read-only")

        def call(raw: Any) -> str:
            domain = raw.lookupByUUIDString(uuid)
            return str(libvirt_qemu.qemuAgentCommand(domain, words, ANSWER_SECONDS, 0))

        return await self._connection.call(call, "asking its agent")

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()
