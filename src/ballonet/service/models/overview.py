"""All that a screen shows at once: the host, and a row a guest."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from ballonet.service.models.base import Answer, Words
from ballonet.service.models.plan import Verdict
from ballonet.service.models.status import Status

# What a guest does, or what is done with it, in the order of precedence.
GuestState = Literal[
    "paused",  # somebody has it left as it is
    "booting",
    "no data",  # it does not report what a decision needs
    "stuck",  # it did not follow its last target
    "ignored",  # it must not be touched: the verdict says why
    "swapping",  # it lacks memory, and reads back what it swapped out or dropped
    "growing",
    "shrinking",
    "at floor",
    "steady",
]


class GuestRow(Answer):
    """One guest at the last tick."""

    name: Words
    uuid: Words
    hypervisor: str = Field(description="the URI of the hypervisor that it is on")
    state: GuestState
    verdict: Verdict
    maximum_bytes: int | None
    floor_bytes: int | None
    ceiling_bytes: int | None
    actual_bytes: int | None
    told_bytes: int | None = Field(description="what it was told to have last")
    target_bytes: int | None = Field(description="its next size; null: it stays as it is")
    need_bytes: int | None = Field(description="what it needs lest it swaps, its kernel's own part included")
    usable_bytes: int | None
    rss_bytes: int | None
    swap_in_bytes_total: int | None
    swap_out_bytes_total: int | None
    major_faults_total: int | None
    pressure_ratio: float | None
    stats_age_seconds: float | None
    sentence: Words = Field(description="what comes next, and why")
    held_until: datetime | None = Field(description="null: it is not held, or until it is resumed")


class Overview(Answer):
    """The whole at the last tick."""

    at: datetime
    tick: int = Field(description="grows with each tick")
    status: Status
    guests: list[GuestRow]
