"""Time: where in the frames the view is, and how fast it goes on."""

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Static


def offset(seconds: float) -> str:
    """Return seconds since the beginning as 1:02:03, or 02:03 within the first hour."""
    minutes, rest = divmod(abs(round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
    return f"-{text}" if seconds <= -0.5 else text


class Slider(Static):
    """A line to see and choose a frame by, with the mouse too."""

    DEFAULT_CSS = "Slider { height: 1; }"

    class Moved(Message):
        """Somebody wants another frame."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self) -> None:
        super().__init__(id="slider", markup=False)
        self._numbers = range(0)
        self._begun = self._length = 0  # columns of the bar

    def show(
        self, numbers: range, number: int, at: float, begun: float, *, playing: bool, speed: float | None
    ) -> None:
        """Show a frame's place; `speed` None: time passes as it does, and can only be looked back at."""
        word = _speed(speed) if playing else "stopped" if speed is not None else "looking back"
        left = f" {'▶' if playing else '■'} {offset(at - begun)} "
        right = f" {word} "
        self._numbers, self._begun = numbers, len(left)
        self._length = max(4, self.size.width - len(left) - len(right))
        text = Text(no_wrap=True).append(left, "" if playing else "bold yellow")
        last = max(1, len(numbers) - 1)
        place = round((self._length - 1) * (number - numbers.start) / last)
        text.append("━" * place, "cyan").append("●", "bold").append("─" * (self._length - 1 - place), "dim")
        self.update(text.append(right))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go to the frame there, and follow the mouse until it is let go."""
        self.capture_mouse()
        self._go(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow the mouse while it is held."""
        if event.button:
            self._go(event.x)

    def on_mouse_up(self) -> None:
        """Let the mouse go."""
        self.release_mouse()

    def _go(self, x: int) -> None:
        if self._numbers:
            share = max(0.0, min(1.0, (x - self._begun) / max(1, self._length - 1)))
            self.post_message(self.Moved(self._numbers[round(share * (len(self._numbers) - 1))]))


def _speed(speed: float | None) -> str:
    return "live" if speed is None else f"×{speed:g}"
