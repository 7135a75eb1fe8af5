"""What a guest's workload reports each second."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

KIB = 1024
PRESSURE_SECONDS = 10.0  # the shortest of the averages that Linux tells itself


@dataclass(frozen=True, slots=True)
class Report:
    """One second of one guest, as its own kernel and requests saw it; counters run from its boot."""

    t: float  # seconds since the schedule began
    uptime: float  # seconds since the guest's boot
    anon_mib: float  # reached so far
    grow_mib_s: float  # its speed, over the whole of its latest growth
    file_mib: float  # read in so far
    streamed_mib: float  # read once, since the guest's boot
    requests: int  # answered in this second
    backlog: int  # arrived and not answered
    restarts: int  # how often the load was killed for want of memory and started again
    total_kib: int
    free_kib: int
    available_kib: int
    cached_kib: int
    buffers_kib: int  # the data disk's part of the page cache
    swap_total_kib: int
    swap_free_kib: int
    pswpin: int  # pages
    pswpout: int  # pages
    pgmajfault: int
    oom_kill: int
    workingset_refault_file: int  # pages read again soon after they were dropped
    psi_some_us: int | None = None  # time that something waited for memory
    mean_ms: float | None = None  # from a request's scheduled arrival to its answer; None: none answered
    p50_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None

    @classmethod
    def read(cls, document: Mapping[str, float]) -> Self:
        """Return a report from its JSON; names that are not known are passed over."""
        return cls(**{field.name: document[field.name] for field in fields(cls) if field.name in document})  # type: ignore[arg-type]

    def document(self) -> dict[str, float | None]:
        """Return the report as JSON can hold it."""
        return asdict(self)


def pressure_ratio(reports: Sequence[Report]) -> float | None:
    """Return the share of the last ten seconds that something waited for memory, 0..1; None: unknown."""
    if not reports:
        return None
    last = reports[-1]
    old = (report for report in reversed(reports) if last.uptime - report.uptime > PRESSURE_SECONDS - 0.5)
    first = next(old, reports[0])
    if first.psi_some_us is None or last.psi_some_us is None or first.uptime >= last.uptime:
        return None
    return min(1.0, (last.psi_some_us - first.psi_some_us) / 1e6 / (last.uptime - first.uptime))


class ReportFile:
    """Reports in a file that a guest keeps adding to; each line is parsed once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._reports: list[Report] = []

    def read(self) -> list[Report]:
        """Return all reports so far, oldest first; none before the guest's first."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        self._reports += [report for line in whole.splitlines() if (report := _report(line))]
        return self._reports


def _report(line: bytes) -> Report | None:
    """Return a line's report; None for one that a full port cut short."""
    try:
        return Report.read(json.loads(line))
    except (ValueError, TypeError):
        return None
