"""What a run of guests with loads came to: the same figures for real guests and for simulated ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from ballonet.engine.summary import Summary
from ballonet.simulator.history import History
from ballonet.simulator.recording import Answers


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to. Latency is from a request's scheduled arrival to its answer."""

    summary: Summary
    budget_bytes: float | None  # None: no ballooning
    requests: int
    mean_ms: float
    p99_ms: float  # the worst second of the worst guest
    worst_guest: str
    worst_guest_mean_ms: float
    burst_mib_s: float  # the fastest growth to the largest size that a guest reached
    swap_in_pages: int
    oom_kills: int
    held_bytes: float  # mean of the sum of actual
    resident_bytes: float  # mean of the sum of resident memory
    disk_reads: int  # requests of all guests
    answers: Mapping[str, Answers]  # of each guest, second by second, the warm-up left out
    history: History

    def document(self) -> dict[str, float | int | str | None]:
        """Return the figures as JSON holds them."""
        summary = self.summary
        return {
            "budget_bytes": None if self.budget_bytes is None else int(self.budget_bytes),
            "held_mean_bytes": int(self.held_bytes),
            "held_peak_bytes": int(summary.peak_held_bytes),
            "resident_mean_bytes": int(self.resident_bytes),
            "over_budget_byte_seconds": summary.over_budget_byte_seconds,
            "requests": self.requests,
            "latency_mean_seconds": self.mean_ms / 1e3,
            "latency_worst_guest_mean_seconds": self.worst_guest_mean_ms / 1e3,
            "worst_guest": self.worst_guest,
            "swap_in_pages": self.swap_in_pages,
            "disk_reads": self.disk_reads,
            "oom_kills": self.oom_kills,
        }
