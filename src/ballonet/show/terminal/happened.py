"""What it just did, and why: the last events, beside the rest or on a screen of their own."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Input, RichLog, Static

from ballonet.facts.happening import ACTS
from ballonet.service.models import Event
from ballonet.show.table import UNKNOWN, printable
from ballonet.show.terminal.marks import clipped, name_text

MOST_LINES = 500  # of the screen: as far back as anybody scrolls

Told = Callable[[float], str]  # a time in epoch seconds, as it is shown

_STYLES = {
    "burst": "green",
    "failed": "bold red",
    "broken": "bold red",
    "held": "blue",
    "asked": "blue",
    "leased": "blue",
    "state": "yellow",
}


def until(events: Sequence[Event], at: float) -> Sequence[Event]:
    """Return what had happened by then."""
    return events[: bisect_right(events, at, key=lambda event: event.at.timestamp())]


def event_text(event: Event, told: Told, name_columns: int) -> Text:
    """Return when, to whom, what and why."""
    would = "would: " if not event.written and event.kind in ACTS else ""
    name = name_text(event.name or UNKNOWN, name_columns)
    name.pad_right(name_columns - name.cell_len)
    text = Text.assemble((told(event.at.timestamp()), "dim"), "  ", name, "  ")
    return text.append(printable(f"{would}{event.sentence}"), _STYLES.get(event.kind, ""))


def events_text(events: Sequence[Event], told: Told, columns: int, lines: int) -> Text:
    """Return the last events, the newest first, a line each."""
    if not events:
        return Text("nothing happened yet", "dim")
    newest = list(reversed(events[-lines:]))
    widest = min(12, max(len(event.name or UNKNOWN) for event in newest))
    found = [event_text(event, told, widest) for event in newest]
    for each in found:
        each.truncate(columns, overflow="ellipsis")
    return Text("\n", no_wrap=True).join(found)


def matches(event: Event, words: str) -> bool:
    """Return whether an event's guest, kind or sentence contains what was typed, in any case."""
    wanted = words.casefold()
    return any(wanted in part.casefold() for part in (event.name or "", event.kind, event.sentence))


class EventList(RichLog, inherit_bindings=False):
    """Lines that the screen's keys scroll."""


class EventsScreen(Screen[None]):
    """All events that are kept, the newest last, and a filter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,e", "app.pop_screen", "back"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("up,k", "scroll(-1)", "up", show=False),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("pageup", "scroll(-10)", "up", show=False),
        Binding("pagedown", "scroll(10)", "down", show=False),
        Binding("end,G", "end", "newest"),
    ]
    CSS = """
    EventsScreen RichLog { height: 1fr; scrollbar-size: 1 1; background: ansi_default; }
    EventsScreen Input { height: 1; border: none; padding: 0; background: ansi_default; }
    EventsScreen Static { height: 1; text-style: bold; }
    """

    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told = told
        self._events: Sequence[Event] = ()
        self._shown: tuple[int, int, str] | None = None

    def compose(self) -> ComposeResult:
        """Make the title, the list, and the filter below it."""
        yield Static("EVENTS", id="title", markup=False)
        yield EventList(id="log", wrap=True, markup=False, highlight=False)
        yield Input(placeholder="a guest, a kind or a word", id="filter", select_on_focus=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the list."""
        self.query_one(EventList).focus()
        self.query_one(Input).display = False

    def take(self, events: Sequence[Event]) -> None:
        """Show these events from now on."""
        self._events = events
        self._draw()

    def _draw(self) -> None:
        if len(self.query("#title, #log, #filter")) < 3:  # it is made, or goes
            return
        words = self.query_one(Input).value
        newest = (len(self._events), self._events[-1].id if self._events else 0, words)
        if newest == self._shown:
            return
        self._shown = newest
        found = [event for event in self._events if matches(event, words)]
        log = self.query_one(EventList)
        at_end = log.is_vertical_scroll_end
        log.clear()
        widest = min(16, max((len(event.name or UNKNOWN) for event in found), default=1))
        for event in found[-MOST_LINES:]:
            log.write(event_text(event, self._told, widest), scroll_end=at_end)
        count = f"{len(found)} of {len(self._events)}" if words else str(len(found))
        title = f"EVENTS  {count}" + (f", filter: {words}" if words else "")
        self.query_one("#title", Static).update(clipped(title, self.size.width))

    def on_screen_resume(self) -> None:
        """Show what there is."""
        self._draw()

    def on_input_changed(self) -> None:
        """Filter as it is typed."""
        self._draw()

    def on_input_submitted(self) -> None:
        """Keep the filter."""
        self.query_one(EventList).focus()
        self.query_one(Input).display = bool(self.query_one(Input).value)

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(Input).display = True
        self.query_one(Input).focus()

    def action_scroll(self, lines: int) -> None:
        """Move by so many lines."""
        self.query_one(EventList).scroll_relative(y=lines, animate=False)

    def action_end(self) -> None:
        """Go to the newest."""
        self.query_one(EventList).scroll_end(animate=False)
