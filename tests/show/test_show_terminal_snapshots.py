"""What the view looks like: each picture was looked at by somebody before it was kept."""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from frames import EVENTS, GUESTS, HOSTILE, Scripted, event, hold, overview, row, run_of
from textual.pilot import Pilot
from textual.widgets import Input

from ballonet.errors import NotRunningError
from ballonet.service.models import Inputs, Learned, Tiers, Why
from ballonet.show.terminal.app import Top
from ballonet.units import MIB

Compare = Callable[..., bool]
WIDE = (120, 40)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have times look the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def top(source: Scripted, *, clock: Callable[[], float] = lambda: 0.0) -> Top:
    return Top(source, clock)


def until_seen(source: Scripted, count: int) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def wait(pilot: Pilot[Any]) -> None:
        while len(source.numbers) < count:
            await pilot.pause(0.01)
        await pilot.pause()

    return wait


def compared(
    snap_compare: Compare, source: Scripted, frames: int = 1, press: Sequence[str] = (), **how: Any
) -> bool:
    async def ready(pilot: Pilot[Any]) -> None:
        await until_seen(source, frames)(pilot)
        await pilot.press(*press)
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False  # whether it is there would depend on how fast this machine draws
        await pilot.pause()

    return snap_compare(top(source), run_before=ready, **how)


def test_all_four_answers_in_80_columns(snap_compare: Compare) -> None:
    assert compared(snap_compare, Scripted([overview()]))


def test_all_four_answers_in_120_columns(snap_compare: Compare) -> None:
    assert compared(snap_compare, Scripted(run_of(60)), 60, terminal_size=WIDE)


def test_before_the_first_tick_it_waits(snap_compare: Compare) -> None:
    assert compared(snap_compare, Scripted([], []), 0)


def test_names_are_text_whatever_they_hold(snap_compare: Compare) -> None:
    guests = [row(name, sentence=f"why {name}") for name in HOSTILE]
    events = [event(number, name, f"said {name}") for number, name in enumerate(HOSTILE)]
    assert compared(snap_compare, Scripted([overview(1, guests)], events), terminal_size=WIDE)


def test_a_pause_of_everybody_is_not_overlooked(snap_compare: Compare) -> None:
    assert compared(snap_compare, Scripted([overview(1, paused=hold())]))


def test_a_service_that_is_gone_leaves_what_was_seen_with_its_age(snap_compare: Compare) -> None:
    gone = NotRunningError(
        "no service answers on /run/ballonet.sock", hint="start it: systemctl start ballonet"
    )
    now = [0.0]
    source = Scripted([overview()], then=gone)

    async def later(pilot: Pilot[Any]) -> None:
        await until_seen(source, 1)(pilot)
        now[0] = 95.0
        await pilot.pause(0.1)
        pilot.app._draw_head()  # type: ignore[attr-defined]

    assert snap_compare(top(source, clock=lambda: now[0]), run_before=later)


def explained(name: str) -> Why:
    """Return why a guest has its size, with all that there is to say."""
    found = next(each for each in GUESTS if each.name == name)
    numbers = dict.fromkeys(Inputs.model_fields) | {"weight": 100.0, "stats_age_seconds": 1.0}
    numbers |= {"usable_bytes": 150 * MIB, "actual_bytes": found.actual_bytes, "maximum_bytes": 1024 * MIB}
    learned = dict.fromkeys(Learned.model_fields) | {"balloon_counts_as_used": False, "distress": False}
    tiers = Tiers(need_bytes=380 * MIB, cushion_bytes=100 * MIB, cache_bytes=0, surplus_bytes=None)
    return Why(
        name=name,
        uuid=found.uuid,
        hypervisor=found.hypervisor,
        at=overview().at,
        verdict=found.verdict,
        sentence=found.sentence,
        bound="nothing",
        told_bytes=found.told_bytes,
        target_bytes=None,
        allotted_bytes=found.actual_bytes,
        inputs=Inputs.model_validate(numbers),
        wanted=tiers,
        got=tiers,
        learned=Learned.model_validate(learned),
        changes=[],
        hold=None,
    )


def test_one_guest_with_its_past_and_its_reasons(snap_compare: Compare) -> None:
    source = Scripted(run_of(30))
    source.explained = explained("web")
    keys = [*["j"] * 7, "enter", "_"]
    assert compared(snap_compare, source, 30, press=keys, terminal_size=WIDE)


def test_help_is_one_screen(snap_compare: Compare) -> None:
    assert compared(snap_compare, Scripted([overview()]), press=["question_mark"], terminal_size=(80, 36))


def test_a_filter_shows_what_matches(snap_compare: Compare) -> None:
    assert compared(snap_compare, Scripted([overview()]), press=["slash", "b"])


def test_events_fill_a_screen(snap_compare: Compare) -> None:
    assert compared(snap_compare, Scripted([overview(9)], EVENTS), press=["e"])


def test_an_action_asks_first(snap_compare: Compare) -> None:
    keys = ["j", "j", "j", "S", *"300"]
    assert compared(snap_compare, Scripted([overview()]), press=keys)


def test_the_past_of_a_simulated_host_is_gone_back_to(snap_compare: Compare) -> None:
    source = Scripted(run_of(20), paced=True, rest_seconds=0.0)

    async def back(pilot: Pilot[Any]) -> None:
        await pilot.press("space", "home")
        for _ in range(6):
            await pilot.press("right")
        await pilot.press("left", "left")

    assert snap_compare(top(source), run_before=back)


def test_it_is_read_without_colours(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert compared(snap_compare, Scripted([overview()]))


def test_no_picture_is_left_of_a_test_that_is_gone() -> None:
    kept = Path(__file__).parent / "__snapshots__" / Path(__file__).stem
    assert set() == {path.stem for path in kept.iterdir()} - globals().keys()
