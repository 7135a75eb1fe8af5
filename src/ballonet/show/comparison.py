"""What a demo's runs came to, side by side."""

from collections.abc import Callable, Mapping

from ballonet.show.document import document
from ballonet.show.table import table
from ballonet.simulator.outcome import Outcome
from ballonet.units import GIB, MIB, format_size

PAGE_BYTES = 4096

_ROWS: dict[str, Callable[[Outcome], str]] = {
    "memory held by guests, mean": lambda run: format_size(run.held_bytes),
    "  most at once": lambda run: format_size(run.summary.peak_held_bytes),
    "memory resident on the host, mean": lambda run: format_size(run.resident_bytes),
    "fastest burst": lambda run: f"{format_size(run.burst_mib_s * MIB)}/s",
    "requests answered": lambda run: str(run.requests),
    "request latency, mean": lambda run: _ms(run.mean_ms),
    "  of the worst guest": lambda run: _ms(run.worst_guest_mean_ms),
    "  99th percentile, worst second": lambda run: _ms(run.p99_ms),
    "swapped in": lambda run: format_size(run.swap_in_pages * PAGE_BYTES),
    "processes killed for want of memory": lambda run: str(run.oom_kills),
}


def comparison(without: Outcome, balanced: Mapping[str, Outcome]) -> str:
    """Return the report: each figure of the run without ballooning beside those with it, by title."""
    runs = {"WITHOUT": without, **balanced}
    rows = [[name, *(text(run) for run in runs.values())] for name, text in _ROWS.items()]
    sentences = [_sentence(title, without, run) for title, run in balanced.items()]
    return "\n".join([table(["", *runs], rows), "", *sentences])


def comparison_document(runs: Mapping[str, Outcome]) -> str:
    """Return the figures of all runs as JSON."""
    return document(outcomes={name: run.document() for name, run in runs.items()})


def _sentence(title: str, without: Outcome, balanced: Outcome) -> str:
    """Return what follows from a run's figures."""
    saved = without.held_bytes - balanced.held_bytes
    given = saved * balanced.summary.seconds / GIB
    over = balanced.summary.over_budget_byte_seconds / balanced.summary.seconds
    within = "never exceeded" if over == 0 else f"exceeded by {format_size(over)} on average"
    return (
        f"{title}: {format_size(saved)} of {format_size(without.held_bytes)} given back ({given:.3g} GiB·s) "
        f"at {balanced.mean_ms / without.mean_ms:.2f} times the latency; "
        f"the budget of {format_size(balanced.budget_bytes or 0)} {within}."
    )


def _ms(value: float) -> str:
    return f"{value:.3g} ms"
