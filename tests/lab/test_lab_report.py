import json
from dataclasses import replace
from pathlib import Path

from ballonet.lab.report import Report, ReportFile

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
