"""Tables for people: aligned, harmless, honest about what is unknown."""

from dataclasses import replace

from ballonet.facts.agent import Channel, Heard
from ballonet.facts.guest import Device, Guest, Obstacle, State, Stored
from ballonet.facts.statistics import Statistics
from ballonet.show.guests import guest_details, guests_table, meanings
from ballonet.show.names import names_table
from ballonet.show.statistics import Naming, readings, statistics_table
from ballonet.show.table import fits, pairs, table
from ballonet.show.words import age, period, switch
from ballonet.units import GIB, MIB

WEB = Guest(
    name="web-1",
    uuid="11111111-1111-4111-8111-111111111111",
    id=1,
    state=State.RUNNING,
    read_at=1000.5,
    maximum_bytes=2 * GIB,
    actual_bytes=GIB,
    device=Device("virtio", autodeflate=False, free_page_reporting=True, period_seconds=1),
    stored=Stored(maximum_bytes=2 * GIB, current_bytes=GIB, period_seconds=5),
    statistics=Statistics(
        unused_bytes=300 * MIB,
        usable_bytes=500 * MIB,
        available_bytes=GIB - 44 * MIB,
        rss_bytes=900 * MIB,
        swap_out_bytes_total=10 * MIB,
        minor_faults_total=1234567,
        last_update=997.0,
    ),
)
NEW = Guest(name="new", uuid="2", id=2, state=State.RUNNING, read_at=1000.0)


def test_columns_are_aligned_and_unknown_is_a_dash() -> None:
    text = table(("NAME", "SIZE"), [("a", "1"), ("long name", "100")], right={"SIZE"})
    assert text.splitlines() == ["NAME       SIZE", "a             1", "long name   100"]


def test_a_guests_name_cannot_move_the_cursor() -> None:
    assert "\x1b" not in guests_table([replace(NEW, name="\x1b[2J\nroot")])
    assert 2 == len(guests_table([replace(NEW, name="\x1b[2J\nroot")]).splitlines())


def test_guests_fit_eighty_columns() -> None:
    text = guests_table([WEB, NEW])
    assert fits(text, 80), text
    web, new = text.splitlines()[1:]
    assert [
        "web-1",
        "running",
        "2.00",
        "GiB",
        "1.00",
        "GiB",
        "500",
        "MiB",
        "300",
        "MiB",
        "900",
        "MiB",
        "4",
        "s",
        "managed",
    ] == web.split()
    assert 6 == new.split().count("\N{EN DASH}")


def test_details_say_everything() -> None:
    text = guest_details(WEB, 80)
    assert fits(text, 80), text
    for words in (
        WEB.uuid,
        "hard floor",
        "every 1 s",
        "1.00 GiB of 2.00 GiB",
        "free page reporting  on",
        "1,234,567",
    ):
        assert words in text


def test_details_of_a_guest_of_which_nothing_is_known() -> None:
    assert "balloon  no device" in guest_details(NEW)
    assert not meanings(NEW)


def test_details_say_who_is_at_the_agents_channel_and_what_it_told() -> None:
    asked = replace(NEW, channel=Channel.DISCONNECTED)
    told = Heard(999.0, 0.0125, 62.5, swap_total_bytes=512 * MIB, swap_free_bytes=500 * MIB)

    assert "agent" not in guest_details(NEW)
    assert "agent  disconnected, not asked" in guest_details(asked)
    text = guest_details(replace(asked, heard=told))
    assert "waits for memory  1.25 % of the last seconds, 1 min 2 s since its boot" in text
    assert "swap              12.0 MiB used, 500 MiB left" in text
    assert "committed         –" in text


def test_what_sizes_mean() -> None:
    assert [
        "The balloon holds 1.00 GiB of its 2.00 GiB.",
        "Kernel and firmware keep 44.0 MiB of its actual size.",
        "300 MiB hold nothing: most of it can be taken at no cost.",
        "200 MiB more can be dropped, and would have to be read again if it is needed.",
        "480 MiB are in use: taking from these makes it swap.",
    ] == meanings(WEB)


def test_with_autodeflate_the_kernels_share_cannot_be_told() -> None:
    assert WEB.device
    guest = replace(WEB, device=replace(WEB.device, autodeflate=True))
    assert not any("Kernel" in sentence for sentence in meanings(guest))


def test_every_obstacle_has_its_sentence() -> None:
    for obstacle in Obstacle:
        assert 1 == len(meanings(replace(NEW, obstacles=frozenset({obstacle}))))


def test_statistics_in_the_names_of_a_layer_that_has_them() -> None:
    assert "actual" not in statistics_table(WEB, naming=Naming.LINUX)
    assert "/proc/vmstat:pswpout" in statistics_table(WEB, naming=Naming.LINUX)
    assert "4 s ago" in statistics_table(WEB)
    assert not statistics_table(NEW)


def test_counters_rise_between_two_reports_of_the_guest() -> None:
    statistics = replace(WEB.statistics, swap_out_bytes_total=18 * MIB, last_update=999.0)
    later = replace(WEB, read_at=1002.0, statistics=statistics)
    rates = {reading.statistic.key: reading.change_per_second for reading in readings(later, WEB)}
    assert 4 * MIB == rates["swap_out_bytes_total"]
    assert rates["usable_bytes"] is None
    assert "4.00 MiB" in statistics_table(later, before=WEB)


def test_counters_do_not_rise_without_news_or_over_a_restart() -> None:
    again = replace(WEB, read_at=1002.0)
    restarted = replace(WEB, statistics=replace(WEB.statistics, swap_out_bytes_total=0, last_update=999.0))
    for later in (again, restarted):
        rates = {reading.statistic.key: reading.change_per_second for reading in readings(later, WEB)}
        assert rates["swap_out_bytes_total"] is None


def test_names_become_blocks_in_a_narrow_terminal() -> None:
    assert not fits(names_table(), 80)
    assert fits(names_table(80), 100)


def test_long_texts_are_wrapped_under_themselves() -> None:
    text = pairs([("a", "word " * 30)], 40)
    assert fits(text, 40)
    assert all(line.startswith("   word") for line in text.splitlines()[1:])


def test_words() -> None:
    assert ("\N{EN DASH}", "0 s", "3 s", "2 h") == (age(None), age(-0.7), age(3.2), age(9000))
    assert ("\N{EN DASH}", "on", "off") == (switch(None), switch(on=True), switch(on=False))
    assert ("\N{EN DASH}", "never (0)", "every 5 s") == (period(None), period(0), period(5))
