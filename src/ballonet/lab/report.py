"""What a guest's workload reports each second, and the schedules that it obeys."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from ballonet.errors import UsageError

KEYS = ("anon_mib", "hot_mib", "file_mib", "rate", "touches", "reads", "grow_mib_s")
MAXIMUM_STEPS = 256
KIB = 1024


@dataclass(frozen=True, slots=True)
class Report:
    """One second of one guest, as its own kernel and requests saw it; counters run from its boot."""

    t: float  # seconds since the schedule began
    uptime: float  # seconds since the guest's boot
    anon_mib: float  # reached so far
    grow_mib_s: float  # its speed, over the whole of its latest growth
    file_mib: float  # read in so far
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


def checked_schedule(text: str) -> str:
    """Return a schedule as the workload reads it, without comments and blank lines.

    Lines are `at SECONDS key=value ...`, in order; a key keeps its value until a later line changes it.
    Raises `UsageError` that names the line.
    """
    lines = [(number, line.partition("#")[0].split()) for number, line in enumerate(text.splitlines(), 1)]
    steps = [(number, words) for number, words in lines if words]
    if not 0 < len(steps) <= MAXIMUM_STEPS:
        raise UsageError(
            f"a schedule has 1 to {MAXIMUM_STEPS} lines, this one {len(steps)}",
            hint='write lines such as "at 0 anon_mib=100 hot_mib=100 rate=50 touches=8"',
        )
    last = 0.0
    for number, words in steps:
        last = _check_line(number, words, last)
    return "".join(f"{' '.join(words)}\n" for _, words in steps)


def _check_line(number: int, words: list[str], last: float) -> float:
    """Return the second at which a line begins."""
    at = _number(words[1]) if words[0] == "at" and len(words) > 1 else None
    if at is None or at < last:
        raise UsageError(
            f"line {number} of the schedule does not begin with a time at or after {last:g} s",
            hint='write "at SECONDS key=value ...", earliest first',
        )
    for word in words[2:]:
        key, _, value = word.partition("=")
        if key not in KEYS or _number(value) is None:
            raise UsageError(
                f"line {number} of the schedule: {word!r} is not understood",
                hint=f"keys are {', '.join(KEYS)}; values are numbers",
            )
    return at


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None  # neither negative, nor infinite, nor no number at all
