"""What was done or seen, one record each: what `run` prints a line of, and what its summary counts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it brings numpy, which who only prints what happened does not need
    from ballonet.facts.plan import PlanRow


class Kind(StrEnum):
    """What happened to a guest, or to the whole."""

    CAME = "came"  # a guest is seen for the first time
    WENT = "went"
    REBOOTED = "rebooted"
    PLANNED = "planned"  # the tick changed a guest's size
    BURST = "burst"  # the reflex grew a guest
    LENT = "lent"  # the reflex called in unused memory for another guest
    RELEASED = "released"  # a guest that did not follow was told to stay as it is
    PERIOD = "period"  # its statistics were switched on
    VERDICT = "verdict"  # its verdict changed
    STATE = "state"  # the host is shorter of memory, or less short
    FAILED = "failed"  # the hypervisor refused or did not answer
    RECOVERED = "recovered"
    ASKED = "asked"  # somebody had a guest resized
    HELD = "held"  # somebody had a guest, or everybody, left as it is; or that ended
    LEASED = "leased"  # somebody had memory kept free; or that ended
    BROKEN = "broken"  # a promise would have been broken: nothing was sent


# What an observer does not do; the rest happens by itself.
ACTS = frozenset({Kind.PLANNED, Kind.RELEASED, Kind.PERIOD})


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. Sizes are bytes."""

    at: float  # epoch seconds
    kind: Kind
    name: str  # of the guest; empty: it is about the whole
    uuid: str = ""
    from_bytes: float | None = None
    to_bytes: float | None = None
    row: "PlanRow | None" = None  # the reasons of PLANNED and VERDICT
    rate_bytes: float | None = None  # bytes/s, how fast the guest of a BURST was seen to grow
    text: str = ""  # what a failure said; the seconds of PERIOD
    written: bool = True  # False: only observed, nothing was sent
