"""What the view is shown: frames of a service, a simulated host or a recording, all alike to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ballonet.service.models import Asked, Event, GuestHistory, GuestRow, Hold, Overview, Sparklines, Why

# A row is some 2 KB: 100 MB at most, whatever the number of guests.
MOST_ROWS = 50_000
MOST_EVENTS = 2000


@dataclass(frozen=True, slots=True)
class Frame:
    """The whole at one tick."""

    number: int  # grows by 1 from frame to frame
    at: float  # epoch seconds
    overview: Overview
    rows: Mapping[str, GuestRow]  # by UUID

    @classmethod
    def of(cls, number: int, overview: Overview) -> "Frame":
        """Return it with its rows laid out."""
        return cls(number, overview.at.timestamp(), overview, {row.uuid: row for row in overview.guests})


class Source(Protocol):
    """Where frames come from; all that fails raises `BallonetError`, and may be tried again."""

    title: str
    read_only: str  # why nothing can be done here; empty: it can
    paced: bool  # whether time passes as fast as the viewer says; else as it does

    @property
    def numbers(self) -> range:
        """Return the numbers of the frames that can be shown; empty before the first."""

    @property
    def events(self) -> Sequence[Event]:
        """Return what happened, oldest first, as far as it is kept."""

    def frame(self, number: int) -> Frame:
        """Return one of them."""

    def at(self, number: int) -> float:
        """Return when that was, in epoch seconds."""

    async def next(self) -> Frame | None:
        """Wait for one more; None: there will be none."""

    async def why(self, uuid: str) -> Why:
        """Return why a guest has the size that it has now."""

    async def history(self, uuid: str, seconds: float, points: int) -> GuestHistory | None:
        """Return a guest over these last seconds; None: nothing is known beyond the frames."""

    async def sparklines(self, seconds: float, points: int) -> Sparklines | None:
        """Return all guests' sizes over these last seconds; None likewise."""

    async def act(self, kind: type[Asked], **fields: object) -> Sequence[Hold]:
        """Have something done that a request with these fields asks for; return what it made or ended."""

    async def close(self) -> None:
        """Let go of it."""


class Kept:
    """The last frames and events of a source that makes them as time passes."""

    most_rows: ClassVar[int] = MOST_ROWS

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._events: list[Event] = []

    @property
    def numbers(self) -> range:
        """Return the numbers of the frames that are kept."""
        if not self._frames:
            return range(0)
        return range(self._frames[0].number, self._frames[-1].number + 1)

    @property
    def events(self) -> Sequence[Event]:
        """Return what happened, oldest first."""
        return self._events

    def frame(self, number: int) -> Frame:
        """Return one of them."""
        return self._frames[number - self._frames[0].number]

    def at(self, number: int) -> float:
        """Return when that was, in epoch seconds."""
        return self.frame(number).at

    def keep(self, overview: Overview, events: Sequence[Event]) -> Frame:
        """Take in one more, instead of the last if it is of the same tick; let go of the oldest."""
        number = self.numbers.stop
        if self._frames and self._frames[-1].overview.tick == overview.tick:
            number = self._frames.pop().number
        frame = Frame.of(number, overview)
        self._frames.append(frame)
        self._events.extend(events)
        del self._events[:-MOST_EVENTS]
        del self._frames[: -max(2, self.most_rows // max(1, len(frame.rows)))]
        return frame
