"""A part of the screen that is drawn for the columns and lines that it has at that moment."""

from collections.abc import Callable

from rich.text import Text
from textual.widget import Widget


class Panel(Widget):
    """A title, and below it what a function draws for so many columns and lines."""

    DEFAULT_CSS = "Panel { height: 1fr; width: 1fr; }"

    def __init__(self, title: str, draws: Callable[[int, int], Text], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title, self._draws = title, draws

    def render(self) -> Text:
        """Return it as it is now."""
        text = Text(no_wrap=True, overflow="ellipsis").append(self._title, "bold underline").append("\n")
        return text.append_text(self._draws(self.size.width, max(1, self.size.height - 1)))
