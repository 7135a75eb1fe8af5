"""How small hosts may be under each policy, as a table and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict

from ballonet.show.document import document
from ballonet.show.table import UNKNOWN, table
from ballonet.simulator.density import Density

_RIGHT = ("Smallest host", "Oracle's", "Density")


def density_table(found: Sequence[Density]) -> str:
    """Return a table for each scenario: the smallest hosts as shares of the sum of maxima."""
    return "\n\n".join(
        f"{name}\n{_one([each for each in found if each.scenario == name])}"
        for name in dict.fromkeys(each.scenario for each in found)
    )


def density_document(found: Sequence[Density]) -> str:
    """Return all of it as JSON."""
    return document(densities=[asdict(each) | {"density": each.density} for each in found])


def _one(found: Sequence[Density]) -> str:
    rows = [
        [
            each.policy,
            UNKNOWN if each.least_share is None else _percent(each.least_share),
            _percent(each.oracle_share),
            f"{each.density:.2f}",
            ", ".join(each.fails),
        ]
        for each in found
    ]
    return table(("Policy", *_RIGHT, "What fails below"), rows, right=_RIGHT)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
