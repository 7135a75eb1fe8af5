"""Frames of a service that runs: it is asked once a second, from a thread, as its client waits."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from ballonet.errors import BallonetError
from ballonet.service.client import Client, asked, guest_path
from ballonet.service.models import (
    Answer,
    Asked,
    Event,
    Events,
    GuestHistory,
    Hold,
    Holds,
    Overview,
    PauseAsked,
    ReleaseAsked,
    ResumeAsked,
    SetAsked,
    Sparklines,
    Why,
)
from ballonet.show.terminal.source import MOST_EVENTS, Frame, Kept

_Kept = TypeVar("_Kept", bound=Answer)
POLL_SECONDS = 1.0  # an answer about 100 guests takes the service some 10 ms
_ROUTES: dict[type[Asked], tuple[str, type[Hold | Holds]]] = {
    PauseAsked: ("/v1/pause", Hold),
    ResumeAsked: ("/v1/resume", Holds),
    ReleaseAsked: ("/v1/release", Holds),
    SetAsked: ("/v1/set", Hold),
}


class Served(Kept):
    """A service, which may end and come back: then `next` raises, and goes on where it was."""

    paced = False

    def __init__(
        self, path: Path | None = None, *, read_only: str = "", poll_seconds: float = POLL_SECONDS
    ) -> None:
        super().__init__()
        self._client = Client(path)
        self._poll_seconds = poll_seconds
        self._asked_before = False
        self.title = str(self._client.path)
        self.read_only = read_only

    async def next(self) -> Frame | None:
        """Ask again after a second; where nothing was looked at since, the frame is the same one, anew."""
        if self._asked_before:
            await asyncio.sleep(self._poll_seconds)
        self._asked_before = True
        overview, events = await asyncio.to_thread(self._ask)
        return self.keep(overview, events)

    def _ask(self) -> tuple[Overview, Sequence[Event]]:
        overview = self._client.get(Overview, "/v1/overview")
        last = self.events[-1] if self.events else None
        since = None if last is None else last.at.isoformat()
        found = self._client.get(Events, "/v1/events", {"since": since, "limit": MOST_EVENTS}).events
        if found and last is not None and max(event.id for event in found) < last.id:
            return overview, found  # another service, which counts anew
        return overview, [event for event in found if last is None or event.id > last.id]

    async def why(self, uuid: str) -> Why:
        """Return why a guest has the size that it has now."""
        return await asyncio.to_thread(self._client.get, Why, guest_path(uuid, "why"))

    async def history(self, uuid: str, seconds: float, points: int) -> GuestHistory | None:
        """Return what the service keeps of a guest; None: nothing."""
        query = {"since": _ago(seconds), "points": points}
        found = await self._kept(GuestHistory, guest_path(uuid, "history"), query)
        return found if found is not None and found.at_seconds else None

    async def sparklines(self, seconds: float, points: int) -> Sparklines | None:
        """Return what the service keeps of all guests; None: nothing."""
        query = {"since": _ago(seconds), "points": points}
        return await self._kept(Sparklines, "/v1/sparklines", query)

    async def _kept(self, kind: type[_Kept], route: str, query: dict[str, object]) -> _Kept | None:
        """Return a history; None where the service keeps none, or this guest has none yet."""
        try:
            return await asyncio.to_thread(self._client.get, kind, route, query)
        except BallonetError:
            return None

    async def act(self, kind: type[Asked], **fields: object) -> Sequence[Hold]:
        """Have the service do something."""
        route, answers = _ROUTES[kind]
        answer = await asyncio.to_thread(self._client.post, answers, route, asked(kind, **fields))
        return answer.holds if isinstance(answer, Holds) else [answer]

    async def close(self) -> None:
        """Leave the service as it is."""


def _ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
