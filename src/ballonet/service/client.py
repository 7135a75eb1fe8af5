"""What commands ask the service with: HTTP over its unix socket."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from pydantic import ValidationError

from ballonet.errors import (
    BallonetError,
    NoSuchGuestError,
    NotPermittedError,
    NotReachedError,
    NotRunningError,
    RefusedError,
    UsageError,
)
from ballonet.service.models import Answer, Asked, Event, Failure, said
from ballonet.service.place import socket_path

ANSWER_SECONDS = 10.0  # a service answers within milliseconds, unless it is asked to wait

_Model = TypeVar("_Model", bound=Answer)
_Asked = TypeVar("_Asked", bound=Asked)
_BY_EXIT_CODE = {
    kind.exit_code: kind
    for kind in (
        BallonetError,
        UsageError,
        NotRunningError,
        NoSuchGuestError,
        RefusedError,
        NotReachedError,
        NotPermittedError,
    )
}


def guest_path(reference: str, question: str) -> str:
    """Return the route of a question about a guest."""
    return f"/v1/guests/{quote(reference, safe='')}/{question}"


def lease_path(lease_id: str) -> str:
    """Return the route of a lease."""
    return f"/v1/room/{quote(lease_id, safe='')}"


def asked(kind: type[_Asked], **fields: object) -> _Asked:
    """Return a request of what a user gave; raises `UsageError` where the service would refuse it."""
    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])).removesuffix("_bytes").removesuffix("_seconds")
        raise UsageError(f"{place}: {said(first['msg'])}", hint="see the command's --help") from error


class Client:
    """Asks the service; every failure is a `BallonetError` with the exit code that the service gave it."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or socket_path()

    def get(
        self,
        kind: type[_Model],
        route: str,
        query: Mapping[str, Any] | None = None,
        *,
        wait_seconds: float = 0.0,
    ) -> _Model:
        """Return an answer that may take so long."""
        with self._request("GET", _with(route, query), seconds=ANSWER_SECONDS + wait_seconds) as response:
            return _read(kind, response.read())

    def post(self, kind: type[_Model], route: str, asked: Asked, *, wait_seconds: float = 0.0) -> _Model:
        """Have something done that may take so long."""
        body = asked.model_dump_json(exclude_none=True)
        with self._request("POST", route, body, ANSWER_SECONDS + wait_seconds) as response:
            return _read(kind, response.read())

    def delete(self, kind: type[_Model], route: str) -> _Model:
        """Have something ended."""
        with self._request("DELETE", route) as response:
            return _read(kind, response.read())

    def follow(self, query: Mapping[str, Any]) -> Iterator[Event]:
        """Yield events as they come; raises `NotRunningError` when the service ends."""
        with self._request("GET", _with("/v1/events", {**query, "follow": "true"}), patient=True) as lines:
            for line in lines:
                yield _read(Event, line)
        raise NotRunningError("the service has ended", hint="start it: systemctl start ballonet")

    @contextmanager
    def _request(
        self,
        method: str,
        route: str,
        body: str | None = None,
        seconds: float = ANSWER_SECONDS,
        *,
        patient: bool = False,
    ) -> Iterator[HTTPResponse]:
        connection = _UnixConnection(self.path, seconds)
        try:
            with _failures(self.path):
                headers = {"Content-Type": "application/json"} if body is not None else {}
                with suppress(BrokenPipeError):  # it was refused before it was read: the answer says why
                    connection.request(method, route, body, headers)
                response = connection.getresponse()
                if response.status >= 400:
                    raise _error(response.read())
                if patient and connection.sock is not None:
                    connection.sock.settimeout(None)
                yield response
        finally:
            connection.close()


class _UnixConnection(HTTPConnection):
    """HTTP to a path instead of a host."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(self._path))


def _with(route: str, query: Mapping[str, Any] | None) -> str:
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{route}?{urlencode(given, doseq=True)}" if given else route


def _read(kind: type[_Model], content: bytes) -> _Model:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise BallonetError(
            "the service answers in other words than this command knows: they are of different versions",
            hint="start it again: systemctl restart ballonet",
        ) from error


def _error(content: bytes) -> BallonetError:
    failure = _read(Failure, content)
    return _BY_EXIT_CODE.get(failure.exit_code, BallonetError)(failure.error, hint=failure.hint)


@contextmanager
def _failures(path: Path) -> Iterator[None]:
    """Raise what keeps the service from being asked in our own words."""
    try:
        yield
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotRunningError(
            f"no service answers on {path}",
            hint=f"start it: systemctl start ballonet, or ballonet run --socket {path}",
        ) from error
    except PermissionError as error:
        raise NotPermittedError(
            f"this user may not connect to {path}",
            hint="join the group that `ls -l` shows for it, or use sudo",
        ) from error
    except TimeoutError as error:
        raise BallonetError(
            f"the service on {path} does not answer", hint="see what it does: journalctl -u ballonet"
        ) from error
    except (OSError, HTTPException) as error:
        raise NotRunningError(
            f"the service on {path} broke off: {error or type(error).__name__}",
            hint="see why: journalctl -u ballonet",
        ) from error
