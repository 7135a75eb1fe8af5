"""What a run came to, in words."""

from ballonet.engine.summary import Summary
from ballonet.units import GIB, format_duration, format_size


def summary_text(summary: Summary, seconds: float, *, enforced: bool) -> str:
    """Return the lines that end a run of so many seconds."""
    given = summary.given_back_byte_seconds / GIB
    lines = [
        f"Ran for {format_duration(round(seconds))}, {summary.ticks} ticks"
        + ("." if enforced else ", observing: nothing was written."),
        f"Given back      {format_size(summary.given_back_bytes)} at the end, {given:.3g} GiB·s over the run",
        f"Guests swapped  {format_size(summary.swap_in_bytes)} in, {format_size(summary.swap_out_bytes)} out",
        f"Changes         {_changes(summary)}",
    ]
    if summary.refusals:
        lines.append("Not done        (times a guest and tick)")
        lines += [f"  {count:>6}  {reason}" for reason, count in summary.refusals.most_common()]
    return "\n".join(lines)


def _changes(summary: Summary) -> str:
    words = {
        "planned": "by plan",
        "burst": "for bursts",
        "lent": "called in for bursts",
        "failed": "failed",
        "broken": "stopped by a promise",
    }
    return (
        ", ".join(f"{summary.changes[kind]} {word}" for kind, word in words.items() if summary.changes[kind])
        or "none"
    )
