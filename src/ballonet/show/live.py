"""The live table: who has memory, who needs it, and what was last done about it."""

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ballonet.facts.happening import Happening, Kind
from ballonet.facts.plan import Bound, Plan, PlanRow
from ballonet.show.reasons import what
from ballonet.units import format_size

BAR_COLUMNS = 24

# One word a guest, as everywhere: what it is doing, or why it is left alone.
_STATES = {
    Bound.NOTHING: ("steady", "dim"),
    Bound.GROWS: ("growing", "green"),
    Bound.SHRINKS: ("giving", "cyan"),
    Bound.BITE: ("giving", "cyan"),
    Bound.HOST_SHORT: ("waiting", "yellow"),
    Bound.DISTRESS: ("distress", "red"),
}


class LiveTable:
    """Takes in plans and happenings; draws them."""

    def __init__(self, title: str, budget_bytes: float | None) -> None:
        self._title = title
        self._budget_bytes = budget_bytes
        self._plan: Plan | None = None
        self._last: dict[str, str] = {}

    def take_plan(self, plan: Plan) -> None:
        """Show this plan from now on."""
        self._plan = plan

    def take_happening(self, happening: Happening) -> None:
        """Show what was done to a guest last."""
        if happening.kind not in {Kind.CAME, Kind.VERDICT}:
            self._last[happening.uuid] = what(happening)

    def draw(self) -> RenderableType:
        """Return the table as it stands."""
        table = Table(title=self._title, title_justify="left", expand=True, box=None, pad_edge=False)
        table.add_column("GUEST", no_wrap=True)
        table.add_column("NEED", justify="right", no_wrap=True)
        table.add_column("ACTUAL", justify="right", no_wrap=True)
        table.add_column("OF ITS MAXIMUM", min_width=BAR_COLUMNS, max_width=BAR_COLUMNS)
        table.add_column("STATE", no_wrap=True, min_width=8)
        table.add_column("LAST CHANGE AND REASON", ratio=1, no_wrap=True, overflow="ellipsis")
        held = 0.0
        if self._plan is not None:
            for index in range(len(self._plan.snapshot)):
                row = self._plan.row(index)
                held += row.actual_bytes
                maximum = float(self._plan.snapshot.maximum[index])
                table.add_row(*_cells(row, maximum, self._last.get(row.uuid, "")))
        total = Text(f"Together {format_size(held)}")
        if self._budget_bytes is not None:
            total.append(f" of a budget of {format_size(self._budget_bytes)}")
            if held > self._budget_bytes:
                total.append(", above it", style="yellow")
        return Group(table, Text(), total)


def _cells(row: PlanRow, maximum: float, last: str) -> list[RenderableType]:
    word, style = (
        _STATES.get(row.bound, ("steady", "dim")) if row.verdict.managed else (row.verdict.code, "dim")
    )
    need = row.wanted_bytes[0]
    return [
        row.name,
        format_size(need) if need else "–",
        format_size(row.actual_bytes),
        Bar(
            maximum,
            0,
            row.actual_bytes,
            width=BAR_COLUMNS,
            color="green" if need <= row.actual_bytes else "red",
        ),
        Text(word, style=style),
        Text(last, style="dim"),
    ]
