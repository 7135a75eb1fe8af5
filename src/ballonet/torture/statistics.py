"""A guest's statistics on their way to the service, and all that can become of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ballonet.facts.statistics import Statistics
from ballonet.hypervisor.readings import statistics_of
from ballonet.torture.trouble import STATISTICS, Trouble, Troubles, What
from ballonet.units import GIB

_ABSENT = 2**64 - 1
_SIZES = ("unused_bytes", "usable_bytes", "available_bytes")
# What takes the place of a number: sentinels, what conversions make of them, and what no guest has.
_ABSURD: tuple[Callable[[int, int], int], ...] = (
    lambda _, __: _ABSENT,
    lambda _, __: _ABSENT // 1024,
    lambda _, __: -1,
    lambda _, __: 2**63 - 1,
    lambda value, _: -value,
    lambda _, maximum: maximum * 3,
    lambda _, maximum: maximum + GIB * 64,
    lambda value, _: value * 1024,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Numbers as they come over the wire, and their stamp in the host's epoch seconds (None: none came)."""

    wire: Mapping[str, int]
    stamp: float | None

    def read(self, maximum_bytes: int | None) -> Statistics:
        """Return what the adapter makes of it."""
        return statistics_of(self.wire, maximum_bytes, self.stamp)


class Wire:
    """Keeps the last sample of each guest, to repeat it."""

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles
        self._last: dict[str, Sample] = {}

    def carry(self, name: str, sent: Sample, maximum_bytes: int) -> Sample:
        """Return what arrives of a sample that a guest sent."""
        trouble = self._troubles.first(STATISTICS, name)
        arrives = sent if trouble is None else self._bent(trouble, sent, maximum_bytes)
        if trouble is None or trouble.what not in {What.FROZEN, What.RESTAMPED}:
            self._last[name] = arrives
        return arrives

    def _bent(self, trouble: Trouble, sent: Sample, maximum_bytes: int) -> Sample:
        if trouble.what is What.ABSENT:
            return Sample({}, None)
        if trouble.what in {What.FROZEN, What.RESTAMPED}:
            last = self._last.get(trouble.guest, sent)
            return last if trouble.what is What.FROZEN else Sample(last.wire, sent.stamp)
        if trouble.what is What.FUTURE and sent.stamp is not None:
            return Sample(sent.wire, sent.stamp + 2.0 + 100.0 * trouble.amount)
        if trouble.what is What.ABSURD:
            return Sample(_absurd(sent.wire, trouble.amount, maximum_bytes), sent.stamp)
        if trouble.what is What.LYING:
            return Sample(_lies(sent.wire), sent.stamp)
        return sent


def _absurd(wire: Mapping[str, int], amount: float, maximum_bytes: int) -> dict[str, int]:
    """Return the numbers with one, two or all of the sizes made absurd."""
    bend = _ABSURD[int(amount * len(_ABSURD))]
    which = int(amount * 977) % (len(_SIZES) + 1)
    names = _SIZES if which == len(_SIZES) else (_SIZES[which],)
    return {**wire, **{name: bend(wire[name], maximum_bytes) for name in names if name in wire}}


def _lies(wire: Mapping[str, int]) -> dict[str, int]:
    """Return the numbers of a guest that claims to have nearly all to spare."""
    most = wire.get("available_bytes", 0)
    return {**wire, **{name: int(most * 0.95) for name in ("unused_bytes", "usable_bytes") if name in wire}}
