"""Who has memory: a row a guest, of which only the cells that changed are drawn anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from ballonet.service.models import GuestRow
from ballonet.show.terminal.marks import (
    clipped,
    name_text,
    range_bar,
    size_text,
    sparkline,
    state_text,
)
from ballonet.show.terminal.order import Order
from ballonet.show.terminal.past import SPARK_POINTS
from ballonet.show.words import age

OLD_SECONDS = 30.0  # of statistics that are usually a few seconds old: no guest is judged by older ones
_GAP = 2  # columns that a table's column takes beside its text


@dataclass(frozen=True, slots=True)
class Seen:
    """A guest, and what was before."""

    row: GuestRow
    spark: tuple[int | None, ...]
    swapped_bytes: int | None


@dataclass(frozen=True, slots=True)
class Column:
    """What a column shows: drawn anew where what it is drawn from differs."""

    title: str
    facts: Callable[[Seen], object]
    draw: Callable[[Seen, int], Text]
    right: bool = False


def rule(row: GuestRow) -> str:
    """Return the beginning of a guest's sentence: the rule that decided, without what it came to."""
    return row.sentence.partition(": ")[0]


def _age_text(seconds: float | None) -> Text:
    old = seconds is not None and seconds > OLD_SECONDS
    return Text(f"{age(seconds)}{'!' if old else ''}", "bold yellow" if old else "", justify="right")


def _sized(read: Callable[[Seen], int | None]) -> Callable[[Seen, int], Text]:
    return lambda seen, _: size_text(read(seen))


def _size_column(title: str, read: Callable[[Seen], int | None]) -> Column:
    return Column(title, read, _sized(read), right=True)


COLUMNS: Final[Mapping[str, Column]] = {
    "name": Column("GUEST", lambda seen: seen.row.name, lambda seen, width: name_text(seen.row.name, width)),
    "state": Column("STATE", lambda seen: seen.row.state, lambda seen, _: state_text(seen.row.state)),
    "bar": Column(
        "OF ITS MAXIMUM",
        lambda seen: (
            seen.row.maximum_bytes,
            seen.row.actual_bytes,
            seen.row.floor_bytes,
            seen.row.ceiling_bytes,
            seen.row.need_bytes,
            seen.row.target_bytes,
            seen.row.told_bytes,
            seen.row.state,
        ),
        lambda seen, width: range_bar(seen.row, width),
    ),
    "actual": _size_column("ACTUAL", lambda seen: seen.row.actual_bytes),
    "next": _size_column("NEXT", lambda seen: seen.row.target_bytes),
    "need": _size_column("NEED", lambda seen: seen.row.need_bytes),
    "usable": _size_column("USABLE", lambda seen: seen.row.usable_bytes),
    "swap": _size_column("SWAPPED", lambda seen: seen.swapped_bytes),
    "maximum": _size_column("MAXIMUM", lambda seen: seen.row.maximum_bytes),
    "age": Column(
        "AGE",
        lambda seen: None if seen.row.stats_age_seconds is None else round(seen.row.stats_age_seconds),
        lambda seen, _: _age_text(seen.row.stats_age_seconds),
        right=True,
    ),
    "spark": Column(
        "LAST 2 MIN",
        lambda seen: (seen.spark, seen.row.maximum_bytes),
        lambda seen, _: sparkline(seen.spark, seen.row.maximum_bytes),
    ),
    "reason": Column("WHY", lambda seen: rule(seen.row), lambda seen, width: clipped(rule(seen.row), width)),
}
_FIXED: Final = {"state": 9, "age": 7, "spark": SPARK_POINTS}
_SIZE_COLUMNS = 8  # "1023 MiB"
# What a screen of so many columns has room for, from the widest on.
_LAYOUTS: Final = (
    (180, "name state bar actual next need usable maximum swap age spark reason"),
    (150, "name state bar actual need usable maximum age spark reason"),
    (116, "name state bar actual need usable age spark reason"),
    (98, "name state bar actual need usable age spark"),
    (0, "name state bar actual usable age"),
)


def layout(columns: int, longest_name: int) -> dict[str, int]:
    """Return the columns that fit into so many, and the width of each; bar or reason take what is left."""
    names = next(names.split() for least, names in _LAYOUTS if columns >= least)
    widths = {name: _FIXED.get(name, _SIZE_COLUMNS) for name in names}
    widths["name"] = max(6, min(longest_name, 24 if columns >= 150 else 16 if columns >= 98 else 14))
    widths["bar"] = 0
    if "reason" in widths:
        widths |= {"bar": 28 if columns >= 150 else 20, "reason": 0}
    left = columns - sum(widths.values()) - _GAP * len(widths) - 1  # its scroll bar
    widths["reason" if "reason" in widths else "bar"] = max(8, left)
    return widths


class GuestTable(DataTable[Text], inherit_bindings=False):
    """The guests; a row is chosen by its UUID, wherever it moves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "why"),
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("ctrl+home,g", "scroll_top", "Top", show=False),
        Binding("ctrl+end,G", "scroll_bottom", "Bottom", show=False),
    ]
    DEFAULT_CSS = """
    GuestTable {
        scrollbar-size: 1 1; overflow-x: hidden; background: ansi_default;
        &:ansi > .datatable--header {
            background: ansi_default; color: ansi_default; text-style: bold underline;
        }
        &:ansi > .datatable--cursor, &:ansi:focus > .datatable--cursor {
            background: ansi_default; color: ansi_default; text-style: reverse;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False, id="guests")
        self._widths: dict[str, int] = {}
        self._facts: dict[str, list[object]] = {}  # what each row's cells were drawn from, by UUID
        self._names: dict[str, Text] = {}  # the first cells of the rows, by UUID
        self._placed: list[str] = []  # UUIDs in the rows' order
        self._order = Order()

    @property
    def chosen(self) -> str | None:
        """Return the UUID of the guest under the cursor."""
        return self._placed[self.cursor_row] if 0 <= self.cursor_row < len(self._placed) else None

    def draw(self, guests: Sequence[Seen], order: Order, columns: int) -> None:
        """Show these guests in this order."""
        chosen = self.chosen
        longest = max((len(seen.row.name) for seen in guests), default=0)
        widths = layout(columns, longest)
        if widths != self._widths or order != self._order:
            self._begin(widths, order)
        wanted = [seen.row.uuid for seen in guests]
        for uuid in self._facts.keys() - set(wanted):
            self.remove_row(uuid)
            del self._facts[uuid], self._names[uuid]
        self._placed = [uuid for uuid in self._placed if uuid in self._facts]
        for seen in guests:
            self._draw_row(seen)
        if wanted != self._placed:
            self._place(wanted)
        if chosen is not None and chosen != self.chosen and chosen in self._facts:
            self.move_cursor(row=wanted.index(chosen), animate=False)

    def _begin(self, widths: dict[str, int], order: Order) -> None:
        """Make the columns anew, with a mark at the one that rows are sorted by."""
        self.clear(columns=True)
        self._widths, self._order = widths, order
        self._facts, self._names, self._placed = {}, {}, []
        for name, width in widths.items():
            column = COLUMNS[name]
            mark = ("▴" if order.reverse else "▾") if name == order.by else ""
            title = Text(f"{column.title}{mark}"[:width], justify="right" if column.right else "left")
            self.add_column(title, width=width, key=name)

    def _draw_row(self, seen: Seen) -> None:
        uuid = seen.row.uuid
        facts = [COLUMNS[name].facts(seen) for name in self._widths]
        before = self._facts.get(uuid)
        self._facts[uuid] = facts
        if before is None:
            cells = [COLUMNS[name].draw(seen, width) for name, width in self._widths.items()]
            self._names[uuid] = cells[0]
            self.add_row(*cells, key=uuid)
            self._placed.append(uuid)
            return
        for (name, width), now, then in zip(self._widths.items(), facts, before, strict=True):
            if now != then:
                cell = COLUMNS[name].draw(seen, width)
                self.update_cell(uuid, name, cell)
                if name == "name":
                    self._names[uuid] = cell

    def _place(self, wanted: list[str]) -> None:
        """Put the rows into this order: a table sorts by its cells, and each name has one of its own."""
        places = {id(self._names[uuid]): place for place, uuid in enumerate(wanted)}
        self.sort("name", key=lambda cell: places[id(cell)])
        self._placed = wanted
