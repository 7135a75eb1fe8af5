"""One guest: why it has its size, and its past."""

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from ballonet.errors import BallonetError
from ballonet.service.models import GuestHistory, GuestRow
from ballonet.show.table import printable
from ballonet.show.terminal.chart import chart, legend
from ballonet.show.terminal.happened import Told
from ballonet.show.terminal.marks import name_text, range_bar, state_text
from ballonet.show.terminal.past import Past
from ballonet.show.terminal.source import Frame, Source
from ballonet.show.why import why_text
from ballonet.show.words import age, size

PAST_SECONDS = 1800.0  # of the chart, where a service keeps so much
CHART_LINES = 9


class DetailScreen(Screen[None]):
    """Shows a guest at the frame that the view is at; its reasons are known of the newest frame only."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "app.pop_screen", "back"),
        Binding("h", "app.hold", "hold"),
        Binding("l", "app.release", "release"),
        Binding("S", "app.set_size", "set"),
        Binding("up,k", "scroll(-1)", "up", show=False),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("pageup", "scroll(-10)", "up", show=False),
        Binding("pagedown", "scroll(10)", "down", show=False),
    ]
    CSS = """
    DetailScreen Static { height: auto; }
    DetailScreen VerticalScroll { height: 1fr; scrollbar-size: 1 1; margin: 1 0 0 0; }
    """

    def __init__(self, source: Source, past: Past, uuid: str, told: Told) -> None:
        super().__init__()
        self._told = told
        self.uuid = uuid
        self._source, self._past = source, past
        self._kept: GuestHistory | None = None

    def compose(self) -> ComposeResult:
        """Make the head, the chart and the reasons."""
        yield Static(id="head", markup=False)
        yield Static(id="chart", markup=False)
        with VerticalScroll(can_focus=False):
            yield Static("asking why …", id="why", markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Ask for what was kept before this view was."""
        self.ask_past()

    def take(self, frame: Frame, *, newest: bool) -> None:
        """Show this frame; `newest`: its reasons can be asked for."""
        if len(self.query("#head, #chart, #why")) < 3:  # it is made, or goes
            return
        row = frame.rows.get(self.uuid)
        columns = self.size.width
        if row is None:
            self.query_one("#head", Static).update(Text().append("it is gone", "bold yellow"))
            return
        self.query_one("#head", Static).update(_head(row, columns))
        moments = self._past.moments(self.uuid, frame, self._kept, most=4 * columns)
        drawn = chart(moments, row.maximum_bytes, columns, CHART_LINES, self._told)
        self.query_one("#chart", Static).update(Text("\n").join([legend(), drawn]))
        if newest:
            self.ask_why(row)
        else:
            self._say(f"{row.sentence}\n\nMore is known of the newest frame only: End goes there.")

    @work(exclusive=True, group="why")
    async def ask_why(self, row: GuestRow) -> None:
        """Ask why, and show the answer; a source that knows no reasons says so."""
        try:
            why = await self._source.why(self.uuid)
        except BallonetError as error:
            self._say(f"{row.sentence}\n\n{error.message}\nhint: {error.hint}")
        else:
            self._say(why_text(why, self.size.width - 2))

    @work
    async def ask_past(self) -> None:
        """Ask for what a service keeps."""
        self._kept = await self._source.history(self.uuid, PAST_SECONDS, 2 * self.size.width)

    def _say(self, text: str) -> None:
        lines = "\n".join(map(printable, text.splitlines()))
        self.query_one("#why", Static).update(Text(lines))

    def action_scroll(self, lines: int) -> None:
        """Move the reasons by so many lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def _head(row: GuestRow, columns: int) -> Text:
    """Return a guest's name, state, bar and sizes."""
    text = Text(no_wrap=True)
    text.append_text(name_text(row.name, max(8, columns // 2))).stylize("bold")
    text.append("  ").append_text(state_text(row.state))
    text.append(f"  statistics {age(row.stats_age_seconds)} old", "dim")
    text.append(f"  {printable(row.hypervisor)}\n", "dim")
    text.append_text(range_bar(row, columns)).append("\n")
    sizes = (
        ("floor", row.floor_bytes),
        ("need", row.need_bytes),
        ("actual", row.actual_bytes),
        ("told", row.told_bytes),
        ("ceiling", row.ceiling_bytes),
        ("usable", row.usable_bytes),
    )
    for word, value in sizes:
        if word != "usable" or columns >= 100:
            text.append(f"{word} ", "dim").append(f"{size(value)}  ")
    return text
