"""qemu.qmp's client as it is used here, and whether there is one: it is an extra."""

from collections.abc import Mapping, Sequence

from ballonet.errors import HypervisorError
from ballonet.extras import remedy

try:
    from qemu.qmp import (
        ConnectError,
        EventListener,
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


class Client(QMPClient):
    """A client that does without what costs most of its time where hundreds are asked at once.

    That is: each message in print for a log that nobody reads, and three texts made of each command.
    """

    def __init__(self) -> None:
        super().__init__(readbuflen=LONGEST_BYTES)

    def _cb_outbound(self, msg: Message) -> Message:
        return msg

    def _cb_inbound(self, msg: Message) -> Message:
        return msg

    async def ask_all(self, commands: Sequence[Mapping[str, object]]) -> list[object]:
        """Return the answers to commands that are sent together; None for one that is refused.

        Raises QMPError where the connection ended, or ends meanwhile.
        """
        if self.runstate is not Runstate.RUNNING:  # nobody would ever answer
            raise StateError("not connected", self.runstate, Runstate.RUNNING)
        sent = [self._get_exec_id() for _ in commands]
        try:
            for name, command in zip(sent, commands, strict=True):
                await self._issue(Message({**command, "id": name}, eager=False))
            return [(await self._reply(name)).get("return") for name in sent]
        finally:
            for name in sent:
                self._pending.pop(name, None)
