"""One change of a guest's size, as it is written down before the hypervisor hears of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Act:
    """Sizes are bytes, `at` epoch seconds."""

    at: float
    uuid: str
    name: str
    from_bytes: int
    to_bytes: int
    cause: str  # the kind of happening that it is told as: "planned", "burst", "lent", "released", "asked"
