"""`run --record` as a user runs it, on guests of libvirt's test driver: what it leaves, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import Run, two_lines

from ballonet.errors import UsageError
from ballonet.extras import remedy
from ballonet.simulator.trace_file import read
from ballonet.units import GIB

OPTIONS = ("--budget", "3GiB", "--interval", "50ms")
HEADER_BYTES = 2000  # more than any header, less than what follows in a second or two
ENDINGS = pytest.mark.parametrize("ending", ["csv", "parquet"])


@contextmanager
def recorder(host: str, path: Path, before: Sequence[str] = ()) -> Iterator["subprocess.Popen[str]"]:
    """Run until told otherwise; yield once there are ticks in the file: of Parquet a whole row group."""
    words = [*before, sys.executable, "-m", "ballonet", "-c", host, "run", *OPTIONS, "--record", str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 30
            while not path.exists() or path.stat().st_size <= HEADER_BYTES:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


@ENDINGS
def test_what_a_run_saw_is_read_back_and_replayed(
    ballonet: Run, host: str, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"trace.{ending}"
    ran = ballonet("-c", host, "run", *OPTIONS, "--for", "1s", "--record", str(path))
    trace = read(path)

    assert 0 == ran.returncode, ran.stderr
    assert f"Recorded        {len(trace)} rows, {path}" == ran.stdout.splitlines()[-1]
    assert ("bare", "locked", "web") == trace.names[:3]
    assert 1 <= len(list(trace.ticks())) == len(trace) / 3
    assert [GIB, 2 * GIB, GIB] == trace.numbers["actual_bytes"][:3].tolist()
    # The test driver's guests sent their statistics in 1989: there is nothing to estimate demand from.
    replayed = ballonet("sim", "replay", str(path), "--budget", "3GiB")
    assert "no guest of the trace ever reported its statistics" in two_lines(replayed)[0]


@ENDINGS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_whole_file(host: str, tmp_path: Path, ending: str, number: signal.Signals) -> None:
    path = tmp_path / f"trace.{ending}"
    with recorder(host, path) as process:
        while process.poll() is None:  # who is impatient breaks nothing, whenever it comes
            process.send_signal(number)
            process.send_signal(signal.SIGHUP)
            time.sleep(0.002)
        said, wrong = process.communicate(timeout=60)
    trace = read(path)

    assert 0 == process.returncode, wrong
    assert not trace.warning
    assert said.endswith(f"Recorded        {len(trace)} rows, {path}\n")


def test_a_kill_costs_csv_no_whole_tick_and_parquet_everything(host: str, tmp_path: Path) -> None:
    with recorder(host, tmp_path / "trace.csv"):
        pass
    assert len(read(tmp_path / "trace.csv")) >= 3
    with recorder(host, tmp_path / "trace.parquet"):
        pass
    with pytest.raises(UsageError, match="no whole Parquet file") as said:
        read(tmp_path / "trace.parquet")
    assert "record CSV" in said.value.hint


def test_a_full_disk_ends_the_recording_and_not_the_run(host: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    # Coverage, if it is measured, would write what it found past that limit, too.
    with recorder(host, path, ["env", "-u", "COVERAGE_PROCESS_CONFIG", "prlimit", "--fsize=4096"]) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Observing")
        assert f"ballonet: {path}: File too large: nothing more is recorded\n" == process.stderr.readline()
        assert "hint: the run goes on" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said, wrong = process.communicate(timeout=60)

    assert (0, "") == (process.returncode, wrong)
    assert "Ran for" in said
    assert "Recorded" not in said
    assert len(read(path)) >= 3
    assert "was cut in line" in read(path).warning


def test_a_file_that_exists_is_never_written_over(ballonet: Run, host: str, tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("mine")
    refused = ballonet("-c", host, "run", *OPTIONS, "--record", str(tmp_path / "trace.csv"))
    assert 2 == refused.returncode
    assert (f"{tmp_path}/trace.csv exists", "give another FILE, or remove it first") == two_lines(refused)
    assert "mine" == (tmp_path / "trace.csv").read_text()


@pytest.mark.parametrize(
    ("file", "code", "wrong"),
    [
        ("/sys/trace.csv", 1, "/sys/trace.csv: "),
        ("/sys/trace.parquet", 1, "/sys/trace.parquet: "),
        ("/nowhere/trace.csv", 2, "there is no directory /nowhere"),
        ("/tmp", 2, "/tmp exists"),
    ],
)
def test_a_file_that_cannot_be_written_is_said_before_the_run(
    ballonet: Run, host: str, file: str, code: int, wrong: str
) -> None:
    refused = ballonet("-c", host, "run", *OPTIONS, "--for", "1s", "--record", file)
    said, hint = two_lines(refused)
    assert code == refused.returncode
    assert said.startswith(wrong)
    assert "Errno" not in said
    assert "FILE" in hint


def test_a_run_that_saw_nothing_leaves_no_file(ballonet: Run, tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    failed = ballonet("run", *OPTIONS, "--record", str(path))
    assert 1 == failed.returncode
    assert "no libvirt daemon answers" in two_lines(failed)[0]
    assert not path.exists()


def test_parquet_without_pyarrow_names_what_to_install(ballonet: Run, host: str, tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    path = tmp_path / "trace.parquet"
    failed = ballonet("-c", host, "run", *OPTIONS, "--record", str(path), env=env)
    said, hint = two_lines(failed)
    assert 2 == failed.returncode
    assert "pyarrow" in said
    assert remedy("trace") in hint
    assert not path.exists()

    ballonet("-c", host, "run", *OPTIONS, "--for", "1s", "--record", str(path))
    assert remedy("trace") in two_lines(ballonet("sim", "replay", str(path), env=env))[1]


def test_help_says_so(ballonet: Run) -> None:
    text = " ".join(ballonet("run", "--help").stdout.replace("│", " ").split())
    assert "to a new file" in text
    assert "*.parquet" in text
