"""One guest over time, drawn with characters: its size as an area, its need and usable memory upon it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text

from ballonet.show.words import size

AREA, NEED, USABLE = "█", "━", "o"
_NEEDS = "▁━▔"  # low, in the middle and high in a line
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_LABEL = 10  # columns of "1023 MiB" and a gap


@dataclass(frozen=True, slots=True)
class Moment:
    """A guest at one time; unknown sizes are None."""

    at: float  # epoch seconds
    actual_bytes: int | None
    need_bytes: int | None
    usable_bytes: int | None


def legend() -> Text:
    """Return what the chart's characters mean."""
    text = Text(no_wrap=True)
    for mark, word, style in ((AREA, "actual", "green"), (NEED, "need", "bold red"), (USABLE, "usable", "")):
        text.append(mark, style).append(f" {word}   ")
    return text


def chart(
    moments: Sequence[Moment],
    maximum_bytes: int | None,
    columns: int,
    rows: int,
    told: Callable[[float], str],
) -> Text:
    """Return the chart in so many columns and rows; times, as they are told, below it, sizes on its left."""
    width, height = max(8, columns - _LABEL), max(2, rows - 1)
    known = [moment for moment in moments if moment.actual_bytes is not None]
    if not known:
        return Text().append("nothing is known of its past yet", "dim")
    begun, ended = moments[0].at, moments[-1].at
    top = maximum_bytes or max(moment.actual_bytes or 0 for moment in known) or 1
    sampled = _sampled(moments, begun, max(ended - begun, 1e-3), width)
    text = Text(no_wrap=True)
    for row in range(height):
        label = size(top) if row == 0 else size(top // 2) if row == height // 2 else ""
        text.append(f"{label:>{_LABEL - 2}} ┤", "dim")
        for moment in sampled:
            text.append(*_cell(moment, top, row, height))
        text.append("\n")
    left, right = told(begun), told(ended)
    text.append(" " * (_LABEL - 2) + f" └{left}{right:>{max(1, width - len(left))}}", "dim")
    return text


def _sampled(moments: Sequence[Moment], begun: float, seconds: float, width: int) -> list[Moment | None]:
    """Return the last moment of each column's time; a gap shorter than that is filled from before."""
    found: list[Moment | None] = [None] * width
    for moment in moments:
        found[min(width - 1, int(width * (moment.at - begun) / seconds))] = moment
    for column in range(1, width):
        found[column] = found[column] or found[column - 1]
    return found


def _cell(moment: Moment | None, top: int, row: int, height: int) -> tuple[str, str]:
    """Return the character and its style in a column, so many rows from above."""
    if moment is None:
        return " ", ""
    if _row_of(moment.need_bytes, top, height) == row:
        within = height * (moment.need_bytes or 0) / top % 1.0
        return _NEEDS[int(3 * within)], "bold red"
    if _row_of(moment.usable_bytes, top, height) == row:
        return USABLE, ""
    filled = height * (moment.actual_bytes or 0) / top - (height - 1 - row)
    return _EIGHTHS[max(0, min(8, round(8 * filled)))], "green"


def _row_of(size_bytes: int | None, top: int, height: int) -> int | None:
    if size_bytes is None:
        return None
    return height - 1 - max(0, min(height - 1, int(height * size_bytes / top)))
