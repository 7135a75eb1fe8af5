"""The API on TCP, for browsers and Prometheus of this host: off unless settings name an address."""

import contextlib
import errno
import socket
from collections.abc import Iterator

from starlette.types import ASGIApp

from ballonet.errors import BallonetError, NotPermittedError
from ballonet.facts.address import Address
from ballonet.service.gate import Gate
from ballonet.service.guarded import TcpProtocol
from ballonet.service.serving import Serving


class WebServer:
    """Serves an application to this host, changes to who has the token."""

    def __init__(self, app: ASGIApp, address: Address, token: str) -> None:
        self.address = address
        self._app, self._token = app, token
        self._serving: Serving | None = None

    async def start(self) -> None:
        """Serve from now on; raises `NotPermittedError` without the rights, else `BallonetError`."""
        with _failures(self.address):
            listener = _listener(self.address)
        self.address = Address(self.address.host, listener.getsockname()[1])
        self._serving = Serving(Gate(self._app, self.address, self._token), TcpProtocol)
        await self._serving.start(listener)

    async def stop(self) -> None:
        """End what is under way, within some seconds."""
        if self._serving is not None:
            await self._serving.stop()


def _listener(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with contextlib.ExitStack() as undo:
        # Where the protocol is named asyncio sends each part of an answer at once (TCP_NODELAY); else each
        # answer waited 40 ms for the browser's late acknowledgement of its first part.
        listener = undo.enter_context(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # at once after a restart
        listener.bind(address)
        undo.pop_all()
    return listener


@contextlib.contextmanager
def _failures(address: Address) -> Iterator[None]:
    """Raise what the system says of an address in our own words."""
    try:
        yield
    except OSError as error:
        what = f"nothing can be served on {address}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            raise BallonetError(what, hint="name another port: --web 127.0.0.1:PORT") from error
        # systemd's RestrictAddressFamilies= makes it seem that the kernel knows no such addresses.
        hint = "a port above 1023; under systemd, with the unit's drop-in ballonet.service.d/web.conf"
        if isinstance(error, PermissionError):
            raise NotPermittedError(what, hint=hint) from error
        raise BallonetError(what, hint=hint) from error
