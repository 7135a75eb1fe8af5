"""What the agent in a guest tells of its memory: the balloon's driver reports none of this."""

from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """Who is at the guest's end of the channel that it has for an agent."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"  # nobody: no agent is installed there, or it does not run
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Heard:
    """What an agent told at one moment. Sizes are bytes, shares 0..1; None: it did not say, or nonsense."""

    at: float  # host epoch seconds at which it was asked
    recent_ratio: float | None = None  # PSI memory "some avg10": something waited, the last seconds most
    waited_seconds_total: float | None = None  # PSI memory "some total", since the guest's boot
    swap_total_bytes: int | None = None
    swap_free_bytes: int | None = None
    committed_bytes: int | None = None  # Committed_AS: what programs asked for, touched or not
    since: float | None = None  # host epoch seconds at which it was asked before; None: long ago, or never
    pressure_ratio: float | None = None  # share of the time since then in which something waited

    @property
    def swapped_bytes(self) -> int | None:
        """Return what lies in the guest's swap."""
        if self.swap_total_bytes is None or self.swap_free_bytes is None:
            return None
        return self.swap_total_bytes - self.swap_free_bytes
