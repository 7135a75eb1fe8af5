import json
from dataclasses import replace
from pathlib import Path

import pytest

from ballonet.lab.report import Report, ReportFile, pressure_ratio

REPORT = Report(
    t=1.0,
    uptime=4.5,
    anon_mib=100.0,
    grow_mib_s=250.0,
    file_mib=0.0,
    streamed_mib=0.0,
    requests=50,
    backlog=0,
    restarts=0,
    total_kib=480272,
    free_kib=445176,
    available_kib=445072,
    cached_kib=3596,
    buffers_kib=4,
    swap_total_kib=524284,
    swap_free_kib=524284,
    pswpin=0,
    pswpout=0,
    pgmajfault=0,
    oom_kill=0,
    workingset_refault_file=0,
)


def test_lines_are_read_as_they_come_and_a_half_one_waits(tmp_path: Path) -> None:
    path = tmp_path / "reports"
    reports = ReportFile(path)
    assert [] == reports.read()
    first, second = (json.dumps({**REPORT.document(), "t": t, "news": 1}) + "\n" for t in (1.0, 2.0))
    path.write_text(first + second[:20])
    assert [REPORT] == reports.read()
    path.write_text(first + second)
    assert [REPORT, replace(REPORT, t=2.0)] == reports.read()


def test_a_line_cut_short_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "reports"
    path.write_text('{"t": 0.1, "anon\n{"t": 3}\n' + json.dumps(REPORT.document()) + "\n")
    assert [REPORT] == ReportFile(path).read()


def waited(*seconds: float) -> list[Report]:
    """Return a report a second, with what something waited for memory in it."""
    return [
        replace(REPORT, uptime=5.0 + number, psi_some_us=round(1e6 * sum(seconds[: number + 1])))
        for number in range(len(seconds))
    ]


def test_pressure_is_the_share_of_the_last_ten_seconds_that_something_waited() -> None:
    assert 0.05 == pytest.approx(pressure_ratio(waited(0.0, 9.0, *[0.0] * 9, 0.5)))
    assert 0.25 == pytest.approx(pressure_ratio(waited(0.9, 0.0, 0.5)))  # since its first report
    assert 1.0 == pressure_ratio(waited(0.0, 1.1))


def test_pressure_is_unknown_without_two_reports_or_where_the_kernel_does_not_tell() -> None:
    assert None is pressure_ratio([])
    assert None is pressure_ratio(waited(0.5))
    assert None is pressure_ratio([replace(REPORT, uptime=4.0), REPORT])
