"""One change of a guest's size, as it is written down before the hypervisor hears of it, and its outcome."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Act:
    """Sizes are bytes, `at` epoch seconds."""

    at: float
    uuid: str
    name: str
    from_bytes: int
    to_bytes: int
    cause: str  # the kind of happening that it is told as ("planned", "burst", ...), or somebody's: "adopted"


class Outcome(StrEnum):
    """What became of an act."""

    REACHED = "reached"
    STUCK = "stuck"  # the guest did not follow
    FOREIGN = "foreign"  # somebody else moved it away
    REFUSED = "refused"  # the hypervisor did not take it: it did not happen
    OVERTAKEN = "overtaken"  # a later act, or the guest's end, came before


@dataclass(frozen=True, slots=True)
class ActRecord:
    """An act, and what is known of its outcome. Sizes are bytes, times epoch seconds."""

    act: Act
    outcome: Outcome | None = None  # None: it is under way
    settled_at: float | None = None
    actual_bytes: int | None = None  # what the guest had then
    text: str = ""  # what a refusal said
