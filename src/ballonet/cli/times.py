"""Times that people give: so long ago, or a date with a time."""

import time
from datetime import UTC, datetime

from ballonet.errors import UsageError
from ballonet.units import parse_duration

WHEN = "DURATION|TIME"


def when(text: str) -> str:
    """Return the time of `1h` ago, or of `2026-07-01T12:00` here, in UTC as the service takes it.

    Raises UsageError for anything else.
    """
    if text[:4].isdecimal() and "-" in text:
        try:
            return datetime.fromisoformat(text).astimezone(UTC).isoformat()
        except ValueError as error:
            raise UsageError(
                f"{text!r} is no time", hint="times look like 2026-07-01T12:00, durations like 1h or 30m"
            ) from error
    return datetime.fromtimestamp(max(0.0, time.time() - parse_duration(text)), UTC).isoformat()
