"""The view: the four questions on one screen, the keys, and time."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, Static

from ballonet.errors import BallonetError
from ballonet.service.models import Event, GuestRow, Hold
from ballonet.show.terminal import actions
from ballonet.show.terminal.detail import DetailScreen
from ballonet.show.terminal.dialog import Dialog
from ballonet.show.terminal.guests import GuestTable, Seen
from ballonet.show.terminal.happened import EventsScreen, events_text, until
from ballonet.show.terminal.helping import HelpScreen
from ballonet.show.terminal.host import host_lines, notices, title_line, trouble_text, who_line
from ballonet.show.terminal.keys import ANYWHERE, BINDINGS, OF_A_GUEST, OF_THE_TABLE
from ballonet.show.terminal.order import Order, matching
from ballonet.show.terminal.panel import Panel
from ballonet.show.terminal.past import SPARK_POINTS, SPARK_SECONDS, Past
from ballonet.show.terminal.playback import Playback
from ballonet.show.terminal.slider import Slider, offset
from ballonet.show.terminal.source import Frame, Source
from ballonet.show.terminal.upcoming import next_text
from ballonet.units import format_duration

RETRY_SECONDS = 1.0  # between two tries to reach a service that is gone
AGE_SECONDS = 1.0  # between two looks at the clock for ages
WIDE_COLUMNS = 116  # from here on what it did and will do stand side by side
# What it did and will do have at least so many lines, titles included, and all that guests leave.
LEAST_LINES, LEAST_WIDE_LINES = 9, 7


class Top(App[None]):
    """Shows a source, and has done what its keys ask for."""

    TITLE = "ballonet top"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]
    CSS_PATH = "app.tcss"

    def __init__(self, source: Source, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"  # the terminal's own colours, whether it is dark or light
        self._source, self._monotonic = source, monotonic
        self._past = Past(source)
        self._time = Playback(source)
        self._received_at = monotonic()
        self._trouble: BallonetError | None = None
        self._order, self._words = Order(), ""
        self._drawn: object = None  # what the frame was drawn from

    def compose(self) -> ComposeResult:
        """Make the four answers, one below the other."""
        yield Static(id="head", markup=False)
        yield Static(id="trouble", markup=False, classes="hidden")
        yield Static(id="notice", markup=False, classes="hidden")
        yield Static(id="who", markup=False)
        yield GuestTable()
        with Container(id="below"):
            yield Panel("WHAT IT JUST DID", self._did_text, id="did")
            yield Panel("WHAT IT WILL DO NEXT", self._next_text, id="next")
        yield Slider()
        yield Input(placeholder="a guest's name, or a state", id="filter", classes="hidden")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to watch."""
        self.query_one(GuestTable).focus()
        self.set_interval(AGE_SECONDS, self._draw_head)
        self._draw()
        self.feed()
        self.ask_sparklines()
        for number in (signal.SIGTERM, signal.SIGHUP):  # the terminal is left as it was
            asyncio.get_running_loop().add_signal_handler(number, self.exit)

    async def on_unmount(self) -> None:
        """Let go of the source."""
        await self._source.close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:  # noqa: ARG002
        """Return whether a key does something on this screen."""
        if isinstance(self.screen, ModalScreen):
            return action in ANYWHERE
        if action in OF_A_GUEST:
            return len(self.screen_stack) == 1 or isinstance(self.screen, DetailScreen)
        return len(self.screen_stack) == 1 or action not in OF_THE_TABLE

    # --- frames -------------------------------------------------------------------------------------

    @work
    async def feed(self) -> None:
        """Take in frames as they come, or as fast as somebody wants to see them."""
        while True:
            try:
                came = await self._time.advance()
            except BallonetError as error:
                self._trouble = error
                self._draw_head()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not came:
                continue
            self._trouble, self._received_at = None, self._monotonic()
            if self._is_news():
                self._draw()
            else:
                self._draw_head()

    def _is_news(self) -> bool:
        """Return whether there is more to draw than that all is a second older."""
        frame, last = self.frame, self._source.events[-1:]
        seen = None if frame is None else (frame.number, frame.overview.guests, frame.overview.status.holds)
        before, self._drawn = self._drawn, (seen, last, self._time.playing)
        return before != self._drawn

    @work
    async def ask_sparklines(self) -> None:
        """Ask for what a service kept of the time before the first frame."""
        with suppress(BallonetError):
            found = await self._source.sparklines(SPARK_SECONDS, SPARK_POINTS)
            if found is not None:
                self._past.take(found)

    @property
    def frame(self) -> Frame | None:
        """Return the frame that is shown; None before the first."""
        return self._time.frame

    def told(self, at: float) -> str:
        """Return a time as it is shown: on this machine's clock, or since the first frame."""
        if not self._source.paced:
            return time.strftime("%H:%M:%S", time.localtime(at))
        return offset(at - self._source.at(self._source.numbers.start)) if self._source.numbers else ""

    # --- drawing ------------------------------------------------------------------------------------

    def _stands(self) -> bool:
        """Return whether there is something to draw on; not while the view begins or ends."""
        there = {widget.id for widget in self.screen_stack[0].children} if self.screen_stack else set()
        return {"head", "trouble", "notice", "who", "guests", "below", "slider"} <= there

    def _draw(self) -> None:
        """Draw all that there is to see of the frame."""
        if not self._stands():
            return
        self._draw_head()
        self._draw_slider()
        if (frame := self.frame) is None:
            return
        self._draw_guests(frame)
        self._draw_below()
        for screen in self.screen_stack:
            if isinstance(screen, DetailScreen):
                screen.take(frame, newest=self._time.newest)
            elif isinstance(screen, EventsScreen):
                screen.take(self._events(frame))

    def _draw_head(self) -> None:
        if not self._stands():
            return
        main = self.screen_stack[0]
        columns, frame = main.size.width, self.frame
        overview = None if frame is None else frame.overview
        lag = self._monotonic() - self._received_at
        served = not self._source.paced
        title = title_line(
            self._source.title, overview, lag if served and self._time.newest else None, columns
        )
        main.query_one("#head", Static).update(Text("\n").join([title, host_lines(overview, columns)]))
        trouble = main.query_one("#trouble", Static)
        trouble.set_class(self._trouble is None, "hidden")
        if self._trouble is not None:
            trouble.update(Text(trouble_text(self._trouble, lag, waits=frame is None)))
        lines = notices(None if overview is None else overview.status)
        if served and frame is not None and not self._time.newest:
            back = format_duration(round(self._source.at(self._time.numbers.stop - 1) - frame.at))
            lines.insert(0, f"This was {back} ago: End goes to now")
        notice = main.query_one("#notice", Static)
        notice.set_class(not lines, "hidden")
        notice.update(Text("\n".join(lines)))
        if frame is None:
            main.query_one("#who", Static).update(Text("waiting for the first look at the guests", "dim"))

    def _draw_slider(self) -> None:
        slider = self.screen_stack[0].query_one(Slider)
        numbers = self._time.numbers
        hidden = not numbers or self._time.number is None or (not self._source.paced and self._time.playing)
        slider.set_class(hidden, "hidden")
        if not hidden and self._time.number is not None:
            slider.show(
                numbers,
                self._time.number,
                self._source.at(self._time.number),
                self._source.at(numbers.start),
                playing=self._time.playing,
                speed=self._time.speed if self._source.paced else None,
            )

    def _draw_guests(self, frame: Frame) -> None:
        main = self.screen_stack[0]
        columns, table = main.size.width, main.query_one(GuestTable)
        below = LEAST_WIDE_LINES if columns >= WIDE_COLUMNS else LEAST_LINES
        room = table.size.height + main.query_one("#below").size.height - below
        table.styles.height = max(4, min(len(frame.rows) + 1, room))
        sparks, swapped = self._past.sparks(frame), self._past.swapped(frame)
        rows = self._order.sorted(matching(frame.overview.guests, self._words), swapped)
        seen = [Seen(row, sparks[row.uuid], swapped.get(row.uuid)) for row in rows]
        table.draw(seen, self._order, columns)
        order = f"{self._order.by}{', turned round' if self._order.reverse else ''}"
        line = who_line(frame.overview, len(rows), self._words, order)
        line.truncate(columns, overflow="ellipsis")
        main.query_one("#who", Static).update(line)

    def _draw_below(self) -> None:
        for panel in self.screen_stack[0].query(Panel):
            panel.refresh()

    def _did_text(self, columns: int, lines: int) -> Text:
        return events_text(self._events(self.frame), self.told, columns, lines) if self.frame else Text()

    def _next_text(self, columns: int, lines: int) -> Text:
        return next_text(self.frame.overview, self.chosen, columns, lines) if self.frame else Text()

    def _events(self, frame: Frame) -> list[Event]:
        events = self._source.events
        return list(events if self._time.newest else until(events, frame.at))

    def on_resize(self) -> None:
        """Lay it out for this many columns."""
        self.screen_stack[0].set_class(self.size.width >= WIDE_COLUMNS, "wide")
        self.call_after_refresh(self._draw)

    def on_data_table_row_highlighted(self) -> None:
        """Say why the guest under the cursor has its size."""
        self._draw_below()

    # --- what keys do -------------------------------------------------------------------------------

    @property
    def chosen(self) -> GuestRow | None:
        """Return the guest under the cursor, or the one whose detail is shown."""
        if self.frame is None:
            return None
        table, screen = self.screen_stack[0].query_one(GuestTable), self.screen
        uuid = screen.uuid if isinstance(screen, DetailScreen) else table.chosen
        return None if uuid is None else self.frame.rows.get(uuid)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show why a guest has its size, and its past."""
        uuid = event.row_key.value
        if uuid is not None and self.frame is not None:
            self.push_screen(DetailScreen(self._source, self._past, uuid, self.told))
            self.call_after_refresh(self._draw)

    def action_sort(self) -> None:
        """Sort by what comes next."""
        self._order = self._order.next()
        self._draw()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._order = self._order.turned()
        self._draw()

    def action_filter(self) -> None:
        """Type which guests are shown."""
        typed = self.query_one("#filter", Input)
        typed.remove_class("hidden")
        typed.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the guests that match so far."""
        if event.input.id == "filter" and event.input.screen is self.screen_stack[0]:
            self._words = event.value.strip()
            self._draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it so."""
        if event.input.screen is self.screen_stack[0]:
            event.input.add_class("hidden")
            self.query_one(GuestTable).focus()

    def action_all(self) -> None:
        """Show all guests again."""
        typed = self.screen_stack[0].query_one("#filter", Input)
        typed.value = ""
        typed.add_class("hidden")
        self.screen_stack[0].query_one(GuestTable).focus()

    def action_events(self) -> None:
        """Show all events."""
        screen = EventsScreen(self.told)
        screen.take([] if self.frame is None else self._events(self.frame))
        self.push_screen(screen)

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(HelpScreen())

    # --- time ---------------------------------------------------------------------------------------

    def action_play(self) -> None:
        """Stop and go on."""
        self._time.play(playing=not self._time.playing)
        self._draw()

    async def action_step(self, frames: int) -> None:
        """Go to an earlier or later frame, and stay there."""
        await self._time.step(frames)
        self._draw()

    def on_slider_moved(self, moved: Slider.Moved) -> None:
        """Go to the frame that the mouse is at."""
        self._time.go(moved.number)
        self._draw()

    def action_first(self) -> None:
        """Go to the oldest frame."""
        self._time.go(self._time.numbers.start)
        self._draw()

    def action_live(self) -> None:
        """Go to the newest frame, and on from there."""
        self._time.go(self._time.numbers.stop - 1)
        self._time.play(playing=True)
        self._draw()

    def action_faster(self, factor: float) -> None:
        """Have time pass faster, or slower."""
        self._time.faster(factor)
        self._draw_slider()

    # --- doing --------------------------------------------------------------------------------------

    def action_pause(self) -> None:
        """Pause everybody, or resume."""
        if self.frame is None:
            return
        paused = self.frame.overview.status.paused
        self._ask(actions.pause_everybody() if paused is None else actions.resume_everybody(paused))

    def action_hold(self) -> None:
        """Hold the guest, or go on with it."""
        row, held = self.chosen, self._held()
        if row is not None:
            self._ask(actions.hold(row) if held is None else actions.resume(row, held))

    def _held(self) -> Hold | None:
        """Return what the chosen guest is held for."""
        frame, row = self.frame, self.chosen
        if frame is None or row is None:
            return None
        return next((hold for hold in frame.overview.status.holds if hold.uuid == row.uuid), None)

    def action_release(self) -> None:
        """Give the guest its memory back."""
        if self.chosen is not None:
            self._ask(actions.release(self.chosen))

    def action_set_size(self) -> None:
        """Set the guest's size."""
        if self.chosen is not None:
            self._ask(actions.set_size(self.chosen))

    def _ask(self, action: actions.Action) -> None:
        if self._source.read_only:
            self.notify(self._source.read_only, severity="warning", markup=False)
        elif not self._time.newest:
            self.notify(
                "this is the past, in which nothing can be done: End goes to now",
                severity="warning",
                markup=False,
            )
        else:
            self.push_screen(Dialog(action, self._source.act), self._done)

    def _done(self, said: str | None) -> None:
        if said is not None:
            self.notify(said, markup=False)
