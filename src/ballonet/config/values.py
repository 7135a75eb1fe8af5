"""What settings are made of: sizes, shares and durations; as text in files, as numbers inside."""

import re
from typing import Final, TypeAlias

from ballonet.errors import UsageError
from ballonet.facts.host import HostMemory
from ballonet.units import exact_duration, exact_size, format_size, parse_duration, parse_size

AUTO: Final = "auto"
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+) ?%")


class Size(int):
    """Bytes."""

    def __str__(self) -> str:
        return exact_size(int(self))


class Share(float):
    """A share of a whole that is known later: 0 to 1."""

    def __str__(self) -> str:
        return f"{100 * self:.10g}%"


class Seconds(float):
    """A duration."""

    def __str__(self) -> str:
        return exact_duration(float(self))


Amount: TypeAlias = Size | Share
Budget: TypeAlias = Size | Share | str  # the text is "auto"


def read_size(text: str) -> Size:
    """Return a size, 0 among them; raises UsageError for anything else."""
    return Size(parse_size(text, zero=True))


def read_seconds(text: str) -> Seconds:
    """Return a duration; raises UsageError for anything else, and for 0."""
    return Seconds(parse_duration(text))


def read_amount(text: str) -> Amount:
    """Return a size, or a share like `25%`; raises UsageError for anything else, and for nothing."""
    text = text.strip()
    if "%" not in text:
        return Size(parse_size(text))
    found = _PERCENT.fullmatch(text)
    if not found:
        raise UsageError(f"{text!r} is not a share", hint="shares look like 25% or 12.5%")
    share = float(found[1]) / 100
    if not 0 < share <= 1:
        raise UsageError(f"the share {text!r} is not between 0 % and 100 %", hint="shares look like 25%")
    return Share(share)


def read_budget(text: str) -> Budget:
    """Return a size, a share or "auto"; raises UsageError for anything else, and for nothing."""
    return AUTO if text.strip() == AUTO else read_amount(text)


def budget_bytes(budget: Budget, host: HostMemory | None, reserve_bytes: int = 0) -> float:
    """Return the bytes of a budget; "auto" is all of the host but the reserve.

    What the host itself uses need not be known for that: the law never hands out more than the host has
    left at that moment. Raises UsageError for more than the host has, and for what only the host's memory
    would tell where that cannot be read.
    """
    if host is None:
        if isinstance(budget, Size):
            return float(budget)
        raise UsageError(
            f"the budget {str(budget)!r} needs the host's memory, and the guests run on another host",
            hint="give the budget as a size, such as 12GiB",
        )
    whole = host.total_bytes
    if isinstance(budget, Share):
        return budget * whole
    size = budget if isinstance(budget, Size) else whole - reserve_bytes
    if size > whole:
        raise UsageError(
            f"the budget {format_size(size)} is more than the host has ({format_size(whole)})",
            hint="a budget is a size or a share of the host's memory: 12GiB, 90%",
        )
    return float(size)
