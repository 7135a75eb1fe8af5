"""The demo as a newcomer runs it: a report at its end, and nothing left behind when it is interrupted."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ballonet.lab.image import KERNEL_VARIABLE

pytestmark = pytest.mark.real

BALLONET = str(Path(sys.executable).with_name("ballonet"))


def qemus_below(directory: Path) -> list[str]:
    """Return the command lines of QEMU processes with files below a directory."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().decode(errors="replace")
            lines += [line] if "qemu-system" in line and str(directory) in line else []
    return lines


def test_the_demo_balances_real_guests_and_reports_what_it_was_worth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KERNEL_VARIABLE, raising=False)  # whoever tries it has no kernel for its guests yet
    picture = tmp_path / "demo.svg"
    demo = [BALLONET, "demo", "--seconds", "14", "--plot", str(picture)]
    done = subprocess.run(demo, capture_output=True, text=True, check=False, timeout=300)
    text = done.stdout

    assert 0 == done.returncode, done.stderr
    assert "" == done.stderr
    for words in ("Balanced by ballonet", "given back", "times the latency", "never exceeded"):
        assert words in text
    killed = next(line for line in text.splitlines() if line.startswith("processes killed"))
    assert ["0", "0"] == killed.split()[-2:]
    for title in ("none", "ballonet"):
        assert f">{title}<" in picture.read_text()


def test_a_demo_that_could_not_be_drawn_boots_nobody() -> None:
    # Did it begin with its guests, it would say which programs they lack.
    words, nothing = [BALLONET, "demo", "--plot", "demo.gif"], {**os.environ, "PATH": "/nonexistent"}
    done = subprocess.run(words, env=nothing, capture_output=True, text=True, check=False, timeout=60)

    assert 2 == done.returncode
    assert done.stderr.startswith("ballonet: demo.gif is the name of no picture\nhint: ")
    assert "" == done.stdout


def test_policies_are_compared_on_real_guests_too(tmp_path: Path) -> None:
    picture = tmp_path / "pictures"
    bench = [BALLONET, "lab", "bench", "one-bursts", "--policy", "proxmox", "--rounds", "2"]
    done = subprocess.run(
        [*bench, "--seconds", "10", "--plot", str(picture), "-o", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )

    assert 0 == done.returncode, done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert ["none", "proxmox"] * 2 == [run["policy"] for run in runs]
    assert all(run["requests"] > 0 for run in runs)
    for none, proxmox in (runs[:2], runs[2:]):
        assert proxmox["held_mean_bytes"] < none["held_mean_bytes"]
        assert 0.0 < proxmox["given_back_share"] < 1.5
    assert (picture / "one-bursts.svg").exists()


def lab_of(demo: "subprocess.Popen[bytes]") -> Path | None:
    """Return the directory that is removed when a demo ends, which its reaper knows; None before that."""
    for child in Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split():
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            if "ballonet.lab.reaper" in words:
                return Path(words[words.index("ballonet.lab.reaper") + 1])
    return None


def test_an_interrupted_demo_leaves_nothing_behind() -> None:
    process = subprocess.Popen([BALLONET, "demo"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while (lab := lab_of(process)) is None or not list(lab.glob("guests/*/reports")):
        assert process.poll() is None
        time.sleep(0.1)

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert 130 == process.returncode, output
    assert b"Traceback" not in output
    assert not lab.parent.exists()
    assert [] == qemus_below(lab.parent)
