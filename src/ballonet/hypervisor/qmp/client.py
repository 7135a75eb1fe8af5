"""qemu.qmp's client as it is used here, and whether there is one: it is an extra."""

import asyncio
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from ballonet.errors import HypervisorError
from ballonet.extras import remedy

try:
    from qemu.qmp import (
        ConnectError,
        EventListener,
        ExecInterruptedError,
        ExecuteError,
        Message,
        QMPClient,
        QMPError,
        Runstate,
        StateError,
    )
except ImportError as error:
    raise HypervisorError("qemu.qmp is not installed", hint=remedy("qmp")) from error

__all__ = ["Client", "ConnectError", "EventListener", "ExecuteError", "Message", "QMPError", "Runstate"]

LONGEST_BYTES = 4 << 20  # of a line: the longest answer, of hundreds of disks, has some 500 KiB
_KEPT: Final = 4096  # commands in print: hundreds of guests are asked the same few


@lru_cache(maxsize=_KEPT)
def command(name: str, **arguments: str) -> str:
    """Return a command as JSON but for its end, where what is sent has an id of its own."""
    return json.dumps({"execute": name, **({"arguments": arguments} if arguments else {})})[:-1]


class _Together:
    """Commands that were sent together: `whole` is done when the last answer came, or none will."""

    def __init__(self, names: Sequence[str]) -> None:
        self.answers: dict[str, Message] = {}
        self.whole: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count = len(names)

    def take(self, name: str, answer: Message) -> None:
        """Take one answer in."""
        self.answers[name] = answer
        if len(self.answers) == self._count and not self.whole.done():
            self.whole.set_result(None)

    def end(self) -> None:
        """Take in that the connection ended."""
        if not self.whole.done():
            self.whole.set_exception(ExecInterruptedError("Disconnected"))


class Client(QMPClient):
    """A client that does without what costs most of its time where hundreds are asked at once.

    That is: each message in print for a log that nobody reads, three texts made of each command, and a turn
    of the loop for each command that goes and each answer that comes.
    """

    def __init__(self) -> None:
        super().__init__(readbuflen=LONGEST_BYTES)
        self._together: dict[object, _Together] = {}  # by the ids of commands

    def _cb_outbound(self, msg: Message) -> Message:
        return msg

    def _cb_inbound(self, msg: Message) -> Message:
        return msg

    async def ask_all(self, commands: Sequence[str]) -> list[object]:
        """Return the answers to commands (each from `command`) sent together; None for one that is refused.

        Raises QMPError where the connection ended, or ends meanwhile.
        """
        if self.runstate is not Runstate.RUNNING or self._writer is None:  # nobody would ever answer
            raise StateError("not connected", self.runstate, Runstate.RUNNING)
        sent = [self._get_exec_id() for _ in commands]
        together = _Together(sent)
        self._together.update(dict.fromkeys(sent, together))
        words = (f'{each}, "id": "{name}"}}' for name, each in zip(sent, commands, strict=True))
        try:
            self._writer.write("".join(words).encode())
            await together.whole
        finally:
            for name in sent:
                self._together.pop(name, None)
        return [together.answers[name].get("return") for name in sent]

    async def _on_message(self, msg: Message) -> None:
        name = msg.get("id")
        together = self._together.get(name)
        if together is None:
            await super()._on_message(msg)
        else:
            together.take(str(name), msg)

    async def _bh_disconnect(self) -> None:
        try:
            await super()._bh_disconnect()
        finally:
            for together in self._together.values():
                together.end()
