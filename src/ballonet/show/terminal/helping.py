"""Help: the keys, and what the marks mean."""

from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from ballonet.show.terminal.marks import STATES

_KEYS: Final = (
    ("↑ ↓  j k", "choose a guest"),
    ("Enter", "why it has its size, and its past; Esc goes back"),
    ("s  r", "sort by the next of name, actual, usable, need, state, swap; reverse"),
    ("/", "show only guests that match; Esc shows all"),
    ("p", "pause everybody, or resume"),
    ("h", "hold the guest for a time, or go on with it"),
    ("l", "release it: give back what is free, and hold it so"),
    ("S", "set its size, and hold it so"),
    ("e", "all events"),
    ("← →", "go back and on by a frame; the slider takes the mouse"),
    ("Home End", "the oldest frame kept; the newest, and on from there"),
    ("Space", "stop and go on"),
    ("+ -", "faster and slower, for simulated hosts and recordings"),
    ("q", "quit"),
)
_STATES: Final = {
    "paused": "somebody has it left as it is",
    "booting": "it started a moment ago",
    "no data": "it does not report what a decision needs",
    "stuck": "it did not follow its last target",
    "ignored": "it must not be touched: Enter says why",
    "swapping": "it lacks memory",
    "growing": "it is on its way to more",
    "shrinking": "it gives memory",
    "at floor": "it has as little as it may",
    "steady": "it has what it should have",
}


def help_text() -> Text:
    """Return all of it."""
    text = Text()
    for key, does in _KEYS:
        text.append(f"{key:<10}", "bold").append(f"{does}\n")
    text.append("\nA guest's bar is as long as its maximum:\n", "bold")
    text.append("━━[━━|━━━>··]   ", "green")
    text.append("[ floor  | need  > grows to  < shrinks to  · room  ] ceiling\n")
    text.append("\nWhat each state means:\n", "bold")
    for state, style in STATES.items():
        text.append(f"{state:<10}", style).append(f"{_STATES[state]}\n")
    return text.append("\n– is unknown; ! marks statistics that are too old to go by.\n")


class HelpScreen(Screen[None]):
    """Keys and marks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,enter", "app.pop_screen", "back"),
        Binding("up,k,pageup", "scroll(-8)", "up", show=False),
        Binding("down,j,pagedown", "scroll(8)", "down", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Make the page."""
        with VerticalScroll(can_focus=False):
            yield Static(help_text(), markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def action_scroll(self, lines: int) -> None:
        """Move by so many lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)
