"""Which part of the past is asked for, in how many values."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ballonet.errors import UsageError
from ballonet.facts.snapshot import Floats

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# The first moment that can be told in UTC: in a time zone east of it the year 1 begins before that.
_FIRST: Final = datetime.min.replace(tzinfo=UTC).timestamp()
REPORT_STEPS: Final = 20_000  # a week by the minute, and some more
# Steps that people can read, and that stay where they are as time goes on.
_STEPS: Final = (
    *(1, 2, 5, 10, 15, 30),
    *(_MINUTE * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * hours for hours in (1, 2, 3, 6, 12)),
)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the past, cut into at most so many steps. Times are epoch seconds."""

    since: float
    until: float
    points: int

    def from_then(self, first: float) -> "Span":
        """Return the part of it after a time, all its points for that."""
        return self if first <= self.since else Span(min(first, self.until), self.until, self.points)

    def steps(self, least_seconds: float) -> tuple[float, Floats]:
        """Return the seconds of a step, and when each ends; steps are this long at least."""
        least = max(least_seconds, (self.until - self.since) / self.points)
        step = next((step for step in _STEPS if step >= least), _DAY * math.ceil(least / _DAY))
        first, last = math.floor(self.since / step) + 1, math.ceil(self.until / step)
        ends = np.arange(first, max(first, last) + 1, dtype=np.float64) * step
        ends = ends[-self.points :]  # begun within a step, it has one more
        ends[-1] = min(ends[-1], self.until)
        return float(step), ends


class SparklinesAsked(BaseModel):
    """Since when, in how many values."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = Field(default=None, description="from then on; without it the last hour")
    points: int = Field(default=60, ge=1, le=10_000, description="as many values at most")

    def span(self, now: float) -> Span:
        """Return it in the service's own words; raises `UsageError` where it ends before it begins."""
        return _span(self.since, now, self.points)


class HistoryAsked(SparklinesAsked):
    """Which time, in how many values."""

    until: AwareDatetime | None = Field(default=None, description="till then; without it, till now")
    points: int = Field(default=300, ge=1, le=10_000, description="as many values at most")

    def span(self, now: float) -> Span:
        """Return it in the service's own words; raises `UsageError` where it ends before it begins."""
        return _span(self.since, now if self.until is None else min(now, self.until.timestamp()), self.points)


class ReportAsked(BaseModel):
    """Since when."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = Field(default=None, description="from then on; without it the last day")

    def span(self, now: float) -> Span:
        """Return it in the service's own words; raises `UsageError` where it lies in the future."""
        return _span(self.since, now, REPORT_STEPS, _DAY)


def _span(since: datetime | None, until: float, points: int, usual_seconds: int = _HOUR) -> Span:
    begin = until - usual_seconds if since is None else max(since.timestamp(), _FIRST)
    if begin >= until:
        raise UsageError(
            "the time asked for ends before it begins", hint="since lies before until, and before now"
        )
    return Span(begin, until, points)
