"""What the view is drawn with: bars, order, layout and the past, in characters alone."""

from itertools import pairwise

import pytest
from frames import GUESTS, HOST, Scripted, event, overview, row, run_of

from ballonet.service.models import GuestHistory, Sparkline, Sparklines
from ballonet.show.terminal.chart import Moment, chart
from ballonet.show.terminal.guests import layout
from ballonet.show.terminal.happened import events_text, matches, until
from ballonet.show.terminal.host import host_lines, notices, title_line
from ballonet.show.terminal.marks import host_bar, name_text, range_bar, sparkline
from ballonet.show.terminal.order import ORDERS, Order, matching
from ballonet.show.terminal.past import SPARK_POINTS, Past
from ballonet.show.terminal.slider import offset
from ballonet.show.terminal.upcoming import next_text
from ballonet.units import GIB, MIB


def test_the_hosts_bar_is_shared_out_as_its_memory_is() -> None:
    bar = host_bar(HOST, 64).plain
    assert 64 == len(bar)
    assert [12, 20, 4, 2, 26] == [bar.count(mark) for mark in "█▓▒░·"]
    assert "█" * 12 + "▓" * 20 == bar[:32]


def test_a_small_part_of_the_host_is_seen_all_the_same() -> None:
    tiny = HOST.model_copy(update={"leased_bytes": MIB, "headroom_bytes": 7 * GIB - MIB})
    assert "░" in host_bar(tiny, 40).plain


def test_a_part_that_is_unknown_is_no_guess() -> None:
    unknown = HOST.model_copy(update={"own_bytes": None, "guests_bytes": None})
    bar = host_bar(unknown, 64).plain
    assert 32 == bar.count("?")
    assert "own –" in host_lines(overview(host=unknown), 100).plain


@pytest.mark.parametrize(
    ("guest", "bar"),
    [
        (row("a", 512, need_bytes=None), "━━━━[━━━·······]"),
        (row("a", 512, need_bytes=400 * MIB), "━━━━[━|━·······]"),
        (row("a", 512, need_bytes=None, target_bytes=768 * MIB), "━━━━[━━━····>··]"),
        (row("a", 512, need_bytes=None, told_bytes=384 * MIB), "━━━━[━<━·······]"),
        (row("a", 512, need_bytes=None, ceiling_bytes=640 * MIB), "━━━━[━━━··]     "),
        (row("a", None), "–"),
        (row("a", 512, maximum_bytes=None), "–"),
    ],
)
def test_a_guests_bar_shows_each_size_where_it_is(guest: object, bar: str) -> None:
    assert bar == range_bar(guest, 16).plain  # type: ignore[arg-type]


def test_a_sparkline_leaves_out_what_is_unknown() -> None:
    assert " ▁▅█" == sparkline([None, 0, 512, 1024], 1024).plain
    assert "  " == sparkline([None, None], None).plain


def test_a_name_cannot_move_the_cursor_nor_be_markup() -> None:
    assert "\N{REPLACEMENT CHARACTER}[2J[red]x" == name_text("\x1b[2J[red]x", 40).plain
    assert not name_text("[red]x[/red]", 40).spans
    assert "abcd…" == name_text("abcdefgh", 5).plain


# --- order -----------------------------------------------------------------------------------------------


def test_orders_follow_one_another_and_come_round() -> None:
    order = Order()
    for by in [*ORDERS[1:], ORDERS[0]]:
        order = order.next()
        assert by == order.by


def test_the_largest_come_first_and_the_unknown_last_either_way() -> None:
    names = [guest.name for guest in Order("actual").sorted(GUESTS, {})]
    assert ["build-7", "db", "batch", "old", "shop", "web", "idle", "mail"] == names
    turned = [guest.name for guest in Order("actual", reverse=True).sorted(GUESTS, {})]
    assert ["idle", "web", "shop", "old", "batch", "db", "build-7", "mail"] == turned


def test_guests_are_sorted_by_state_and_by_what_they_swapped() -> None:
    states = [guest.state for guest in Order("state").sorted(GUESTS, {})]
    assert ["no data", "no data", "ignored", "swapping"] == states[:4]
    assert "web" == Order("swap").sorted(GUESTS, {"uuid-web": 5, "uuid-db": 2})[0].name


def test_a_filter_takes_names_states_and_uuids_in_any_case() -> None:
    assert ["build-7"] == [guest.name for guest in matching(GUESTS, "BUILD")]
    assert ["mail", "old"] == [guest.name for guest in matching(GUESTS, "no data")]
    assert len(GUESTS) == len(matching(GUESTS, ""))


@pytest.mark.parametrize("columns", [80, 98, 116, 120, 150, 160, 200])
@pytest.mark.parametrize("longest", [3, 60])
def test_columns_fit_into_the_screen_and_more_of_them_into_wider_ones(columns: int, longest: int) -> None:
    widths = layout(columns, longest)
    assert sum(width + 2 for width in widths.values()) < columns
    assert {"name", "state", "bar", "actual", "usable", "age"} <= set(widths)
    assert min(widths.values()) >= 3


# --- what is around the table ----------------------------------------------------------------------------


def test_what_is_old_says_so() -> None:
    assert title_line("here", overview(), 0.0, 80).plain.endswith("enforce  tick 0 s ago")
    assert title_line("here", overview(), 60.0, 80).plain.endswith("tick 1 min ago, LATE")
    assert "tick" not in title_line("here", overview(), None, 80).plain
    assert "observe: nothing is written" in title_line("here", overview(mode="observe"), 0.0, 80).plain


def test_what_must_not_be_overlooked_is_noticed() -> None:
    status = overview().status
    lost = status.hypervisors[0].model_copy(update={"unanswered": ["qemu:///session"]})
    failed = status.settings.model_copy(update={"succeeded": False, "error": "no such key"})
    said = notices(status.model_copy(update={"hypervisors": [lost], "settings": failed}))
    assert ["qemu:///session does not answer: its guests stay as they are"] == said[:1]
    assert said[1].endswith("no such key")
    assert not notices(status)


def test_what_comes_next_begins_with_the_chosen_and_with_the_largest() -> None:
    lines = next_text(overview(), GUESTS[7], 200, 4).plain.splitlines()
    assert lines[0].startswith("> web: it has what it should have")
    assert ["shop", "db", "batch"] == [line.split()[0] for line in lines[1:]]
    assert next_text(overview(), None, 200, 2).plain.endswith("and 1 more")
    assert "no guest is to change" == next_text(overview(1, [row("a")]), None, 80, 3).plain


def test_events_are_shown_up_to_a_time_the_newest_first() -> None:
    events = [event(number, "web", f"step {number}") for number in range(5)]
    assert 3 == len(until(events, events[2].at.timestamp()))
    lines = events_text(events, lambda _: "12:00", 80, 3).plain.splitlines()
    assert ["12:00  web  step 4", "12:00  web  step 3", "12:00  web  step 2"] == lines
    assert matches(events[0], "WEB")
    assert not matches(events[0], "db")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "00:00"), (61.4, "01:01"), (3723.0, "1:02:03"), (-12.0, "-00:12")]
)
def test_time_since_the_beginning(seconds: float, text: str) -> None:
    assert text == offset(seconds)


# --- the past --------------------------------------------------------------------------------------------


async def seen(count: int) -> Scripted:
    source = Scripted(run_of(count), [])
    for _ in range(count):
        await source.next()
    return source


async def test_sparks_go_back_as_far_as_frames_do() -> None:
    source = await seen(30)  # a minute
    sparks = Past(source).sparks(source.frame(29))["uuid-web"]
    assert SPARK_POINTS == len(sparks)
    assert [None] * 5 == list(sparks[:5])
    assert None not in sparks[6:]
    assert sparks[-1] == source.frame(29).rows["uuid-web"].actual_bytes


async def test_before_the_first_frame_they_show_what_a_service_kept() -> None:
    source = await seen(30)
    past, since = Past(source), source.frame(0).overview.at
    kept = Sparkline(uuid="uuid-web", actual_bytes=[GIB] * 12)
    began = since.fromtimestamp(since.timestamp() - 120.0, since.tzinfo)
    past.take(Sparklines(since=began, step_seconds=10.0, guests=[kept]))
    assert None not in past.sparks(source.frame(29))["uuid-web"]
    assert GIB in past.sparks(source.frame(29))["uuid-web"]


async def test_what_was_swapped_lately_is_no_total() -> None:
    guest = row("a", swap_in_bytes_total=100 * MIB)
    later = guest.model_copy(update={"swap_in_bytes_total": 130 * MIB})
    source = Scripted([overview(1, [guest]), overview(2, [later, row("new")])], [])
    for _ in range(2):
        await source.next()
    assert {"uuid-a": 30 * MIB, "uuid-new": 0} == Past(source).swapped(source.frame(1))


async def test_a_guests_past_joins_what_was_kept_to_what_was_seen() -> None:
    source = await seen(30)
    first = source.frame(0).at
    sizes: list[int | None] = [600 * MIB, 610 * MIB, 620 * MIB]
    known = {
        "name": "web",
        "uuid": "uuid-web",
        "step_seconds": 60.0,
        "at_seconds": [first - 120.0, first - 60.0, first + 1.0],
        "actual_bytes": sizes,
    }
    kept = GuestHistory.model_validate({name: [None] * 3 for name in GuestHistory.model_fields} | known)
    moments = Past(source).moments("uuid-web", source.frame(29), kept, most=10)
    assert sizes[:2] == [moment.actual_bytes for moment in moments[:2]]
    assert all(earlier.at < later.at for earlier, later in pairwise(moments))
    assert moments[-1].at == source.frame(29).at
    assert len(moments) <= 2 + 12


def test_a_chart_is_as_large_as_it_is_told_and_shows_each_value() -> None:
    moments = [Moment(float(at), 512 * MIB, 256 * MIB, 128 * MIB) for at in range(10)]
    lines = chart(moments, GIB, 60, 9, lambda at: f"{at:.0f}").plain.splitlines()
    assert 9 == len(lines)
    assert {60} == {len(line) for line in lines}
    assert lines[0].startswith("1.00 GiB")
    assert "█" in lines[4]
    assert "▁" in lines[5]
    assert "o" in lines[6]
    assert lines[-1].split() == ["└0", "9"]


def test_a_chart_of_nothing_says_so() -> None:
    assert "nothing is known" in chart([Moment(0.0, None, None, None)], GIB, 60, 9, str).plain
