"""uvicorn's connection, guarded: only those who may, no more than so many, and nobody who dawdles."""

import asyncio
import socket
from http import HTTPStatus
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ballonet.errors import BallonetError, NotPermittedError, UsageError
from ballonet.service.models import Failure
from ballonet.service.peer import Peer

MOST_CONNECTIONS = 32
LINGER_SECONDS = 1.0  # so long may a peer that is refused take to read why
REQUEST_SECONDS = 10.0  # from a request's first byte to its last, or to the first from connecting on


class GuardedProtocol(H11Protocol):
    """Hands the peer's user to the handlers, as `request.state.who`."""

    group_id: ClassVar[int]  # whose members may connect
    request_seconds: ClassVar[float] = REQUEST_SECONDS

    _deadline: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let a peer in, or tell it why not."""
        super().connection_made(transport)
        peer = _peer(transport)
        if peer is None or not peer.may(self.group_id):
            self._refuse(
                HTTPStatus.FORBIDDEN,
                f"{'this user' if peer is None else peer.name} may not use this socket",
                "as root: usermod -aG GROUP USER, with the group that ls -l shows for the socket",
                NotPermittedError.exit_code,
            )
        elif len(self.connections) > MOST_CONNECTIONS:
            self._refuse(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{MOST_CONNECTIONS} connections are open already",
                "try again in a moment; each `ballonet events -f` keeps one open",
                BallonetError.exit_code,
            )
        else:
            self.app_state = {**self.app_state, "who": peer.name}
            self._await()

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request; the whole of it is due soon."""
        if self._refused or self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state in {h11.IDLE, h11.SEND_BODY}:
            self._await()
        else:
            self._came()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._came()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg, "it speaks HTTP/1.1", UsageError.exit_code)

    def _await(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.request_seconds, self._late)

    def _came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_TIMEOUT,
            f"no whole request came within {self.request_seconds:.0f} s",
            "send it faster",
            UsageError.exit_code,
        )

    def _refuse(self, status: HTTPStatus, error: str, hint: str, exit_code: int) -> None:
        """Answer with a failure, unless an answer is under way, and close.

        Closed at once, with what the peer sends on unread, the answer might not reach it: the kernel would
        reset the connection.
        """
        self._came()
        self._refused = True
        self.connections.discard(self)
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            body = Failure(error=error, hint=hint, exit_code=exit_code).model_dump_json().encode()
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


def _peer(transport: asyncio.Transport) -> Peer | None:
    """Return who connected; None where the kernel does not tell: nobody then."""
    connection: socket.socket = transport.get_extra_info("socket")
    try:
        return Peer.of(connection)
    except OSError:
        return None
