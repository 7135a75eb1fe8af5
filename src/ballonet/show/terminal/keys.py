"""The keys of the view, and on which of its screens each does something."""

from typing import Final

from textual.binding import Binding

BINDINGS: Final = (
    Binding("slash", "filter", "filter", key_display="/"),
    Binding("s", "sort", "sort"),
    Binding("r", "reverse", "reverse", show=False),
    Binding("p", "pause", "pause"),
    Binding("h", "hold", "hold"),
    Binding("l", "release", "release"),
    Binding("S", "set_size", "set"),
    Binding("e", "events", "events"),
    Binding("space", "play", "stop", show=False),
    Binding("left", "step(-1)", "Back", show=False),
    Binding("right", "step(1)", "On", show=False),
    Binding("home", "first", "First", show=False),
    Binding("end", "live", "Newest", show=False),
    Binding("plus,equals_sign", "faster(2.0)", "Faster", show=False),
    Binding("minus", "faster(0.5)", "Slower", show=False),
    Binding("escape", "all", "All", show=False),
    Binding("question_mark", "help", "help", key_display="?"),
    Binding("q,ctrl+c", "quit", "quit", key_display="q"),
)
OF_THE_TABLE: Final = frozenset({"filter", "sort", "reverse", "all", "pause", "events", "help"})
OF_A_GUEST: Final = frozenset({"hold", "release", "set_size"})
ANYWHERE: Final = frozenset({"quit", "focus_next", "focus_previous"})  # also while a dialog asks
