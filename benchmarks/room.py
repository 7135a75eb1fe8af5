"""What `make-room` takes beside busy real guests: its time, what the host shows, and what guests feel."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from real import BALLONET, lab

from ballonet.host.memory import LinuxHost
from ballonet.lab.lab import names, report_file
from ballonet.units import MIB

GUESTS, MEMORY, BUDGET, ROOM_MIB = 4, "512M", "1700M", 300
# Two that work in memory, and two whose page cache is what was read once and is read no more.
BUSY = "at 0 anon_mib=150 hot_mib=150 rate=50 touches=16"
CACHED = "at 0 anon_mib=20 hot_mib=20 file_mib=200 rate=50 touches=16 reads=8\nat 20 reads=0"
SETTLE_SECONDS, WATCHED_SECONDS = 40.0, 15.0


def room(*options: str) -> None:
    """Boot guests, balance them, make room, and print the figures before and after."""
    with (
        lab(GUESTS, MEMORY, *options) as (uri, directory),
        tempfile.TemporaryDirectory(prefix="room-") as place,
    ):
        for name, load in zip(names(GUESTS), (BUSY, BUSY, CACHED, CACHED), strict=True):
            words = ["lab", "load", name, "-", "--directory", str(directory)]
            subprocess.run([BALLONET, *words], input=load, text=True, check=True, stdout=subprocess.DEVNULL)
        environment = {**os.environ, "BALLONET_SOCKET": f"{place}/run.sock"}
        limits = ["--enforce", "--budget", BUDGET, "--boot-grace", "0s", "--interval", "1s"]
        paths = ["--socket", f"{place}/run.sock", "--state", f"{place}/state"]
        words = [BALLONET, "-c", uri, "run", *limits, *paths]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as service:
            try:
                time.sleep(SETTLE_SECONDS)
                _measure(directory, environment)
            finally:
                service.terminate()


def _measure(directory: Path, environment: dict[str, str]) -> None:
    before, had = _latencies(directory, WATCHED_SECONDS), LinuxHost().memory().available_bytes
    start = time.perf_counter()
    words = [BALLONET, "make-room", f"{ROOM_MIB}MiB", "--timeout", "60s", "-o", "json"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    time.sleep(2.0)  # what the guests gave shows in the host's figure a moment later
    has = LinuxHost().memory().available_bytes
    after = _latencies(directory, WATCHED_SECONDS)
    print(f"\nroom for {ROOM_MIB} MiB beside {GUESTS} busy guests")
    print(f"made in              {seconds:>6.1f} s, exit {done.returncode} {done.stderr.strip()}")
    print(f"available on the host{(has - had) / MIB:>+6.0f} MiB")
    for name in before:
        ratio = after[name] / before[name]
        print(f"{name:<20} {before[name]:>6.2f} ms {after[name]:>6.2f} ms {ratio:>6.2f}x")
    mean = statistics.mean(after.values()) / statistics.mean(before.values())
    print(json.dumps({"room_seconds": seconds, "available_mib": (has - had) / MIB, "latency_ratio": mean}))


def _latencies(directory: Path, seconds: float) -> dict[str, float]:
    """Return the mean latency of each guest in the next seconds, ms."""
    files = {name: report_file(directory, name) for name in names(GUESTS)}
    already = {name: len(file.read()) for name, file in files.items()}
    time.sleep(seconds)
    return {
        name: statistics.mean(r.mean_ms for r in file.read()[already[name] :] if r.mean_ms is not None)
        for name, file in files.items()
    }


if __name__ == "__main__":
    room(*sys.argv[1:])  # --no-free-page-reporting: what guests freed is the host's only when it is taken
