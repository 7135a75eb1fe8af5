"""Which guests are shown, and in which order."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from ballonet.service.models import GuestRow, GuestState

_PRECEDENCE: Final = {state: place for place, state in enumerate(get_args(GuestState))}
_SIZES: Final[Mapping[str, Callable[[GuestRow], int | None]]] = {
    "actual": lambda row: row.actual_bytes,
    "usable": lambda row: row.usable_bytes,
    "need": lambda row: row.need_bytes,
}
ORDERS: Final = ("name", "actual", "usable", "need", "state", "swap")


@dataclass(frozen=True, slots=True)
class Order:
    """By what guests are sorted: names from A on, states by precedence, sizes from the largest on."""

    by: str = "name"
    reverse: bool = False

    def next(self) -> "Order":
        """Return the order by what comes next."""
        return Order(ORDERS[(ORDERS.index(self.by) + 1) % len(ORDERS)], self.reverse)

    def turned(self) -> "Order":
        """Return the same the other way round."""
        return Order(self.by, not self.reverse)

    def sorted(self, rows: Iterable[GuestRow], swapped: Mapping[str, int]) -> list[GuestRow]:
        """Return the rows in order: those of the same rank by name, and unknown sizes always last.

        `swapped` has by UUID what each guest swapped lately.
        """
        named = sorted(rows, key=lambda row: (row.name, row.uuid), reverse=self.reverse and self.by == "name")
        if self.by == "name":
            return named
        if self.by == "state":
            return sorted(named, key=lambda row: _PRECEDENCE[row.state], reverse=self.reverse)
        sizes = [swapped.get(row.uuid) if self.by == "swap" else _SIZES[self.by](row) for row in named]
        known = [(size, row) for size, row in zip(sizes, named, strict=True) if size is not None]
        known.sort(key=lambda pair: pair[0], reverse=not self.reverse)
        unknown = [row for size, row in zip(sizes, named, strict=True) if size is None]
        return [row for _, row in known] + unknown


def matching(rows: Iterable[GuestRow], words: str) -> list[GuestRow]:
    """Return the guests whose name, state or UUID contains what was typed, in any case."""
    wanted = words.casefold()
    return [row for row in rows if wanted in row.name.casefold() or wanted in row.state or wanted in row.uuid]
