"""What a route of the API is, for those that serve it and for its contract."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from ballonet.service import models

JSON, LINES, STREAM = "application/json", "application/x-ndjson", "text/event-stream"


@dataclass(frozen=True, slots=True)
class Operation:
    """A route: what it is for, what it takes and answers, and what it does about a request."""

    method: str
    path: str  # as Starlette has it
    about: str
    answer: type[models.Answer]
    does: Callable[[Request], Awaitable[Response]]
    query: type[BaseModel] | None = None
    body: type[models.Asked] | None = None
    lines: type[models.Answer] | None = None  # what comes one a line where that is asked for
    streamed: Mapping[str, type[models.Answer]] | None = None  # server-sent events by name, and nothing else
