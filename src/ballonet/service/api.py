"""HTTP and JSON around the service: what each route takes and answers, and one shape for all that goes wrong.

Starlette and pydantic alone: FastAPI, which would spare `openapi.py`, takes 7 MB of a service that is to stay
below 80.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ballonet.errors import NotPermittedError, UsageError
from ballonet.facts.happening import Kind
from ballonet.service import models
from ballonet.service.events import Question
from ballonet.service.facade import Service
from ballonet.service.failing import HANDLERS, BodyLimit
from ballonet.service.openapi import document
from ballonet.service.operation import JSON, LINES, STREAM, Operation
from ballonet.service.page import ROUTES
from ballonet.service.span import HistoryAsked, ReportAsked, SparklinesAsked
from ballonet.service.stream import StreamAsked, messages

if TYPE_CHECKING:
    from ballonet.show.metrics import Exposition

_Asked = TypeVar("_Asked", bound=models.Asked)
_Answer = TypeVar("_Answer", bound=models.Answer)
_Query = TypeVar("_Query", bound=BaseModel)
_Valid = TypeVar("_Valid")


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
            kinds=self.kind or None,
            limit=self.limit,
        )


# --- routes ----------------------------------------------------------------------------------------------


def _get(
    path: str, answer: type[models.Answer], does: Callable[[Service], models.Answer], about: str
) -> Operation:
    async def handle(request: Request) -> Response:
        return _answer(does(_service(request)))

    return Operation("GET", path, about, answer, handle)


def _post(
    path: str,
    asked: type[_Asked],
    answer: type[models.Answer],
    does: Callable[[Service, _Asked, str], Awaitable[models.Answer]],
    about: str,
    *,
    waits: bool = False,  # the client may go before it is done: then nobody wants it
) -> Operation:
    async def handle(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a body is {JSON}, and says so")
        content = await request.body()
        body = _valid("body", lambda: asked.model_validate_json(content))
        answered = does(_service(request), body, request.state.who)
        return _answer(await (_while_there(request, answered) if waits else answered))

    return Operation("POST", path, about, answer, handle, body=asked)


async def _while_there(request: Request, answered: Awaitable[_Answer]) -> _Answer:
    """Return the answer to a whole request; if the client goes before, cancel it."""
    answering = asyncio.ensure_future(answered)
    going = asyncio.create_task(_gone_from(request))
    going.add_done_callback(lambda _: answering.cancel())
    try:
        return await answering
    except asyncio.CancelledError as error:
        if going.done():
            raise ClientDisconnect from error
        raise
    finally:
        going.cancel()


async def _gone_from(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _why(request: Request) -> Response:
    return _answer(await _service(request).why(_named(request, "guest")))


async def _drop_room(request: Request) -> Response:
    return _answer(_service(request).drop_room(_named(request, "lease")))


async def _guest_history(request: Request) -> Response:
    asked = _query(request, HistoryAsked)
    return _answer(await _service(request).guest_history(_named(request, "guest"), asked))


async def _host_history(request: Request) -> Response:
    return _answer(await _service(request).host_history(_query(request, HistoryAsked)))


async def _sparklines(request: Request) -> Response:
    return _answer(await _service(request).sparklines(_query(request, SparklinesAsked)))


async def _report(request: Request) -> Response:
    return _answer(await _service(request).report(_query(request, ReportAsked)))


async def _events(request: Request) -> Response:
    asked = _query(request, EventsAsked, several="kind")
    if asked.follow:
        followed = await _service(request).follow(asked.question(), asked.guest)
        return StreamingResponse(_lines(followed), media_type=LINES)
    return _answer(await _service(request).events(asked.question(), asked.guest))


async def _lines(followed: AsyncIterator[models.Event]) -> AsyncIterator[str]:
    async for event in followed:
        yield event.model_dump_json() + "\n"


async def _stream(request: Request) -> Response:
    asked = _valid("query", lambda: StreamAsked.model_validate(dict(request.query_params)))
    resumed = request.headers.get("last-event-id", "")
    after = int(resumed) if resumed.isascii() and resumed.isdigit() else asked.after
    at_once = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # also through a proxy
    return StreamingResponse(messages(_service(request), after), media_type=STREAM, headers=at_once)


async def _token(request: Request) -> Response:
    if request.state.over_tcp:
        raise NotPermittedError("the token is told on the socket only", hint="on this host: ballonet token")
    return _answer(_service(request).token())


async def _ready(request: Request) -> Response:
    readiness = _service(request).readiness()
    return _answer(readiness, HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE)


OPERATIONS = (
    _get("/v1/status", models.Status, Service.status, "What the service is doing."),
    _get("/v1/plan", models.Plan, Service.plan, "The last decision, guest by guest."),
    _get(
        "/v1/overview",
        models.Overview,
        Service.overview,
        "All that a screen shows: the host, and a row a guest.",
    ),
    Operation(
        "GET",
        "/v1/guests/{guest:path}/why",
        "Why a guest has the size that it has.",
        models.Why,
        _why,
    ),
    Operation(
        "GET",
        "/v1/events",
        "What happened; with `follow`, one event a line until the client goes.",
        models.Events,
        _events,
        query=EventsAsked,
        lines=models.Event,
    ),
    Operation(
        "GET",
        "/v1/stream",
        "Server-sent events until the client goes: the overview after each tick, and what happens.",
        models.Overview,
        _stream,
        query=StreamAsked,
        streamed={"overview": models.Overview, "happened": models.Event},
    ),
    Operation(
        "GET",
        "/v1/guests/{guest:path}/history",
        "What a guest had and did over time, also one that is gone.",
        models.GuestHistory,
        _guest_history,
        query=HistoryAsked,
    ),
    Operation(
        "GET",
        "/v1/history",
        "What the host had over time, and its guests together.",
        models.HostHistory,
        _host_history,
        query=HistoryAsked,
    ),
    Operation(
        "GET",
        "/v1/sparklines",
        "Every guest's size over time, in a few values.",
        models.Sparklines,
        _sparklines,
        query=SparklinesAsked,
    ),
    Operation(
        "GET",
        "/v1/report",
        "What it came to: memory given back, what that cost, and what could be set better.",
        models.Report,
        _report,
        query=ReportAsked,
    ),
    _get("/v1/holds", models.Holds, Service.holds, "Who is left as they are."),
    _get(
        "/v1/room", models.Room, Service.room, "What is kept free for guests to come, and how much could be."
    ),
    _post(
        "/v1/pause", models.PauseAsked, models.Hold, Service.pause, "Leave a guest, or everybody, as it is."
    ),
    _post(
        "/v1/resume",
        models.ResumeAsked,
        models.Holds,
        Service.resume,
        "End what a guest, or everybody, is held for; what ended is answered.",
    ),
    _post(
        "/v1/release",
        models.ReleaseAsked,
        models.Holds,
        Service.release,
        "Give a guest, or all of them, all memory back that is free, and hold it so.",
    ),
    _post("/v1/set", models.SetAsked, models.Hold, Service.set, "Have a guest resized, and held so."),
    _post(
        "/v1/room",
        models.RoomAsked,
        models.Lease,
        Service.make_room,
        "Free host memory for a guest to come, wait until it is free, and keep it so; who hangs up before "
        "that gives it up.",
        waits=True,
    ),
    Operation("DELETE", "/v1/room/{lease}", "End a lease.", models.Lease, _drop_room),
    Operation(
        "GET",
        "/v1/token",
        "Where this is served on TCP, and the token that changes need there; told on the socket only.",
        models.Token,
        _token,
    ),
    _get("/-/healthy", models.Health, lambda _: models.Health(), "Answers while the process lives."),
    Operation(
        "GET",
        "/-/ready",
        "Whether the guests were looked at a moment ago; 503 if not.",
        models.Readiness,
        _ready,
    ),
)


# --- what handlers share ---------------------------------------------------------------------------------


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _answer(answer: models.Answer, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(answer.model_dump_json(), status, media_type=JSON)


def _query(request: Request, asked: type[_Query], several: str = "") -> _Query:
    """Return what a query asks; only the value named `several` may be given more than once."""
    given = {name: request.query_params.getlist(name) for name in request.query_params}
    plain = {
        name: values if name == several or len(values) > 1 else values[0] for name, values in given.items()
    }
    return _valid("query", lambda: asked.model_validate(plain))


def _named(request: Request, what: str) -> str:
    """Return the guest or lease that a path names."""
    return _valid("path", lambda: TypeAdapter(models.Reference).validate_python(request.path_params[what]))


def _valid(where: str, read: Callable[[], _Valid]) -> _Valid:
    """Return what was read; raises `UsageError` with the first place that is wrong, and how."""
    try:
        return read()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join([where, *(str(part)[:64] for part in first["loc"])])
        raise UsageError(
            f"{place}: {models.said(first['msg'])}",
            hint="sizes are whole numbers in …_bytes, durations numbers in …_seconds: see /openapi.json",
        ) from error


# --- the application -------------------------------------------------------------------------------------


async def _contract(_: Request) -> Response:
    return Response(document(OPERATIONS), media_type=JSON)


async def _metrics(request: Request) -> Response:
    state = request.app.state
    if state.metrics is None:
        state.metrics = _exposition(state.service)
    return Response(state.metrics.text(), media_type=state.metrics.content_type)


def _exposition(service: Service) -> "Exposition":
    """Return what is scraped: 1.3 MB of memory that a service does without that nobody scrapes."""
    from ballonet.show.metrics import Exposition, Seen  # noqa: PLC0415

    def seen() -> Seen:
        return Seen(
            service.status(),
            service.engines,
            service.counts,
            service.timeouts,
            compat=service.compat_metrics,
        )

    return Exposition(seen)


def make_app(service: Service) -> Starlette:
    """Return the application around a service."""
    app = Starlette(
        routes=[
            *(Route(each.path, each.does, methods=[each.method]) for each in OPERATIONS),
            Route("/openapi.json", _contract),
            Route("/metrics", _metrics),
            *ROUTES,
        ],
        middleware=[Middleware(BodyLimit)],
        exception_handlers=HANDLERS,
    )
    app.router.redirect_slashes = False
    app.state.service = service
    app.state.metrics = None  # until they are asked for
    return app
