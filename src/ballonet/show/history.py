"""What was, for people and spreadsheets: the range of each value with a line of its course, and CSV."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from ballonet.service.models import GuestHistory, HostHistory
from ballonet.show.table import UNKNOWN, printable, table
from ballonet.show.words import moment, share, size
from ballonet.units import format_duration

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_GUEST_SIZES: Final = ("maximum", "actual", "told", "need", "usable", "rss")
_HOST_SIZES: Final = ("available", "budget", "maximum", "held", "rss")


def history_text(found: GuestHistory | HostHistory) -> str:
    """Return the ranges of all values, and of what came in a guest."""
    names = _GUEST_SIZES if isinstance(found, GuestHistory) else _HOST_SIZES
    rows = [_range(name, getattr(found, f"{name}_bytes"), size) for name in names]
    if isinstance(found, HostHistory):
        rows.append(_range("pressure", found.pressure_some_ratio, share))
    header = ("", "LEAST", "MEAN", "MOST", "LAST", "COURSE")
    parts = [_title(found), table(header, rows, right=header[1:5])]
    if isinstance(found, GuestHistory):
        flows = [
            _flow("swap in", found.swap_in_bytes, size),
            _flow("swap out", found.swap_out_bytes, size),
            _flow("major faults", found.major_faults, _count),
        ]
        parts.append(table(("", "TOGETHER", "COURSE"), flows, right=("TOGETHER",)))
    return "\n\n".join(parts)


def history_csv(found: GuestHistory | HostHistory) -> str:
    """Return a line for each step: when it ends, and each value; what is unknown is empty."""
    kept = found.model_dump(exclude={"name", "uuid", "step_seconds", "at_seconds"})
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["at", *kept])
    ends = [_time(at).isoformat() for at in found.at_seconds]
    writer.writerows(zip(ends, *kept.values(), strict=True))
    return lines.getvalue().removesuffix("\n")


def _title(found: GuestHistory | HostHistory) -> str:
    who = found.name if isinstance(found, GuestHistory) else "the host"
    since, until = _time(found.at_seconds[0] - found.step_seconds), _time(found.at_seconds[-1])
    step = format_duration(found.step_seconds)
    return printable(f"{who}: {moment(since)} to {moment(until)}, a value every {step}")


def _range(title: str, values: Sequence[float | None], words: Callable[[float | None], str]) -> list[str]:
    known = [value for value in values if value is not None]
    if not known:
        return [title, *[UNKNOWN] * 4, ""]
    least, most, mean = min(known), max(known), sum(known) / len(known)
    return [title, words(least), words(mean), words(most), words(values[-1]), sparkline(values)]


def _flow(title: str, values: Sequence[float | None], words: Callable[[float | None], str]) -> list[str]:
    known = [value for value in values if value is not None]
    course = sparkline([0, *values])[1:] if any(known) else ""  # from nothing on
    return [title, words(sum(known) if known else None), course]


def _count(number: float | None) -> str:
    return UNKNOWN if number is None else f"{number:,.0f}"


def sparkline(values: Sequence[float | None]) -> str:
    """Return a character a value, from the least to the most; a blank where it is unknown."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    steps = len(_LEVELS) - 1
    return "".join(
        " " if value is None else _LEVELS[round(steps * (value - low) / span) if span else 0]
        for value in values
    )


def _time(epoch_seconds: float) -> datetime:
    return datetime.fromtimestamp(epoch_seconds, UTC)
