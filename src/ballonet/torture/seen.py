"""What went over the ports, as facts: the only things that the checker goes by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ballonet.facts.guest import Guest
from ballonet.facts.host import HostMemory


@dataclass(frozen=True, slots=True)
class Rules:
    """What the administrator's settings say. Sizes are bytes."""

    enforce: bool
    interval_seconds: float
    budget_bytes: float
    reserve_bytes: float
    floor_share: float  # of each guest's maximum
    ceiling_share: float
    excluded: str  # the name of one guest; empty: none


@dataclass(frozen=True, slots=True)
class Look:
    """One answer of the hypervisor: who is there, and each guest's numbers as they came over the wire."""

    guests: tuple[Guest, ...]
    wire: Mapping[str, Mapping[str, int]]  # by UUID: statistics in bytes, sentinels and all
    started_at: Mapping[str, float]  # by UUID: epoch seconds at which the process started


class Eye(Protocol):
    """Who sees what goes over the ports; times are read from the clock as it is called."""

    def asked_for_guests(self) -> None:
        """Take in that a tick begins."""

    def looked(self, look: Look) -> None:
        """Take in its answer."""

    def host(self, memory: HostMemory) -> None:
        """Take in what was read of the host's memory."""

    def resize(self, uuid: str, size_bytes: int) -> None:
        """Take in what is about to be asked of the hypervisor."""

    def answered(self, uuid: str, size_bytes: int, error: Exception | None) -> None:
        """Take in the hypervisor's answer to that; None: it was taken."""

    def other_write(self, what: str, uuid: str) -> None:
        """Take in that something else is about to be changed."""

    def reset(self, uuid: str) -> None:
        """Take in that the service was told of a reset."""

    def started(self, name: str) -> None:
        """Take in that the service was told of a start."""
