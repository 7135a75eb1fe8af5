"""What a trace came to, and what it would have come to under policies, side by side."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from ballonet.show.document import document
from ballonet.show.table import table
from ballonet.simulator.replay import LIMITS, Came
from ballonet.units import GIB, format_size

_ROWS: Mapping[str, Callable[[Came], str]] = {
    "memory held by guests, mean": lambda came: format_size(came.held_bytes),
    "  most at once": lambda came: format_size(came.peak_held_bytes),
    "given back, mean": lambda came: format_size(came.given_back_bytes),
    "need unmet": lambda came: f"{came.unmet_byte_seconds / GIB:.3g} GiB·s",
    "swapped in": lambda came: format_size(came.swapped_in_bytes),
    "over budget": lambda came: f"{came.over_budget_byte_seconds / GIB:.3g} GiB·s",
}


def replay_text(came: Mapping[str, Came], budget_bytes: float) -> str:
    """Return the figures by policy, and what they cannot tell."""
    rows = [[name, *(text(one) for one in came.values())] for name, text in _ROWS.items()]
    about = f"{came['recorded'].seconds:.0f} s were recorded; the budget is {format_size(budget_bytes)}."
    return "\n".join([table(["", *came], rows), "", about, *LIMITS])


def replay_document(came: Mapping[str, Came], budget_bytes: float) -> str:
    """Return the figures as JSON."""
    return document(
        budget_bytes=int(budget_bytes),
        outcomes={name: asdict(one) for name, one in came.items()},
        limits=list(LIMITS),
    )
