"""What it came to over a time: memory given back, what that cost, and what could be set better."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from ballonet.service.models.base import Answer, Words
from ballonet.service.models.plan import Verdict


class Totals(Answer):
    """Sums over the time: of one guest, or of all, while they were managed.

    Only what the guests' processes do not hold is free memory on the host; what was given back and is held
    by them all the same serves nobody.
    """

    managed_seconds: float
    given_back_byte_seconds: float = Field(description="maximum less actual")
    compared_byte_seconds: float = Field(description="of this, while the process's resident memory was known")
    seen_byte_seconds: float = Field(description="of that, what the process did not hold: free on the host")
    unheld_byte_seconds: float = Field(
        description="maximum less resident memory where it is known: with what the guest never touched"
    )
    swap_in_bytes: int
    swap_out_bytes: int
    major_faults: int
    distress_seconds: float = Field(description="while it lacked memory, of all guests together")
    pinched_seconds: float = Field(description="of these, while it had no more than its floor")
    changes: int = Field(description="of sizes that were sent, bursts included")
    bursts: int


class GuestReport(Answer):
    """One guest's part."""

    name: Words
    uuid: Words
    maximum_bytes: int | None
    floor_bytes: int | None
    highest_need_bytes: int | None
    highest_wanted_bytes: int | None = Field(description="need and cushion, at their most")
    totals: Totals


class Sizing(Answer):
    """What should be set otherwise, and the figures behind it."""

    name: Words
    uuid: Words
    kind: Literal["maximum", "floor"]
    now_bytes: int
    better_bytes: int
    sentence: Words
    remedy: Words


class LeftAlone(Answer):
    """A guest that was not managed at all in that time, and what keeps it from it."""

    name: Words
    uuid: Words
    verdict: Verdict


class Report(Answer):
    """What it came to."""

    asked_since: datetime
    since: datetime = Field(description="history begins then, or what was asked for")
    until: datetime
    observed_seconds: float = Field(description="within that time, while the service ran")
    writes: bool = Field(description="false: it only observes now, or is paused")
    totals: Totals
    guests: list[GuestReport]
    sizing: list[Sizing]
    left_alone: list[LeftAlone]
