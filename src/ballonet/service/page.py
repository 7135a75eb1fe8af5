"""The page in a browser: what each of its addresses answers. It is drawn by `show.page`."""

import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ballonet.errors import BallonetError, NoSuchGuestError
from ballonet.extras import remedy
from ballonet.facts.happening import Kind
from ballonet.service.events import Question
from ballonet.service.facade import Service

if TYPE_CHECKING:
    from ballonet.show.page.render import Pages

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "LICENSE": "text/plain; charset=utf-8",
}
_MOST_EVENTS = 1000  # on the page of events
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@cache
def _pages() -> "Pages":
    """Read the templates: 4 MB of memory that a service does without that nobody looks at."""
    try:
        from ballonet.show.page.render import Pages  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise BallonetError(
            f"the page needs {error.name}, which is not installed", hint=remedy("service")
        ) from error
    return Pages()


def _page(draw: Callable[[Service, Request], Awaitable[str]]) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler that answers what is drawn, and draws what went wrong."""

    async def handle(request: Request) -> Response:
        status, headers = HTTPStatus.OK, _HEADERS
        try:
            text = await draw(request.app.state.service, request)
        except BallonetError as error:
            text = _pages().failure(error.message, error.hint or "see: journalctl -u ballonet")
            if isinstance(error, NoSuchGuestError):
                status = HTTPStatus.NOT_FOUND
            else:
                status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {**_HEADERS, "Refresh": "3"}
        return Response(text, status, headers, media_type="text/html")

    return handle


async def _overview(service: Service, _: Request) -> str:
    from ballonet.show.page.views import SHOWN_EVENTS  # noqa: PLC0415 - with the templates

    found = await service.events(Question(limit=SHOWN_EVENTS), None)
    return _pages().overview(service.overview(), found.events)


async def _guest(service: Service, request: Request) -> str:
    why = await service.why(request.path_params["guest"])
    return _pages().guest(why, service.overview())


async def _events(service: Service, request: Request) -> str:
    asked = {name: request.query_params.get(name, "")[:256] for name in ("guest", "kind", "text")}
    kinds = [asked["kind"]] if asked["kind"] in set(Kind) else None
    try:
        found = await service.events(
            Question(kinds=kinds, limit=_MOST_EVENTS), asked["guest"].strip() or None
        )
    except NoSuchGuestError:  # a filter may find nothing
        return _pages().events([], asked)
    words = asked["text"].strip().casefold()
    fitting = [each for each in found.events if words in f"{each.name or ''} {each.sentence}".casefold()]
    return _pages().events(fitting, asked)


async def _static(request: Request) -> Response:
    content = _assets().get(request.path_params["name"])
    if content is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    text, kind, tag = content
    headers = {**_HEADERS, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(text, HTTPStatus.OK, headers, media_type=kind)


@cache
def _assets() -> dict[str, tuple[bytes, str, str]]:
    """Return what the page is made of, by name, with its type and a word that changes with it."""
    found = {}
    for file in (files("ballonet.show.page") / "static").iterdir():
        text = file.read_bytes()
        kind = _TYPES[file.name.rpartition(".")[2]]
        found[file.name] = (text, kind, f'"{hashlib.sha256(text).hexdigest()[:16]}"')
    return found


# A page of 100 guests is a tenth of its size then, for a millisecond of the processor.
_SMALLER: Final = (Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5),)
ROUTES: Final = tuple(
    Route(path, handler, middleware=_SMALLER)
    for path, handler in (
        ("/", _page(_overview)),
        ("/guest/{guest:path}", _page(_guest)),
        ("/events", _page(_events)),
        ("/static/{name}", _static),
    )
)
