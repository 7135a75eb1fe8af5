"""What `run` says as it goes, in each way that it can be said."""

import json
import os
import socket
import sys
from pathlib import Path

import pytest
from running import Run

from ballonet.cli import log
from ballonet.cli.context import Context
from ballonet.cli.log import JournalLog, Log, PlainLog, log_to
from ballonet.errors import BallonetError, UsageError
from ballonet.facts.happening import Happening, Kind
from ballonet.service.models import Event
from ballonet.units import MIB

ODD = "we\x1b[2Jb\nPRIORITY=0"
GREW = Happening(1.7e9, Kind.BURST, ODD, "uuid", 512.0 * MIB, 640.0 * MIB, rate_bytes=1e8)
CONTEXT = Context(("test:///default",), "table", verbose=False)


def everything(found: Log) -> None:
    found.remark("Balancing.")
    found.happening(GREW)
    found.word("the disk\nis full", "make room")
    found.failure(BallonetError("it failed", hint="try again"))
    found.summary("Ran for 1 s.\nNothing was changed.")


def closed(found: Log) -> None:
    """Close the socket of what must be a log to the journal."""
    assert isinstance(found, JournalLog)
    found._journald.close()


def test_plain_lines_are_one_a_happening_whatever_a_guest_is_called(
    capsys: pytest.CaptureFixture[str],
) -> None:
    everything(log_to("plain", CONTEXT))
    out, err = capsys.readouterr()
    happened, *rest = out.splitlines()
    assert "512 MiB → 640 MiB  a burst of 95.4 MiB/s is in sight" in happened
    assert happened.isprintable()
    assert ["", "Ran for 1 s.", "Nothing was changed."] == rest
    assert [
        "Balancing.",
        "ballonet: the disk�is full",
        "hint: make room",
        "ballonet: it failed",
        "hint: try again",
    ] == err.splitlines()


def test_json_lines_are_events_as_the_api_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    everything(log_to("json", CONTEXT))
    out, err = capsys.readouterr()
    [line] = out.splitlines()
    found = json.loads(line)
    assert set(Event.model_fields) - {"id"} == set(found)
    assert (ODD, 512 * MIB, "2023-11-14T22:13:20Z") == (found["name"], found["from_bytes"], found["at"])
    assert "Ran for 1 s." in err


def test_the_journal_has_fields_to_search_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "SOCKET", tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(os.fspath(tmp_path / "socket"))
        heard.settimeout(60.0)
        found = log_to("journal", CONTEXT)
        everything(found)
        closed(found)
        remark, happened, word, failure, summary = (heard.recv(65536).decode() for _ in range(5))
    assert remark.startswith("MESSAGE=Balancing.\nPRIORITY=6\nSYSLOG_IDENTIFIER=ballonet\n")
    length = len(ODD).to_bytes(8, "little").decode()
    for field in (
        "BALLONET_KIND=burst\n",
        f"BALLONET_GUEST\n{length}{ODD}\n",
        "BALLONET_UUID=uuid\n",
        f"BALLONET_FROM_BYTES={512 * MIB}\n",
        f"BALLONET_TO_BYTES={640 * MIB}\n",
        "BALLONET_WRITTEN=true\n",
        "PRIORITY=6\n",
    ):
        assert field in happened
    assert happened.startswith("MESSAGE=we�[2Jb�PRIORITY=0 512 MiB → 640 MiB  a burst")
    assert word.startswith("MESSAGE=the disk�is full; hint: make room\nPRIORITY=4\n")
    assert "it failed; hint: try again" in failure
    assert "Ran for 1 s.\nNothing was changed.\nPRIORITY=6\n" in summary


def test_the_journal_is_found_by_itself_where_the_output_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "SOCKET", tmp_path / "socket")
    with (
        (tmp_path / "out").open("w") as out,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard,
    ):
        monkeypatch.setattr(sys, "stdout", out)
        assert type(log_to("auto", CONTEXT)) is PlainLog
        status = os.fstat(out.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        assert type(log_to("auto", CONTEXT)) is PlainLog  # journald is not there
        heard.bind(os.fspath(tmp_path / "socket"))
        closed(log_to("auto", CONTEXT))


def test_a_log_that_there_is_none_of_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "SOCKET", tmp_path / "socket")
    with pytest.raises(UsageError, match="no log 'syslog'"):
        log_to("syslog", CONTEXT)
    with pytest.raises(UsageError, match="cannot be reached") as refused:
        log_to("journal", CONTEXT)
    assert "use --log plain" == refused.value.hint


def test_a_run_prints_nothing_but_json_lines_where_that_is_asked_for(ballonet: Run, host: str) -> None:
    ran = ballonet("-c", host, "run", "--log", "json", "--for", "1s", "--budget", "8GiB")
    assert 0 == ran.returncode, ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {"web", "bare", "locked"} <= {event["name"] for event in found}
    assert "came" == found[0]["kind"]
    assert "Ran for 1 s" in ran.stderr
