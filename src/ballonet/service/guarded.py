"""uvicorn's connection, guarded: only those who may, no more than so many, and nobody who dawdles."""

import asyncio
import socket
from http import HTTPStatus
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ballonet.errors import BallonetError, NotPermittedError, UsageError
from ballonet.service.failing import failure_json
from ballonet.service.peer import Peer

MOST_CONNECTIONS = 64  # a browser opens six to load a page, and keeps one
LINGER_SECONDS = 1.0  # so long may a peer that is refused take to read why
READ_SECONDS = 30.0  # so long may a peer leave what it was sent unread, once 64 KiB wait for it
REQUEST_SECONDS = 10.0  # from a request's first byte to its last, or to the first from connecting on


class GuardedProtocol(H11Protocol):
    """Hands who asks to the handlers, as `request.state.who`, and on what, as `request.state.over_tcp`."""

    over_tcp: ClassVar[bool]
    request_seconds: ClassVar[float] = REQUEST_SECONDS
    read_seconds: ClassVar[float] = READ_SECONDS

    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let a peer in, or tell it why not."""
        super().connection_made(transport)
        try:
            who = self.who(transport)
        except NotPermittedError as error:
            self._refuse(HTTPStatus.FORBIDDEN, error)
            return
        if len(self.connections) > MOST_CONNECTIONS:
            busy = BallonetError(
                f"{MOST_CONNECTIONS} connections are open already",
                hint="try again in a moment; each `ballonet events -f` keeps one open",
            )
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, busy)
        else:
            self.app_state = {**self.app_state, "who": who, "over_tcp": self.over_tcp}
            self._await()

    def who(self, transport: asyncio.Transport) -> str:
        """Return who connected; raises NotPermittedError for who may not."""
        raise NotImplementedError

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request; the whole of it is due soon."""
        if self._refused or self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state in {h11.IDLE, h11.SEND_BODY}:
            self._await()
        else:
            self._came()

    def pause_writing(self) -> None:
        """Give a peer that reads nothing some time, and then up: its connection is somebody else's."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it reads again."""
        self._reads()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._came()
        self._reads()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, UsageError(msg, hint="it speaks HTTP/1.1"))

    def _await(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.request_seconds, self._late)

    def _came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _reads(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _late(self) -> None:
        late = f"no whole request came within {self.request_seconds:.0f} s"
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, UsageError(late, hint="send it faster"))

    def _refuse(self, status: HTTPStatus, error: BallonetError) -> None:
        """Answer with a failure, unless an answer is under way, and close.

        Closed at once, with what the peer sends on unread, the answer might not reach it: the kernel would
        reset the connection.
        """
        self._came()
        self._refused = True
        self.connections.discard(self)
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            body = failure_json(error).encode()
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            head = h11.Response(status_code=status, headers=headers, reason=status.phrase.encode())
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.close)


class SocketProtocol(GuardedProtocol):
    """A connection to the unix socket: of root, the service's own user, and the members of a group."""

    over_tcp = False
    group_id: ClassVar[int]  # whose members may connect

    def who(self, transport: asyncio.Transport) -> str:
        """Return the peer's user."""
        peer = _peer(transport)
        if peer is None or not peer.may(self.group_id):
            raise NotPermittedError(
                f"{'this user' if peer is None else peer.name} may not use this socket",
                hint="as root: usermod -aG GROUP USER, with the group that ls -l shows for the socket",
            )
        return peer.name


class TcpProtocol(GuardedProtocol):
    """A connection over TCP: of anybody on this host, whose requests the gate judges."""

    over_tcp = True

    def who(self, transport: asyncio.Transport) -> str:  # noqa: ARG002
        """Return what stands for a user: the kernel tells none."""
        return "web"


def _peer(transport: asyncio.Transport) -> Peer | None:
    """Return who connected; None where the kernel does not tell: nobody then."""
    connection: socket.socket = transport.get_extra_info("socket")
    try:
        return Peer.of(connection)
    except OSError:
        return None
