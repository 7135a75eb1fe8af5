"""One shape for all that goes wrong with a request, and how HTTP calls it."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ballonet.errors import (
    BallonetError,
    DeadlineError,
    HypervisorError,
    JournalError,
    NoSuchGuestError,
    NoSuchLeaseError,
    NotPermittedError,
    NotReachedError,
    NotReadyError,
    NotRunningError,
    RefusedError,
    UsageError,
)
from ballonet.service.models import Failure
from ballonet.service.operation import JSON

MOST_BODY_BYTES = 64 * 1024

# The first class of an error that stands here says how HTTP calls it.
_STATUS = {
    DeadlineError: HTTPStatus.GATEWAY_TIMEOUT,
    HypervisorError: HTTPStatus.BAD_GATEWAY,
    JournalError: HTTPStatus.INSUFFICIENT_STORAGE,
    NoSuchLeaseError: HTTPStatus.NOT_FOUND,
    UsageError: HTTPStatus.BAD_REQUEST,
    NotRunningError: HTTPStatus.SERVICE_UNAVAILABLE,
    NotReadyError: HTTPStatus.SERVICE_UNAVAILABLE,
    NoSuchGuestError: HTTPStatus.NOT_FOUND,
    RefusedError: HTTPStatus.CONFLICT,
    NotReachedError: HTTPStatus.GATEWAY_TIMEOUT,
    NotPermittedError: HTTPStatus.FORBIDDEN,
    BallonetError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def failure_json(error: BallonetError) -> str:
    """Return a failure in the one shape that all have."""
    hint = error.hint or "see: journalctl -u ballonet"
    return Failure(error=error.message, hint=hint, exit_code=error.exit_code).model_dump_json()


def failure(status: int, error: BallonetError, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that says it."""
    return Response(failure_json(error), status, headers, media_type=JSON)


async def _failed(_: Request, error: Exception) -> Response:
    """Answer what the service refuses, or fails at."""
    known = error if isinstance(error, BallonetError) else BallonetError(str(error))
    status = next(status for kind, status in _STATUS.items() if isinstance(known, kind))
    return failure(status, known)


async def _no_route(request: Request, error: Exception) -> Response:
    """Answer what no route is there for, and what HTTP itself refuses."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    place = request.scope["path"][:256]
    what = {
        HTTPStatus.NOT_FOUND: f"there is no {place}",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{place} does not take {request.method}",
    }.get(HTTPStatus(status), getattr(error, "detail", str(error)))
    hint = "all routes, and what they take: GET /openapi.json"
    return failure(status, UsageError(what, hint=hint), getattr(error, "headers", None))


async def _gone(_: Request, __: Exception) -> Response:
    """Answer nobody: the client went before its request was whole."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _unexpected(_: Request, error: Exception) -> Response:
    """Answer what nobody foresaw: a defect of ours, which is logged where the server runs."""
    defect = BallonetError(
        f"this should not have happened: {type(error).__name__}",
        hint="report what the service logged: journalctl -u ballonet",
    )
    return failure(HTTPStatus.INTERNAL_SERVER_ERROR, defect)


HANDLERS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    BallonetError: _failed,
    HTTPException: _no_route,
    ClientDisconnect: _gone,
    Exception: _unexpected,
}


class BodyLimit:
    """Takes no more of a body than any request needs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; HTTPException where its body is too large."""
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BODY_BYTES:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {MOST_BODY_BYTES} bytes"
                )
            return message

        await self._app(scope, limited, send)
