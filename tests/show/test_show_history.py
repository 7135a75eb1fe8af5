"""History and report for people and spreadsheets: unknown stays unknown, and names break nothing."""

import csv
import io
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ballonet.errors import BallonetError, UsageError
from ballonet.extras import remedy
from ballonet.service.models import (
    Event,
    GuestHistory,
    GuestReport,
    HostHistory,
    LeftAlone,
    Report,
    Sizing,
    Totals,
    Verdict,
)
from ballonet.show.history import history_csv, history_text, sparkline
from ballonet.show.history_plot import plot_history
from ballonet.show.report import report_text
from ballonet.units import GIB, MIB

BEGUN = 1.7e9
ENDS = [BEGUN + 60.0, BEGUN + 120.0, BEGUN + 180.0]
ODD = "we\x1b[2Jb$1\n"
DAY = 86400.0


def guest_history(**lists: Any) -> GuestHistory:
    """Return three minutes of a guest of which nothing else is known."""
    nothing = {name: [None] * 3 for name in GuestHistory.model_fields}
    known = {
        "name": ODD,
        "uuid": "uuid",
        "step_seconds": 60.0,
        "at_seconds": [BEGUN + 60 * n for n in (1, 2, 3)],
    }
    return GuestHistory.model_validate({**nothing, **known, **lists})


def host_history(**lists: Any) -> HostHistory:
    nothing = {name: [None] * 3 for name in HostHistory.model_fields}
    known = {"step_seconds": 60.0, "at_seconds": ENDS}
    return HostHistory.model_validate({**nothing, **known, **lists})


def test_each_value_has_its_range_and_its_course() -> None:
    text = history_text(
        guest_history(
            actual_bytes=[GIB, 512 * MIB, 768 * MIB],
            swap_in_bytes=[0, MIB, MIB],
            major_faults=[0, None, 1200],
        )
    )
    title, *rows = text.splitlines()
    assert title.startswith("we�[2Jb$1�: 2023-11-1")
    assert title.endswith(", a value every 1 min")
    lines = [" ".join(row.split()) for row in rows]
    assert "actual 512 MiB 768 MiB 1.00 GiB 768 MiB █▁▅" in lines
    assert "need – – – –" in lines
    assert "swap in 2.00 MiB ▁██" in lines
    assert "major faults 1,200 ▁ █" in lines


def test_the_hosts_table_has_its_pressure() -> None:
    text = history_text(host_history(pressure_some_ratio=[0.0, 0.5, None]))
    assert "pressure     0 %  25 %  50 %     –  ▁█" in text


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([None, None], ""),
        ([1, 1], "▁▁"),
        ([0, None, 7], "▁ █"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
    ],
)
def test_a_line_shows_the_course_between_its_least_and_most(values: list[float | None], line: str) -> None:
    assert line == sparkline(values)


def test_csv_has_a_line_a_step_and_nothing_for_unknown() -> None:
    found = guest_history(actual_bytes=[GIB, None, 512 * MIB], distress_seconds=[0.0, 1.5, None])
    rows = list(csv.DictReader(io.StringIO(history_csv(found))))
    assert [str(GIB), "", str(512 * MIB)] == [row["actual_bytes"] for row in rows]
    assert ["0.0", "1.5", ""] == [row["distress_seconds"] for row in rows]
    assert "2023-11-14T22:14:20+00:00" == rows[0]["at"]
    assert {*GuestHistory.model_fields} - {"name", "uuid", "step_seconds", "at_seconds"} == {*rows[0]} - {
        "at"
    }


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_picture_is_drawn_of_a_guest_whatever_it_is_called(tmp_path: Path, suffix: str) -> None:
    at = datetime.fromtimestamp(BEGUN + 90, UTC)
    event = Event(
        id=1,
        at=at,
        kind="burst",
        name=ODD,
        uuid="uuid",
        from_bytes=1,
        to_bytes=2,
        sentence="",
        written=True,
        reasons=None,
    )
    path = tmp_path / f"guest.{suffix}"
    plot_history(path, guest_history(actual_bytes=[GIB, None, GIB], swap_in_bytes=[0, 1, 2]), [event])
    assert path.stat().st_size > 5000
    if suffix == "svg":
        text = path.read_text()
        for words in ("actual", "told", "need", "usable", "rss", "swap in", "swap, MiB/s"):
            assert f">{words}</text>" in text


def test_a_picture_is_drawn_of_the_host_and_of_nothing_known(tmp_path: Path) -> None:
    plot_history(tmp_path / "host.svg", host_history(held_bytes=[1, 2, None]))
    one = host_history().model_dump()
    at_once = {name: values[:1] if isinstance(values, list) else values for name, values in one.items()}
    plot_history(tmp_path / "one.svg", HostHistory.model_validate(at_once))
    assert ">budget</text>" in (tmp_path / "host.svg").read_text()


def test_where_no_picture_can_be_drawn_there_is_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="the name of no picture"):
        plot_history(tmp_path / "host.gif", host_history())
    with pytest.raises(BallonetError, match="cannot be written: No such file"):
        plot_history(tmp_path / "nowhere" / "host.svg", host_history())
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match="pictures need matplotlib") as refused:
        plot_history(tmp_path / "host.svg", host_history())
    assert remedy("plot") in refused.value.hint


# --- report ----------------------------------------------------------------------------------------------


def totals(**values: Any) -> Totals:
    return Totals.model_validate({**dict.fromkeys(Totals.model_fields, 0), **values})


def report(since_seconds: float = DAY, **values: Any) -> Report:
    """Return what a day came to, known for so long."""
    until = datetime(2026, 7, 2, 12, tzinfo=UTC)
    usual = {
        "asked_since": until - timedelta(days=1),
        "since": until - timedelta(seconds=since_seconds),
        "until": until,
        "observed_seconds": since_seconds,
        "writes": True,
        "totals": totals(
            managed_seconds=DAY,
            given_back_byte_seconds=48.0 * GIB * 3600,
            compared_byte_seconds=48.0 * GIB * 3600,
            seen_byte_seconds=36.0 * GIB * 3600,
            unheld_byte_seconds=50.0 * GIB * 3600,
        ),
        "guests": [],
        "sizing": [],
        "left_alone": [],
    }
    return Report(**{**usual, **values})


def test_a_report_tells_what_is_free_from_what_was_only_given_back() -> None:
    text = report_text(report())
    assert "given back  48 GiB·h (maximum less actual), 2.00 GiB on average" in text
    assert "seen        36 GiB·h of it, 75 %, is not held by the guests' processes (RSS)" in text
    assert "not held    50 GiB·h, what guests never touched included" in text
    assert "Only what is seen is free memory" in text
    assert "no guest lacked memory" in text
    assert "history begins" not in text


def test_a_report_of_less_time_than_asked_for_says_so() -> None:
    assert "history begins then (asked for: 1 d)" in report_text(report(600.0))
    gaps = report_text(report(observed_seconds=DAY / 2))
    assert "observed for 12 h of 1 d" in gaps


def test_a_report_of_nothing_is_no_success() -> None:
    text = report_text(report(1.0, observed_seconds=0.0, writes=False, totals=totals()))
    assert text.startswith("Nothing is written now: the service only observes, or is paused.")
    assert "given back  0 GiB·h (maximum less actual)\n" in text
    assert "seen" not in text


def test_where_processes_cannot_be_read_nothing_is_called_seen() -> None:
    text = report_text(report(totals=totals(given_back_byte_seconds=3600.0 * GIB)))
    assert "seen        –: the resident memory of the guests' processes cannot be read" in text
    partly = totals(
        given_back_byte_seconds=7200.0 * GIB,
        compared_byte_seconds=3600.0 * GIB,
        seen_byte_seconds=3600.0 * GIB,
    )
    assert "; of 1 GiB·h it is unknown" in report_text(report(totals=partly))


def test_guests_advice_and_those_left_alone_have_their_lines() -> None:
    guest = GuestReport(
        name=ODD,
        uuid="uuid",
        maximum_bytes=4 * GIB,
        floor_bytes=GIB,
        highest_need_bytes=None,
        highest_wanted_bytes=None,
        totals=totals(managed_seconds=60.0, distress_seconds=90.0, changes=7),
    )
    advice = Sizing(
        name=ODD,
        uuid="uuid",
        kind="floor",
        now_bytes=1,
        better_bytes=2,
        sentence="it lacked",
        remedy="raise it",
    )
    alone = LeftAlone(
        name="db",
        uuid="db",
        verdict=Verdict(code="hugepages", managed=False, reason="huge pages", remedy="none of them"),
    )
    text = report_text(report(guests=[guest], sizing=[advice], left_alone=[alone]), 200)
    row = next(line for line in text.splitlines() if "4.00 GiB" in line)
    assert ["we�[2Jb$1�", "4.00", "GiB", "–", "0", "GiB·h", "–"] == row.split()[:7]
    assert "1 min 30 s" in row
    assert "Better set otherwise\n" in text
    assert "it lacked: raise it" in text
    assert "Never managed\ndb  huge pages: none of them" in text
