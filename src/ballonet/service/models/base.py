"""What all answers and requests of the API are made of: how sizes, times and words are given."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

MOST_BYTES = 2**63 - 1  # a signed 64-bit number, which libvirt and QEMU take
MOST_SECONDS = 2.0**31 - 1  # 68 years
LONGEST_WAIT_SECONDS = 600.0  # a request that waits keeps one of few connections busy


def _encodable(text: object) -> object:
    """Return text that can be sent: what was no Unicode in a guest's name is replaced."""
    return text.encode(errors="replace").decode() if isinstance(text, str) else text


def _harmless(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not contain control characters")
    return text


def said(message: str) -> str:
    """Return what pydantic says of a field, in our own words where they are ours."""
    return message.removeprefix("Value error, ")


Words = Annotated[str, BeforeValidator(_encodable)]
Reference = Annotated[
    str,
    Field(min_length=1, max_length=256, description="A guest's name or UUID."),
    AfterValidator(_harmless),
]
Reason = Annotated[str, Field(max_length=256), AfterValidator(_harmless)]
Size = Annotated[int, Field(gt=0, le=MOST_BYTES)]
Seconds = Annotated[float, Field(gt=0, le=MOST_SECONDS, allow_inf_nan=False)]
WaitSeconds = Annotated[float, Field(gt=0, le=LONGEST_WAIT_SECONDS, allow_inf_nan=False)]


class Answer(BaseModel):
    """What the service says."""

    model_config = ConfigDict(frozen=True)


class Asked(BaseModel):
    """What the service is asked: exactly these fields, of exactly these types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Failure(Answer):
    """What went wrong, what to do about it, and the exit code of a command that fails so."""

    error: Words
    hint: Words
    exit_code: int
