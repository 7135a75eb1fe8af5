"""What was, over time: one list a value, all of one length; null is unknown."""

from datetime import datetime

from pydantic import Field

from ballonet.service.models.base import Answer, Words


class GuestHistory(Answer):
    """One guest over time. Sizes are as they were at the end of each step, flows what came within it."""

    name: Words
    uuid: Words
    step_seconds: float = Field(description="between two values")
    at_seconds: list[float] = Field(description="ends of steps, seconds since 1970 UTC, oldest first")
    maximum_bytes: list[int | None]
    floor_bytes: list[int | None]
    actual_bytes: list[int | None]
    told_bytes: list[int | None] = Field(description="what it was told to have last")
    need_bytes: list[int | None]
    most_need_bytes: list[int | None] = Field(description="the most within the step")
    usable_bytes: list[int | None]
    least_usable_bytes: list[int | None] = Field(description="the least within the step")
    rss_bytes: list[int | None]
    swap_in_bytes: list[int | None]
    swap_out_bytes: list[int | None]
    major_faults: list[int | None]
    distress_seconds: list[float | None] = Field(description="of the step, in which it lacked memory")
    changes: list[int | None] = Field(description="of its size that were sent, bursts included")


class HostHistory(Answer):
    """The host over time, and its guests together."""

    step_seconds: float = Field(description="between two values")
    at_seconds: list[float] = Field(description="ends of steps, seconds since 1970 UTC, oldest first")
    total_bytes: list[int | None]
    available_bytes: list[int | None]
    pressure_some_ratio: list[float | None] = Field(description="the most within the step")
    budget_bytes: list[int | None]
    maximum_bytes: list[int | None] = Field(description="of all managed guests together, as the next two")
    held_bytes: list[int | None] = Field(description="their actual sizes")
    rss_bytes: list[int | None]


class Sparkline(Answer):
    """A guest's size over time, in a few values."""

    uuid: Words
    actual_bytes: list[int | None]


class Sparklines(Answer):
    """Every guest's size over the same time."""

    since: datetime
    step_seconds: float
    guests: list[Sparkline]
