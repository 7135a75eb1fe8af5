"""What a demo's two runs came to, side by side."""

from ballonet.lab.demo import Outcome
from ballonet.show.table import table
from ballonet.units import GIB, format_size

PAGE_BYTES = 4096


def comparison(without: Outcome, balanced: Outcome) -> str:
    """Return the report: each figure of the run without ballooning beside that with it."""
    rows = [
        ["memory held by guests, mean", format_size(without.held_bytes), format_size(balanced.held_bytes)],
        ["  most at once", *(format_size(run.summary.peak_held_bytes) for run in (without, balanced))],
        ["memory resident on the host, mean", *(format_size(run.resident_bytes) for run in (without, balanced))],
        ["requests answered", str(without.requests), str(balanced.requests)],
        ["request latency, mean", _ms(without.mean_ms), _ms(balanced.mean_ms)],
        ["  of the worst guest", *(f"{_ms(run.worst_guest_mean_ms)}" for run in (without, balanced))],
        ["  99th percentile, worst second", _ms(without.p99_ms), _ms(balanced.p99_ms)],
        ["swapped in", *(format_size(run.swap_in_pages * PAGE_BYTES) for run in (without, balanced))],
        ["processes killed for want of memory", str(without.oom_kills), str(balanced.oom_kills)],
    ]
    return "\n".join([table(["", "WITHOUT", "BALLONET"], rows), "", *_verdict(without, balanced)])


def _verdict(without: Outcome, balanced: Outcome) -> list[str]:
    """Return what follows from the figures, in sentences."""
    saved = without.held_bytes - balanced.held_bytes
    given = saved * balanced.summary.seconds / GIB
    over = balanced.summary.over_budget_byte_seconds
    within = "never above" if over == 0 else f"above by {format_size(over / balanced.summary.seconds)} on average"
    return [
        f"Given back {format_size(saved)} of {format_size(without.held_bytes)} "
        f"({given:.3g} GiB·s) at {balanced.mean_ms / without.mean_ms:.2f} times the latency.",
        f"The budget was {format_size(balanced.budget_bytes or 0)}: {within} it.",
    ]


def _ms(value: float) -> str:
    return f"{value:.3g} ms"
