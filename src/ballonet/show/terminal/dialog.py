"""The question before something is done; what goes wrong is said in it, with what to do."""

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from ballonet.errors import BallonetError
from ballonet.service.models import Hold, ResumeAsked
from ballonet.show.requests import hold_sentence
from ballonet.show.table import printable
from ballonet.show.terminal.actions import Action, Values

Act = Callable[..., Awaitable[Sequence[Hold]]]


class Dialog(ModalScreen[str | None]):
    """Asks; returns what was done in words, None where it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave it"),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]
    CSS = """
    Dialog { align: center middle; background: transparent; }
    Dialog #box { width: 64; max-width: 96%; height: auto; border: round ansi_blue; padding: 0 1; }
    Dialog #box Horizontal { height: 1; }
    Dialog Label { width: 7; }
    Dialog Input { height: 1; border: none; padding: 0; width: 1fr; text-style: underline; }
    Dialog #said { height: auto; margin: 1 0 0 0; }
    Dialog #box #buttons { height: 1; margin: 1 0 0 0; align-horizontal: right; }
    Dialog Button { margin: 0 0 0 2; min-width: 10; }
    """

    def __init__(self, action: Action, act: Act) -> None:
        super().__init__()
        self._action, self._act = action, act
        self._busy = False

    def compose(self) -> ComposeResult:
        """Make the blanks, what they come to, and the two ways out."""
        with Vertical(id="box"):
            yield Static(Text(self._action.title, "bold"), id="asks", markup=False)
            for blank in self._action.blanks:
                with Horizontal():
                    yield Label(blank.label, markup=False)
                    yield Input(blank.value, placeholder=blank.hint, id=blank.name)
            yield Static(id="said", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Enter: do it", id="do", compact=True)
                yield Button("Esc: leave it", id="leave", compact=True)

    def on_mount(self) -> None:
        """Begin with the first blank."""
        first = self.query(Input).first() if self._action.blanks else self.query_one("#do", Button)
        first.focus()
        self._say()

    def _values(self) -> Values:
        return {str(blank.id): blank.value for blank in self.query(Input)}

    def _say(self) -> None:
        """Say what would be done, or what is wrong with what was typed."""
        try:
            _, said = self._action.read(self._values())
        except BallonetError as error:
            self._fail(error, "yellow")
        else:
            self.query_one("#said", Static).update(Text(said))

    def _fail(self, error: BallonetError, style: str) -> None:
        hint = f"\nhint: {printable(error.hint)}" if error.hint else ""
        said = Text().append(f"{printable(error.message)}{hint}", style)
        self.query_one("#said", Static).update(said)

    def on_input_changed(self) -> None:
        """Say what it comes to now."""
        self._say()

    def on_input_submitted(self) -> None:
        """Do it."""
        self.do()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do it, or leave it."""
        if event.button.id == "do":
            self.do()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Do nothing."""
        self.dismiss(None)

    @work
    async def do(self) -> None:
        """Have it done, once, and say what came of it."""
        if self._busy:
            return
        self._busy = True
        try:
            fields, _ = self._action.read(self._values())
            self.query_one("#said", Static).update(Text("asking …", "dim"))
            done = await self._act(self._action.kind, **fields)
        except BallonetError as error:
            self._fail(error, "bold red")
        else:
            self.dismiss(self._done(done))
        finally:
            self._busy = False

    def _done(self, holds: Sequence[Hold]) -> str:
        if self._action.kind is ResumeAsked:
            names = [printable(each.name or "everybody") for each in holds]
            return f"{', '.join(names)} is held no more" if names else "nobody was held"
        return "; ".join(map(hold_sentence, holds)) or "no guest is running"
