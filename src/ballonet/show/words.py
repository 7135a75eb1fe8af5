"""Values as people read them in tables and sentences: `–` where nothing is known."""

from datetime import datetime

from ballonet.show.table import UNKNOWN
from ballonet.units import format_duration, format_size


def size(size_bytes: float | None) -> str:
    """Return a size, `–` for unknown."""
    return UNKNOWN if size_bytes is None else format_size(size_bytes)


def age(seconds: float | None) -> str:
    """Return how old something is, in whole seconds and its largest unit only; `–` for never.

    A small negative age is rounding, because hypervisors keep whole seconds; it is shown as 0.
    """
    if seconds is None:
        return UNKNOWN
    number, unit, *_ = format_duration(0 if -1 <= seconds < 0 else round(seconds)).split()
    return f"{number} {unit}"


def switch(on: bool | None) -> str:  # noqa: FBT001
    """Return "on", "off" or `–`."""
    return UNKNOWN if on is None else ("on" if on else "off")


def period(seconds: int | None) -> str:
    """Return how often a guest is asked for statistics."""
    if seconds is None:
        return UNKNOWN
    return f"every {format_duration(seconds)}" if seconds else "never (0)"


def moment(at: datetime) -> str:
    """Return a time as this machine's clocks show it, to the second."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def rate(bytes_per_second: float | None) -> str:
    """Return how fast something grows."""
    return UNKNOWN if bytes_per_second is None else f"{format_size(bytes_per_second)}/s"


def share(ratio: float | None) -> str:
    """Return a share of 1 in percent, three digits of it."""
    return UNKNOWN if ratio is None else f"{ratio * 100:.3g} %"
