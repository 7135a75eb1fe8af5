"""What an administrator allows each guest: one row a guest, one column a limit."""

from dataclasses import dataclass

from ballonet.facts.snapshot import Bools, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The limits of guests side by side, in the order in which they were asked for. Sizes are bytes."""

    floor: Floats
    ceiling: Floats
    weight: Floats  # against the other guests, when there is not enough; 100 is usual
    excluded: Bools  # must not be touched at all
