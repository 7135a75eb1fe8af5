"""`ballonet run` as a user runs it, on real guests with real loads: it balances, observes, and survives."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hosts import booted
from serving import PATIENCE_SECONDS
from subjects import Machine

from ballonet.lab import reaper
from ballonet.lab.domain import GuestSpec
from ballonet.simulator.replay import demands
from ballonet.simulator.trace_file import read
from ballonet.units import MIB

pytestmark = pytest.mark.real

BALLONET = str(Path(sys.executable).with_name("ballonet"))
BUDGET_BYTES = 420 * MIB
MAXIMA = {"one": 256 * MIB, "two": 256 * MIB, "quiet": 128 * MIB}
FLOOR_BYTES = 96 * MIB
OPTIONS = ["--budget", "420MiB", "--floor", "96MiB", "--boot-grace", "0s", "--interval", "1s"]
BUSY = "anon_mib=130 hot_mib=130 rate=20 touches=8 grow_mib_s=50"
IDLE = "anon_mib=10 hot_mib=10 rate=20 touches=8"


@pytest.fixture(scope="module")
def host() -> Iterator[Machine]:
    """Boot three guests; nobody asks "quiet" for its statistics."""
    specs = [
        GuestSpec(name, memory_bytes=size, period_seconds=0 if name == "quiet" else 1)
        for name, size in MAXIMA.items()
    ]
    with booted(specs) as machine:
        yield machine


def sizes(host: Machine) -> dict[str, int]:
    return {name: host.actual(name) for name in running_guests(host)}


def running_guests(host: Machine) -> list[str]:
    return host.daemon.virsh("list", "--name").stdout.split()


class Running:
    """A run of `ballonet run`, and the lines that it printed so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", printed: Path) -> None:
        self.process = process
        self._printed = printed

    def text(self) -> str:
        return self._printed.read_text()

    def wait_for(self, pattern: str) -> None:
        """Return when a line matches."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not re.search(pattern, self.text()):
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, f"no {pattern!r} in:\n{self.text()}"
            time.sleep(0.1)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def wait_until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@contextmanager
def running(host: Machine, printed: Path, *options: str) -> Iterator[Running]:
    words = [BALLONET, "-c", host.daemon.uri, "run", *OPTIONS, *options]
    # Not a terminal: lines must come as things happen all the same.
    with printed.open("wb") as file, subprocess.Popen(words, stdout=file, stderr=file) as process:
        try:
            yield Running(process, printed)
        finally:
            process.kill()


def test_without_enforce_it_says_what_it_would_do_and_writes_nothing(host: Machine, tmp_path: Path) -> None:
    before = sizes(host)
    with running(host, tmp_path / "printed", "--for", "6s") as run:
        assert 0 == run.process.wait(60)
    assert MAXIMA == before == sizes(host)
    assert 0 == host.period("quiet")
    for line in (
        r"Observing the guests of .*: budget 420 MiB",
        r"one +would: 256 MiB → \d+ MiB  ",
        r"quiet +left alone: .*period",
        r"quiet +would: statistics switched on",
        r"Ran for 6 s, \d+ ticks, observing: nothing was written\.",
    ):
        assert re.search(line, run.text()), run.text()


def test_loads_that_trade_places_share_the_budget(host: Machine, tmp_path: Path) -> None:
    host.load("one", f"at 0 {BUSY}\nat 14 {IDLE}")
    host.load("two", f"at 0 {IDLE}\nat 22 {BUSY}")
    sums: list[int] = []
    seen: list[dict[str, int]] = []
    with running(host, tmp_path / "printed", "--enforce", "--for", "44s") as run:
        while run.process.poll() is None:
            seen.append(sizes(host))
            sums.append(sum(seen[-1].values()))
            time.sleep(0.5)
    assert 0 == run.process.returncode, run.text()

    # What they need together exceeds the budget until the one rests: it is met soon after.
    settled = next(number for number, total in enumerate(sums) if total <= BUDGET_BYTES)
    assert settled < len(sums) / 2, sums
    # Who grows is told before who shrinks has arrived at the last page: a page or two is no overrun.
    assert max(sums[settled:]) <= BUDGET_BYTES + MIB, sums
    assert seen[settled]["one"] > seen[settled]["two"]
    assert seen[-1]["two"] > seen[-1]["one"]
    assert min(size for found in seen for size in found.values()) >= FLOOR_BYTES
    assert 0 != host.period("quiet")
    for name in MAXIMA:
        assert 0 == host.lab.latest(name).oom_kill
    assert 130.0 == host.lab.latest("two").anon_mib
    for line in (r"two +\d+ MiB → \d+ MiB  it grows|a burst of", r"statistics switched on, every 1 s"):
        assert re.search(line, run.text()), run.text()
    assert re.search(r"Given back +\d+ MiB at the end, [\d.]+ GiB·s over the run", run.text())


def test_a_settled_host_is_left_alone(host: Machine, tmp_path: Path) -> None:
    host.load("one", f"at 0 {BUSY}")
    host.load("two", f"at 0 {IDLE}")
    wait_until(lambda: host.lab.latest("one").anon_mib == 130.0)
    with running(host, tmp_path / "printed", "--enforce") as run:
        time.sleep(25)  # two bites, each watched for six seconds, and their statistics
        before, said = sizes(host), run.text()
        time.sleep(15)
        assert before == sizes(host)
        assert said == run.text()
        assert 0 == run.interrupt()
    assert sum(before.values()) <= BUDGET_BYTES


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_was_recorded_is_replayed(host: Machine, tmp_path: Path, ending: str) -> None:
    host.load("one", f"at 0 {IDLE}\nat 6 {BUSY}")
    host.load("two", f"at 0 {IDLE}")
    wait_until(lambda: {10.0} == {host.lab.latest(name).anon_mib for name in ("one", "two")})
    path = tmp_path / f"trace.{ending}"
    with running(host, tmp_path / "printed", "--enforce", "--record", str(path)) as run:
        wait_until(lambda: host.lab.latest("one").anon_mib == 130.0)
        time.sleep(4)  # until its statistics say so, too
        assert 0 == run.interrupt()
    trace = read(path)
    wanted = {demand.name: demand for demand in demands(trace)}

    assert f"Recorded        {len(trace)} rows, {path}" in run.text()
    assert {"one", "two"} <= set(trace.names)
    assert set(trace.numbers["maximum_bytes"].tolist()) <= set(map(float, MAXIMA.values()))
    assert (trace.numbers["target_bytes"] >= FLOOR_BYTES).any()
    assert trace.numbers["watched"].all()
    # What a real guest's programs hold, as its samples tell it, to some 50 MiB.
    assert wanted["one"].anon[-1] == pytest.approx(130 * MIB, abs=50 * MIB)
    assert wanted["two"].anon[-1] == pytest.approx(10 * MIB, abs=50 * MIB)

    words = [BALLONET, "sim", "replay", str(path), "--budget", "420MiB", "-o", "json"]
    replayed = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert 0 == replayed.returncode, replayed.stderr
    outcomes = json.loads(replayed.stdout)["outcomes"]
    assert ["recorded", "ballonet", "none", "equal", "proxmox"] == list(outcomes)
    assert outcomes["ballonet"]["given_back_bytes"] > 0 == outcomes["none"]["given_back_bytes"]


def test_guests_that_reboot_hang_or_end_are_outlived(host: Machine, tmp_path: Path) -> None:
    (process,) = reaper.processes({host.lab.uuids["one"]})
    with running(host, tmp_path / "printed", "--enforce") as run:
        run.wait_for(r"one +is here")
        host.daemon.virsh("reset", "two")
        run.wait_for(r"two +was reset")
        os.kill(process, signal.SIGSTOP)
        try:
            run.wait_for(r"one +left alone: it does not answer")
        finally:
            os.kill(process, signal.SIGCONT)
        run.wait_for(r"one +managed")
        host.daemon.virsh("destroy", "quiet")
        run.wait_for(r"quiet +is gone")
        assert 0 == run.interrupt()
    assert "Traceback" not in run.text()
    assert re.search(r"Ran for \d+ s, \d+ ticks\.", run.text())
    assert ["one", "two"] == sorted(running_guests(host))


def test_a_daemon_that_dies_is_waited_for(host: Machine, tmp_path: Path) -> None:
    with running(host, tmp_path / "printed", "--enforce") as run:
        run.wait_for(r"one +is here")
        host.daemon.kill()
        run.wait_for(r"the connection .* broke")
        host.daemon.start()
        run.wait_for(r"connected to .* again")
        assert 0 == run.interrupt()
    assert "Traceback" not in run.text()
