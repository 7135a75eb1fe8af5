"""HTTP and JSON around the service: routes, and one shape for all that goes wrong."""

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ballonet import __version__
from ballonet.errors import (
    BallonetError,
    DeadlineError,
    HypervisorError,
    JournalError,
    NoSuchGuestError,
    NoSuchLeaseError,
    NotPermittedError,
    NotReachedError,
    NotRunningError,
    RefusedError,
    UsageError,
)
from ballonet.facts.happening import Kind
from ballonet.service import models
from ballonet.service.facade import Question, Service

MOST_BODY_BYTES = 64 * 1024
LINES = "application/x-ndjson"

_DESCRIPTION = """The service's API, on its unix socket: curl --unix-socket /run/ballonet/ballonet.sock
http://localhost/v1/status

Sizes are integer bytes (`…_bytes`), durations seconds (`…_seconds`), times RFC 3339 in UTC; `null` is
unknown, never 0. Answers only ever gain fields; requests with a field that is not named here are refused."""

# The first class of an error that stands here says how HTTP calls it.
_STATUS = {
    DeadlineError: HTTPStatus.GATEWAY_TIMEOUT,
    HypervisorError: HTTPStatus.BAD_GATEWAY,
    JournalError: HTTPStatus.INSUFFICIENT_STORAGE,
    NoSuchLeaseError: HTTPStatus.NOT_FOUND,
    UsageError: HTTPStatus.BAD_REQUEST,
    NotRunningError: HTTPStatus.SERVICE_UNAVAILABLE,
    NoSuchGuestError: HTTPStatus.NOT_FOUND,
    RefusedError: HTTPStatus.CONFLICT,
    NotReachedError: HTTPStatus.GATEWAY_TIMEOUT,
    NotPermittedError: HTTPStatus.FORBIDDEN,
    BallonetError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


# --- what a handler gets ---------------------------------------------------------------------------------
# Handlers and what they depend on are coroutines, all of them: FastAPI runs others in threads, and the
# engine lives in one.


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _who(request: Request) -> str:
    """Return the user at the other end of the connection, as the server found out."""
    who: str = request.state.who
    return who


TheService = Annotated[Service, Depends(_service)]
Who = Annotated[str, Depends(_who)]


class EventsAsked(BaseModel):
    """Which events."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = Field(default=None, description="from then on")
    until: AwareDatetime | None = Field(default=None, description="before then")
    guest: models.Reference | None = None
    kind: list[Kind] = Field(default=[], description="only these kinds; may be given several times")
    limit: int = Field(default=1000, ge=1, le=10_000, description="the newest so many")
    follow: bool = Field(default=False, description=f"go on as events come, one a line: {LINES}")

    def question(self) -> Question:
        """Return it in the service's own words."""
        return Question(
            since=None if self.since is None else self.since.timestamp(),
            until=None if self.until is None else self.until.timestamp(),
            guest=self.guest,
            kinds=self.kind or None,
            limit=self.limit,
        )


# --- routes ----------------------------------------------------------------------------------------------

router = APIRouter(responses={"default": {"model": models.Failure, "description": "What went wrong"}})


@router.get("/v1/status")
async def status(service: TheService) -> models.Status:
    """Return what the service is doing."""
    return service.status()


@router.get("/v1/plan")
async def plan(service: TheService) -> models.Plan:
    """Return the last decision, guest by guest."""
    return service.plan()


@router.get("/v1/guests/{ref:path}/why")
async def why(service: TheService, ref: Annotated[models.Reference, Path()]) -> models.Why:
    """Return why a guest has the size that it has."""
    return await service.why(ref)


@router.get(
    "/v1/events",
    response_model=models.Events,
    responses={200: {"content": {LINES: {"schema": {"$ref": "#/components/schemas/Event"}}}}},
)
async def events(service: TheService, asked: Annotated[EventsAsked, Query()]) -> Any:  # noqa: ANN401
    """Return what happened; with `follow`, one event a line until the client goes."""
    if not asked.follow:
        return await service.events(asked.question())
    return StreamingResponse(_lines(await service.follow(asked.question())), media_type=LINES)


async def _lines(followed: AsyncIterator[models.Event]) -> AsyncIterator[str]:
    async for event in followed:
        yield event.model_dump_json() + "\n"


@router.get("/v1/holds")
async def holds(service: TheService) -> models.Holds:
    """Return who is held as they are."""
    return service.holds()


@router.get("/v1/room")
async def room(service: TheService) -> models.Room:
    """Return what is kept free for guests to come, and how much could be."""
    return service.room()


@router.post("/v1/pause")
async def pause(service: TheService, who: Who, asked: models.PauseAsked) -> models.Hold:
    """Leave a guest, or everybody, as it is."""
    return await service.pause(asked, who)


@router.post("/v1/resume")
async def resume(service: TheService, asked: models.ResumeAsked) -> models.Holds:
    """End what a guest, or everybody, is held for; return what ended."""
    return await service.resume(asked)


@router.post("/v1/release")
async def release(service: TheService, who: Who, asked: models.ReleaseAsked) -> models.Holds:
    """Give a guest, or all of them, all memory back that is free, and hold it so."""
    return await service.release(asked, who)


@router.post("/v1/set")
async def set_size(service: TheService, who: Who, asked: models.SetAsked) -> models.Hold:
    """Have a guest resized, and held so."""
    return await service.set(asked, who)


@router.post("/v1/room")
async def make_room(service: TheService, who: Who, asked: models.RoomAsked) -> models.Lease:
    """Free host memory for a guest to come, wait until it is free, and keep it so."""
    return await service.make_room(asked, who)


@router.delete("/v1/room/{lease_id}")
async def drop_room(service: TheService, lease_id: Annotated[models.Reference, Path()]) -> models.Lease:
    """End a lease."""
    return service.drop_room(lease_id)


@router.get("/-/healthy")
async def healthy() -> models.Health:
    """Answer: this process lives."""
    return models.Health()


@router.get("/-/ready", responses={503: {"model": models.Readiness, "description": "It is not"}})
async def ready(service: TheService, response: Response) -> models.Readiness:
    """Return whether the guests were looked at a moment ago."""
    readiness = service.readiness()
    response.status_code = HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE
    return readiness


# --- what goes wrong -------------------------------------------------------------------------------------


def failure(code: int, error: str, hint: str, exit_code: int) -> JSONResponse:
    """Return a failure in the one shape that all have."""
    content = models.Failure(error=error, hint=hint, exit_code=exit_code)
    return JSONResponse(content.model_dump(), status_code=code)


async def _failed(_: Request, error: BallonetError) -> JSONResponse:
    """Answer what the service refuses, or fails at."""
    code = next(code for kind, code in _STATUS.items() if isinstance(error, kind))
    return failure(code, error.message, error.hint, error.exit_code)


async def _malformed(_: Request, error: RequestValidationError) -> JSONResponse:
    """Answer a request that does not fit its model: the first field that is wrong, and how."""
    first = error.errors()[0]
    place = ".".join(str(part)[:64] for part in first["loc"])
    return failure(
        HTTPStatus.BAD_REQUEST,
        f"{place}: {models.said(first['msg'])}",
        "sizes are whole numbers in …_bytes, durations numbers in …_seconds: see docs/openapi.json",
        UsageError.exit_code,
    )


async def _no_route(request: Request, error: HTTPException) -> JSONResponse:
    """Answer what no route is there for, and what HTTP itself refuses."""
    place = request.scope["path"][:256]
    what, hint = {
        HTTPStatus.NOT_FOUND: (f"there is no {place}", "all routes: GET /openapi.json"),
        HTTPStatus.METHOD_NOT_ALLOWED: (f"{place} does not take {request.method}", "see GET /openapi.json"),
    }.get(HTTPStatus(error.status_code), (error.detail, f"a body is JSON, {MOST_BODY_BYTES} bytes at most"))
    response = failure(error.status_code, what, hint, UsageError.exit_code)
    response.headers.update(error.headers or {})
    return response


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    """Answer what nobody foresaw: a defect of ours, which is logged where the server runs."""
    return failure(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"this should not have happened: {type(error).__name__}",
        "report what the service logged: journalctl -u ballonet",
        BallonetError.exit_code,
    )


class _BodyLimit:
    """Takes no more of a body than any request needs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BODY_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
            return message

        await self._app(scope, limited, send)


def openapi_document() -> str:
    """Return what docs/openapi.json holds."""
    return json.dumps(make_app().openapi(), indent=2, ensure_ascii=False) + "\n"


def make_app(service: Service | None = None) -> FastAPI:
    """Return the application around a service; without one it only describes itself."""
    app = FastAPI(
        title="ballonet",
        version=__version__,
        description=_DESCRIPTION,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            BallonetError: _failed,
            RequestValidationError: _malformed,
            HTTPException: _no_route,
            Exception: _unexpected,
        },
    )
    app.state.service = service
    app.include_router(router)
    app.add_middleware(_BodyLimit)
    return app
