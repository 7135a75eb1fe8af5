"""The keys of the view, each seen to take effect: at a service behind a real socket, on simulated hosts."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from frames import GUESTS, Scripted, overview, row, run_of
from hosted import Hosted, hosted
from rich.text import Text
from textual.pilot import Pilot
from textual.widgets import Input, RichLog, Static

from ballonet.service.models import PauseAsked
from ballonet.service.sources.served import Served
from ballonet.service.sources.simulated import Simulated
from ballonet.show.terminal.app import Top
from ballonet.show.terminal.detail import DetailScreen
from ballonet.show.terminal.dialog import Dialog
from ballonet.show.terminal.guests import GuestTable
from ballonet.show.terminal.happened import EventsScreen
from ballonet.show.terminal.helping import HelpScreen
from ballonet.show.terminal.slider import Slider
from ballonet.show.terminal.source import Source
from ballonet.simulator.scenarios import scenario
from ballonet.units import MIB

SIZE = (100, 30)


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        await pilot.pause(0.01)
    await pilot.pause()


@asynccontextmanager
async def watching(source: Source, size: tuple[int, int] = SIZE) -> AsyncIterator[tuple[Top, Pilot[Any]]]:
    app = Top(source)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.frame is not None and app.query_one(GuestTable).row_count)
        yield app, pilot


def served(service: Hosted) -> Served:
    return Served(service.path, poll_seconds=0.1)


def names(app: Top) -> list[str]:
    """Return the guests in the order in which they are shown."""
    table = app.screen_stack[0].query_one(GuestTable)
    return [str(table.get_row_at(place)[0]) for place in range(table.row_count)]


def said(app: Top, place: str) -> str:
    return str(app.screen.query_one(place, Static).render())


def notes(app: Top) -> list[str]:
    return [note.message for note in app._notifications]


def state(app: Top, name: str) -> str:
    frame = app.frame
    assert frame is not None
    return next(guest.state for guest in frame.overview.guests if guest.name == name)


# --- looking ---------------------------------------------------------------------------------------------


async def test_arrows_and_letters_choose_a_guest(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        chosen = []
        for key in ("down", "j", "up", "k", "G", "g"):
            await pilot.press(key)
            chosen.append(app.chosen.name if app.chosen else None)
        assert ["idle", "spare", "idle", "busy"] == chosen[:4]


async def test_enter_says_why_and_follows_the_guest(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        await pilot.press("j", "enter")
        await until(pilot, lambda: "What was learned of it" in said(app, "#why"))
        assert isinstance(app.screen, DetailScreen)
        assert "idle has" in said(app, "#why")
        assert "what was known" in said(app, "#why").casefold()
        assert "┤" in said(app, "#chart")
        assert said(app, "#head").startswith("idle")
        await pilot.press("pagedown", "escape")
        assert 1 == len(app.screen_stack)


async def test_guests_are_sorted_by_the_next_column_and_turned_round(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        assert ["busy", "idle", "spare", "web"] == names(app)
        await pilot.press("r")
        assert ["web", "spare", "idle", "busy"] == names(app)
        await pilot.press("r", "s")
        sizes = [service.size(name) for name in names(app)]
        assert sorted(sizes, reverse=True) == sizes
        assert "by actual" in said(app, "#who")


async def test_who_is_chosen_stays_so_wherever_it_moves() -> None:
    frames = [overview(1), overview(2, GUESTS[1:]), overview(3, [row("aaa"), *GUESTS[1:]])]
    source = Scripted(frames, paced=True)
    async with watching(source) as (app, pilot):
        await pilot.press("space", "j", "j")
        assert "db" == (app.chosen and app.chosen.name)
        for keys in (["right"], ["right"], ["s"], ["r"]):
            await pilot.press(*keys)
            assert "db" == (app.chosen and app.chosen.name)
        assert "batch" not in names(app)


async def test_a_filter_shows_what_matches_until_it_is_left(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        await pilot.press("slash", "w", "e")
        assert ["web"] == names(app)
        assert "1 match" in said(app, "#who")
        await pilot.press("enter")
        assert app.query_one(GuestTable).has_focus
        assert ["web"] == names(app)
        await pilot.press("escape")
        assert 4 == len(names(app))


async def test_only_cells_that_changed_are_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, str]] = []
    update = GuestTable.update_cell

    def counted(table: GuestTable, key: str, column: str, value: Text, **how: Any) -> None:
        drawn.append((key, column))
        update(table, key, column, value, **how)

    monkeypatch.setattr(GuestTable, "update_cell", counted)
    changed = [*GUESTS[:-1], row("web", 496, need_bytes=390 * MIB)]
    source = Scripted([overview(1), overview(2, changed)], paced=True)
    async with watching(source, (80, 24)) as (_, pilot):
        await pilot.press("space", "right")
        assert {("uuid-web", "actual"), ("uuid-web", "bar")} == set(drawn)


async def test_events_are_filtered_and_help_is_there(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        await pilot.press("e")
        assert isinstance(app.screen, EventsScreen)
        log = app.screen.query_one(RichLog)
        await until(pilot, lambda: log.lines)
        everything = len(log.lines)
        await pilot.press("slash", *"web")
        assert 0 < len(log.lines) < everything
        assert "filter: web" in said(app, "#title")
        await pilot.press("enter", "up", "end", "escape")
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("down", "escape")
        assert 1 == len(app.screen_stack)


async def test_q_quits(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        await pilot.press("q")
        assert app._exit


# --- doing -----------------------------------------------------------------------------------------------


async def test_everybody_is_paused_and_resumed(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        await pilot.press("p")
        assert isinstance(app.screen, Dialog)
        await pilot.press("tab", *"tea", "enter")
        await until(pilot, lambda: service.engine.requests.paused)
        paused = service.engine.requests.paused
        assert paused is not None
        assert "tea" == paused.why
        await until(pilot, lambda: "Nothing is written: everybody is held" in said(app, "#notice"))
        await pilot.press("p", "enter")
        await until(pilot, lambda: service.engine.requests.paused is None)


async def test_a_guest_is_held_for_a_time_and_gone_on_with(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        await pilot.press("j", "h", "backspace", "backspace", *"90s", "enter")
        await until(pilot, lambda: service.engine.requests.holds)
        (held,) = service.engine.requests.holds
        assert "idle" == held.name
        assert held.until is not None
        assert 90.0 == held.until - held.begun_at
        await until(pilot, lambda: any("idle is held" in note for note in notes(app)))
        service.ticks()
        await until(pilot, lambda: state(app, "idle") == "paused")
        await pilot.press("h", "enter")
        await until(pilot, lambda: not service.engine.requests.holds)


async def test_a_guest_is_released(service: Hosted) -> None:
    async with watching(served(service)) as (_, pilot):
        before = service.size("busy")
        await pilot.press("l", "enter")
        await until(pilot, lambda: service.engine.requests.holds)
        service.ticks(2)
        assert service.size("busy") > before


async def test_a_guest_is_set_from_its_detail_as_well(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        await pilot.press("G", "enter", "S", *"700M", "enter")
        await until(pilot, lambda: service.engine.requests.holds)
        service.ticks(2)
        assert 700 * MIB == service.size("web")
        await until(pilot, lambda: any("web is held at 700 MiB" in note for note in notes(app)))


async def test_what_is_wrong_is_said_with_what_to_do_and_nothing_is_done(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        await pilot.press("S", *"700")
        assert "has no unit\nhint: write 700M" in said(app, "#said")
        await pilot.press("enter")
        assert isinstance(app.screen, Dialog)
        await pilot.press(*(["backspace"] * 3), *"1M", "enter")
        await until(pilot, lambda: "hint:" in said(app, "#said"))
        assert "floor" in said(app, "#said")
        await pilot.press("escape")
        assert 1 == len(app.screen_stack)
        assert not service.engine.requests.holds


async def test_what_is_left_is_not_done(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        for key in "phlS":
            await pilot.press(key)
            assert isinstance(app.screen, Dialog)
            await pilot.press("escape")
        assert not service.engine.requests.holds


async def test_buttons_do_the_same(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        await pilot.press("h")
        await pilot.click("#leave")
        assert 1 == len(app.screen_stack)
        await pilot.press("h")
        await pilot.click("#do")
        await until(pilot, lambda: service.engine.requests.holds)


async def test_who_may_only_look_is_told_so(service: Hosted) -> None:
    source = Served(service.path, read_only="nothing is changed with --read-only", poll_seconds=0.1)
    async with watching(source) as (app, pilot):
        for key in "phlS":
            app.clear_notifications()
            await pilot.press(key)
            assert 1 == len(app.screen_stack)
            assert ["nothing is changed with --read-only"] == notes(app)


async def test_nothing_is_done_in_the_past(service: Hosted) -> None:
    async with watching(served(service)) as (app, pilot):
        service.ticks(1)
        await until(pilot, lambda: len(app._source.numbers) > 1)
        await pilot.press("left", "h")
        assert 1 == len(app.screen_stack)
        assert "the past" in notes(app)[0]
        await pilot.press("end", "h")
        assert isinstance(app.screen, Dialog)


# --- a service that comes and goes -----------------------------------------------------------------------


async def test_a_service_that_goes_and_comes_back_is_waited_for(place: Path) -> None:
    source = Served(place, poll_seconds=0.1)
    with hosted(place) as service:
        app = Top(source)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.frame is not None)
            service.stop()
            await until(pilot, lambda: "trying again; this is" in said(app, "#trouble"))
            assert "hint: start it" in said(app, "#trouble")
            assert 4 == len(names(app))
            last = source.numbers.stop
            with hosted(place, ticks=20):
                await until(pilot, lambda: source.numbers.stop > last)
                await until(pilot, lambda: app.query_one("#trouble").has_class("hidden"))


async def test_before_the_first_tick_it_waits(place: Path) -> None:
    with hosted(place, ticks=0) as service:
        app = Top(Served(place, poll_seconds=0.1))
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: "was looked at yet" in said(app, "#trouble"))
            assert "waiting" in said(app, "#head")
            await pilot.press("p", "h", "S", "enter", "left", "end", "space", "space", "e", "escape")
            service.ticks()
            await until(pilot, lambda: app.frame is not None)


# --- time ------------------------------------------------------------------------------------------------


async def test_time_of_a_simulated_host_is_stopped_stepped_and_gone_back_to() -> None:
    source = Simulated(scenario("one-bursts"), "one-bursts")
    async with watching(source) as (app, pilot):
        await pilot.press("space")
        stopped = app.frame
        assert stopped is not None
        await pilot.press("right", "right", "right")
        assert (app.frame and app.frame.number) == stopped.number + 3
        await pilot.press("left")
        assert (app.frame and app.frame.number) == stopped.number + 2
        await pilot.press("home")
        assert (app.frame and app.frame.number) == 0
        await pilot.press("end")
        assert app._time.playing
        await until(pilot, lambda: app.frame is not None and app.frame.number > stopped.number + 3)


async def test_time_passes_faster_and_slower_between_bounds() -> None:
    async with watching(Simulated(scenario("idle"), "idle")) as (app, pilot):
        await pilot.press("space", *["plus"] * 9)
        assert 64.0 == app._time.speed
        await pilot.press(*["minus"] * 12)
        assert 0.25 == app._time.speed
        await pilot.press(*["plus"] * 9, "end")
        await until(pilot, lambda: app.frame is not None and app.frame.number > 20)


async def test_the_slider_takes_the_mouse() -> None:
    source = Scripted(run_of(40), paced=True)
    async with watching(source) as (app, pilot):
        await pilot.press("space", *["right"] * 39)
        assert (app.frame and app.frame.number) == 39
        slider = app.query_one(Slider)
        begun, length = slider._begun, slider._length
        await pilot.click(Slider, offset=(begun, 0))
        assert (app.frame and app.frame.number) == 0
        await pilot.click(Slider, offset=(begun + length // 2, 0))
        assert 18 <= (app.frame.number if app.frame else 0) <= 21
        await pilot.mouse_down(Slider, offset=(begun, 0))
        await pilot.hover(Slider, offset=(begun + length - 1, 0))
        await pilot.mouse_up(Slider)


async def test_what_is_shown_is_what_was_then() -> None:
    source = Scripted(run_of(10), paced=True)
    async with watching(source) as (app, pilot):
        await pilot.press("space", *["right"] * 9, *["left"] * 6)
        frame = app.frame
        assert frame is not None
        then = frame.rows["uuid-web"].actual_bytes
        table = app.query_one(GuestTable)
        assert f"{(then or 0) // MIB} MiB" in str(table.get_cell("uuid-web", "actual"))
        lines = app._did_text(80, 9).plain.splitlines()
        assert lines
        assert all(event.at.timestamp() <= frame.at for event in app._events(frame))


async def test_a_scenario_that_is_over_can_still_be_looked_at() -> None:
    source = Scripted(run_of(3), paced=True, rest_seconds=0.0)
    async with watching(source) as (app, pilot):
        await pilot.press(*["plus"] * 6)
        await until(pilot, lambda: not app._time.playing and app.frame and app.frame.number == 2)
        await pilot.press("left")
        assert (app.frame and app.frame.number) == 1
        await pilot.press("space")
        await until(pilot, lambda: app.frame and app.frame.number == 2)


async def test_a_guest_that_is_gone_has_no_reasons() -> None:
    source = Scripted([overview(1), overview(2, GUESTS[1:])], paced=True)
    async with watching(source) as (app, pilot):
        await pilot.press("space", "enter")
        await until(pilot, lambda: "nobody knows why" in said(app, "#why"))
        await pilot.press("right")
        await until(pilot, lambda: "it is gone" in said(app, "#head"))
        await pilot.press("h")
        assert isinstance(app.screen, DetailScreen)


async def test_names_that_are_markup_do_nothing_in_dialogs() -> None:
    source = Scripted([overview(1, [row("[@click=app.quit]q[/] [red]x")])])
    async with watching(source) as (app, pilot):
        await pilot.press("S", *"300M")
        assert "[@click=app.quit]q[/] [red]x" in said(app, "#asks")
        assert "[@click=app.quit]q[/] [red]x: 512 MiB → 300 MiB" in said(app, "#said")
        await pilot.press("escape", "h", "enter")
        await until(pilot, lambda: source.asked)
        (kind, fields), *_ = source.asked
        assert PauseAsked is kind
        assert "uuid-[@click=app.quit]q[/] [red]x" == fields["guest"]
        assert app.query_one("#filter", Input).value == ""
        await asyncio.sleep(0)
