"""What the service is asked: requests with a field that is not named here are refused."""

from typing import Self

from pydantic import Field, model_validator

from ballonet.service.models.base import Asked, Reason, Reference, Seconds, Size, WaitSeconds


class PauseAsked(Asked):
    """Leave a guest, or everybody, as it is."""

    guest: Reference | None = Field(default=None, description="null: everybody")
    for_seconds: Seconds | None = Field(default=None, description="null: until resumed")
    why: Reason = ""


class ResumeAsked(Asked):
    """End what a guest, or everybody, is held for."""

    guest: Reference | None = Field(default=None, description="null: the hold of everybody")


class ReleaseAsked(Asked):
    """Give a guest, or all of them, all memory back that is free, and hold it so."""

    guest: Reference | None = None
    all: bool = False
    why: Reason = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.guest is not None) == self.all:
            raise ValueError("name one guest, or say all")
        return self


class SetAsked(Asked):
    """Have a guest resized, and held so."""

    guest: Reference
    size_bytes: Size
    for_seconds: Seconds | None = Field(default=None, description="null: until resumed")
    why: Reason = ""


class RoomAsked(Asked):
    """Free host memory for a guest to come, and keep it free."""

    size_bytes: Size
    timeout_seconds: WaitSeconds = 30.0
    hold_seconds: Seconds = 300.0
    guest: Reference | None = Field(default=None, description="its name; null: whoever starts next")
