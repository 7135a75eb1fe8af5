import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ballonet.host.residents import ProcessResidents
from ballonet.units import MIB

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
# Says "ready" once it runs, then takes as many MiB as each line says.
GROWING = """
import sys
held = []
print("ready", flush=True)
for line in sys.stdin:
    held.append(bytearray(b"x") * (int(line) << 20))
    print("done", flush=True)
"""


@contextmanager
def guest(identifier: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process that looks like a guest's and grows when told."""
    command = [sys.executable, "-c", GROWING, "-name", "guest=x", "-uuid", identifier, "-m", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert "ready\n" == process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def grow(process: subprocess.Popen[str], mebibytes: int) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{mebibytes}\n")
    process.stdin.flush()
    assert "done\n" == process.stdout.readline()


def test_growth_is_seen_at_once() -> None:
    identifier = str(uuid.uuid4())
    residents = ProcessResidents()
    with guest(identifier) as process:
        residents.follow([identifier, "nobody"])
        assert (process.pid, None) == (residents.process_of(identifier), residents.process_of("nobody"))
        before = residents.read()
        grow(process, 64)
        after = residents.read()
    assert {identifier} == before.keys() == after.keys()
    assert 60 * MIB <= after[identifier] - before[identifier] <= 80 * MIB


def test_a_start_is_dated() -> None:
    identifier = str(uuid.uuid4())
    residents = ProcessResidents()
    earliest = time.time()
    with guest(identifier):
        latest = time.time()
        residents.follow([identifier])
        started = residents.started_at(identifier)
    assert started is not None
    assert earliest - 2.0 <= started <= latest + 2.0  # /proc keeps whole seconds of the boot
    assert None is residents.started_at("nobody")


def test_a_guest_that_ended_is_dropped_and_found_again_when_it_is_back() -> None:
    identifier = str(uuid.uuid4())
    residents = ProcessResidents()
    with guest(identifier) as process:
        residents.follow([identifier])
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert {} == residents.read()  # a zombie: it ended, and nobody asked how
    assert {} == residents.read()
    assert None is residents.started_at(identifier)
    with guest(identifier):
        residents.follow([identifier])
        assert {identifier} == residents.read().keys()


def test_only_those_followed_are_read_and_their_files_are_closed() -> None:
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    residents = ProcessResidents()
    opened = len(list(Path("/proc/self/fd").iterdir()))
    with guest(one), guest(other):
        residents.follow([one, other])
        assert {one, other} == residents.read().keys()
        residents.follow([other])
        assert {other} == residents.read().keys()
        residents.follow([])
        assert {} == residents.read()
    assert opened == len(list(Path("/proc/self/fd").iterdir()))


def process(root: Path, pid: int, identifier: str, *, started: int = 100, pages: int = 10) -> None:
    """Write what /proc shows of a guest's process."""
    directory = root / "proc" / str(pid)
    directory.mkdir(parents=True)
    command = ["qemu-system-x86_64", "-name", "guest=a b", "-uuid", identifier, "-m", "512"]
    (directory / "cmdline").write_bytes("\0".join([*command, ""]).encode())
    (directory / "statm").write_text(f"1000 {pages} 5 1 0 100 0\n")
    fields = " ".join(["S", *["0"] * 18, str(started), "0"])
    (directory / "stat").write_text(f"{pid} (qemu (odd) name) {fields}\n")


def test_a_start_is_reckoned_from_the_boot(tmp_path: Path) -> None:
    process(tmp_path, 7, "a-b", started=5 * TICKS)
    (tmp_path / "proc/stat").write_text("cpu 1 2 3\nbtime 1700000000\nprocesses 9\n")
    residents = ProcessResidents(tmp_path)
    residents.follow(["a-b"])
    assert {"a-b": 10 * PAGE} == residents.read()
    assert 1_700_000_005.0 == residents.started_at("a-b")


def test_the_youngest_process_is_the_guest(tmp_path: Path) -> None:
    """What starts QEMU, such as sudo, may carry its whole command line."""
    for pid, started, pages in ((7, 10, 1), (8, 30, 3), (9, 20, 2)):
        process(tmp_path, pid, "a", started=started, pages=pages)
    residents = ProcessResidents(tmp_path)
    residents.follow(["a"])
    assert {"a": 3 * PAGE} == residents.read()


def test_a_process_that_somebody_knows_need_not_name_its_guest(tmp_path: Path) -> None:
    known = {"a": 7, "gone": 9, "other": 8}
    process(tmp_path, 7, "", started=5 * TICKS)
    process(tmp_path, 8, "b", pages=2)
    residents = ProcessResidents(tmp_path, lambda: known)
    residents.follow(["a", "b", "gone"])
    assert {"a": 10 * PAGE, "b": 2 * PAGE} == residents.read()
    known["gone"] = 8
    residents.follow(["a", "gone"])
    assert {"a": 10 * PAGE, "gone": 2 * PAGE} == residents.read()


@pytest.mark.parametrize("spoiled", ["cmdline", "stat", "statm"])
def test_a_process_that_cannot_be_read_is_left_out(tmp_path: Path, spoiled: str) -> None:
    process(tmp_path, 7, "a")
    process(tmp_path, 8, "b")
    (tmp_path / "proc/7" / spoiled).write_text("odd")
    residents = ProcessResidents(tmp_path)
    residents.follow(["a", "b"])
    assert {"b": 10 * PAGE} == residents.read()


def test_without_proc_nobody_is_found(tmp_path: Path) -> None:
    residents = ProcessResidents(tmp_path / "nothing")
    residents.follow(["a"])
    assert {} == residents.read()


def test_who_is_missing_is_looked_for_ever_more_rarely(tmp_path: Path) -> None:
    found = []
    for late in range(1, 9):
        root = tmp_path / str(late)
        (root / "proc").mkdir(parents=True)
        residents = ProcessResidents(root)
        for call in range(1, late):
            residents.follow(["a"])
            assert {} == residents.read(), call
        process(root, 7, "a")
        residents.follow(["a"])
        found.append(bool(residents.read()))
    assert [True, True, False, True, False, False, False, True] == found


def test_somebody_new_makes_it_look_at_once(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    residents = ProcessResidents(tmp_path)
    for _ in range(5):
        residents.follow(["a"])
    process(tmp_path, 7, "a")
    residents.follow(["a", "b"])
    assert {"a"} == residents.read().keys()
