"""What the view draws with: characters that differ without colours too, and the terminal's own colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from ballonet.service.models import GuestRow, GuestState, HostMemory
from ballonet.show.table import UNKNOWN, printable
from ballonet.show.words import size

STATES: Final[Mapping[GuestState, str]] = {
    "paused": "blue",
    "booting": "cyan",
    "no data": "yellow",
    "stuck": "yellow",
    "ignored": "dim",
    "swapping": "bold red",
    "growing": "green",
    "shrinking": "cyan",
    "at floor": "magenta",
    "steady": "",
}
"""The colour of each state word; the word itself is always there."""

HELD, ROOM, FLOOR, CEILING, NEED, GROWS, SHRINKS = "━·[]|><"
_STEPS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the host's memory: its name, size, and how it is drawn."""

    name: str
    size_bytes: int | None
    mark: str
    style: str


def parts(host: HostMemory) -> list[Part]:
    """Return who has the host's memory, in the order in which it is drawn."""
    return [
        Part("own", host.own_bytes, "█", "blue"),
        Part("guests", host.guests_bytes, "▓", "green"),
        Part("reserve", host.reserve_bytes, "▒", "magenta"),
        Part("leases", host.leased_bytes, "░", "yellow"),
        Part("free", host.headroom_bytes, "·", "dim"),
    ]


def host_bar(host: HostMemory, columns: int) -> Text:
    """Return the host's memory as one bar of so many columns; what is unknown is drawn as `?`."""
    text, begun, so_far = Text(no_wrap=True), 0, 0
    for part in parts(host):
        so_far += part.size_bytes or 0
        until = round(columns * min(1.0, so_far / max(1, host.total_bytes)))
        if part.size_bytes and until == begun < columns:
            until += 1  # what is there is seen
        text.append(part.mark * (until - begun), part.style)
        begun = max(begun, until)
    return text.append("?" * (columns - begun), "dim")


def range_bar(row: GuestRow, columns: int) -> Text:
    """Return a guest's sizes on the scale of its maximum, in so many columns: floor, actual, target, need."""
    maximum, actual = row.maximum_bytes, row.actual_bytes
    if not maximum or actual is None:
        return Text(UNKNOWN, "dim")

    def cell(size_bytes: float) -> int:
        return max(0, min(columns - 1, int(columns * size_bytes / maximum)))

    filled = max(1, min(columns, round(columns * actual / maximum)))
    most = cell(row.ceiling_bytes) if row.ceiling_bytes is not None else columns - 1
    marks = [HELD] * filled + [ROOM if at < most else " " for at in range(filled, columns)]
    styles = [_held_style(row)] * filled + ["dim"] * (columns - filled)

    def put(size_bytes: int | None, mark: str, style: str) -> None:
        if size_bytes is not None:
            marks[cell(size_bytes)], styles[cell(size_bytes)] = mark, style

    put(row.ceiling_bytes, CEILING, "")
    put(row.floor_bytes, FLOOR, "")
    put(row.need_bytes, NEED, "bold yellow" if (row.need_bytes or 0) <= actual else "bold red")
    ahead = row.target_bytes if row.target_bytes is not None else row.told_bytes
    if ahead is not None and cell(ahead) != cell(actual):
        put(ahead, GROWS if ahead > actual else SHRINKS, "bold cyan")
    text = Text(no_wrap=True)
    for mark, style in zip(marks, styles, strict=True):
        text.append(mark, style)
    return text


def _held_style(row: GuestRow) -> str:
    short = row.need_bytes is not None and row.actual_bytes is not None and row.need_bytes > row.actual_bytes
    return "red" if short or row.state == "swapping" else "green"


def sparkline(values: Sequence[int | None], most: int | None) -> Text:
    """Return values as bars of one character, on a scale from 0 to the most; unknown is a blank."""
    top = max(1, most or max((value or 0 for value in values), default=1))
    last = len(_STEPS) - 1
    marks = (
        " " if value is None else _STEPS[max(0, min(last, round(last * value / top)))] for value in values
    )
    return Text("".join(marks), "cyan", no_wrap=True)


def state_text(state: GuestState) -> Text:
    """Return a state's word in its colour."""
    return Text(state, STATES.get(state, ""), no_wrap=True)


def name_text(name: str, columns: int) -> Text:
    """Return a guest's name, which may hold anything, as harmless text of at most so many columns."""
    text = Text(printable(name), no_wrap=True)
    text.truncate(columns, overflow="ellipsis")
    return text


def size_text(size_bytes: int | None) -> Text:
    """Return a size, aligned to the right."""
    return Text(size(size_bytes), justify="right", no_wrap=True)


def clipped(text: str, columns: int) -> Text:
    """Return a sentence cut to so many columns."""
    found = Text(printable(text), no_wrap=True)
    found.truncate(max(1, columns), overflow="ellipsis")
    return found
