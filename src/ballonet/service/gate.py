"""What stands before the API on TCP, where any page in a browser on this host may send requests.

No user is known there. So only our own names for this address are answered, which a rebound DNS name is
not; other sites' pages neither change nor read anything; and who changes anything has the token.
"""

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ballonet.errors import NotPermittedError
from ballonet.facts.address import Address
from ballonet.service.failing import failure
from ballonet.service.operation import JSON

_READS: Final = frozenset({"GET", "HEAD"})
_SAID_BY_ALL: Final = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
_SCHEME: Final = "bearer "


class Gate:
    """Lets through what may reach an application that listens at an address."""

    def __init__(self, app: ASGIApp, address: Address, token: str) -> None:
        names = {str(address), *(f"{host}:{address.port}" for host in ("127.0.0.1", "localhost", "[::1]"))}
        if address.port == 80:  # as which no port is said
            names |= {name.removesuffix(":80") for name in names}
        self._app = app
        self._hosts = frozenset(names)
        self._origins = frozenset(f"http://{name}" for name in names)
        self._token = token.encode()
        self._usual = str(address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or say why not."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                _harden(MutableHeaders(scope=message))
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, told)
        else:
            status, error, headers = refusal
            await failure(status, error, headers)(scope, receive, told)

    def _refusal(
        self, method: str, headers: Headers
    ) -> tuple[HTTPStatus, NotPermittedError, Mapping[str, str]] | None:
        """Return why a request is not let through; None: it is."""
        if headers.get("host", "").lower() not in self._hosts:
            return _no(
                HTTPStatus.MISDIRECTED_REQUEST,
                "this is not the name of a host that is answered for here",
                f"ask for {self._usual}; behind a proxy, have it say so as Host",
            )
        if self._is_foreign(method, headers):
            return _no(
                HTTPStatus.FORBIDDEN,
                "another site's page may ask nothing here",
                f"open http://{self._usual}/ itself",
            )
        if method not in _READS and not self._has_token(headers):
            return _no(
                HTTPStatus.UNAUTHORIZED,
                "who changes anything here needs the token",
                "print it with `ballonet token`, and send it: Authorization: Bearer TOKEN",
                {"WWW-Authenticate": 'Bearer realm="ballonet"'},
            )
        return None

    def _is_foreign(self, method: str, headers: Headers) -> bool:
        """Return whether a browser says that another site's page asks; that one led here is no matter."""
        origins = headers.getlist("origin")
        if any(origin not in self._origins for origin in origins):
            return True
        if headers.get("sec-fetch-site") != "cross-site":
            return False
        visit = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
        return not (visit and method in _READS)

    def _has_token(self, headers: Headers) -> bool:
        said = headers.get("authorization", "")
        if not said.lower().startswith(_SCHEME):
            return False
        return hmac.compare_digest(said[len(_SCHEME) :].strip().encode(), self._token)


def _no(
    status: HTTPStatus, error: str, hint: str, headers: Mapping[str, str] | None = None
) -> tuple[HTTPStatus, NotPermittedError, Mapping[str, str]]:
    return status, NotPermittedError(error, hint=hint), headers or {}


def _harden(headers: MutableHeaders) -> None:
    """Have a browser take an answer for nothing else, tell nobody of it, and keep no JSON."""
    headers.update(_SAID_BY_ALL)
    if headers.get("content-type", "").startswith(JSON):
        headers["cache-control"] = "no-store"
