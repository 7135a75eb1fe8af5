"""What happened."""

from datetime import datetime
from typing import Any

from pydantic import Field

from ballonet.service.models.base import Answer, Words


class Event(Answer):
    """One thing that happened."""

    id: int
    at: datetime
    kind: str
    name: Words | None = Field(description="of the guest; null: it is about the whole")
    uuid: Words | None
    from_bytes: int | None
    to_bytes: int | None
    sentence: Words
    written: bool = Field(description="false: only observed, nothing was sent")
    reasons: dict[str, Any] | None = Field(description="the plan's, where it had any")


class Events(Answer):
    """Events, oldest first."""

    events: list[Event]
