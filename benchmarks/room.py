"""What `make-room` takes beside busy real guests: its time, what the host shows, and what guests feel."""

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from real import BALLONET, lab

from ballonet.host.memory import LinuxHost
from ballonet.lab.lab import names, report_file
from ballonet.units import MIB

GUESTS, MEMORY, BUDGET, ROOM_MIB = 4, "512M", "2750M", 300
# What a guest used once and freed is the host's only when the balloon takes it: it was touched, and is not
# reported. So each round begins with all of it in use. A guest more is left as it is: what it feels is the
# machine's doing, which moves latencies by a third.
ROUNDS, ROUND_SECONDS, FREED_SECONDS = 5, 60, 10
SETTLED_SECONDS, WATCHED_SECONDS = 25, 13  # of a round
BUSY = "\n".join(
    f"at {at} anon_mib=330 hot_mib=330 rate=50 touches=16\nat {at + FREED_SECONDS} anon_mib=120 hot_mib=120"
    for at in range(0, ROUNDS * ROUND_SECONDS, ROUND_SECONDS)
)


def room() -> None:
    """Boot guests, balance them, make room in each round, and print the figures before and after."""
    with (
        lab(GUESTS + 1, MEMORY, "--no-free-page-reporting") as (uri, directory),
        tempfile.TemporaryDirectory(prefix="room-") as place,
    ):
        environment = {**os.environ, "BALLONET_SOCKET": f"{place}/run.sock"}
        limits = ["--enforce", "--budget", BUDGET, "--boot-grace", "0s", "--interval", "1s"]
        paths = ["--socket", f"{place}/run.sock", "--state", f"{place}/state"]
        words = [BALLONET, "-c", uri, "run", *limits, *paths]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as service:
            try:
                for name in names(GUESTS + 1):
                    words = [BALLONET, "lab", "load", name, "-", "--directory", str(directory)]
                    subprocess.run(words, input=BUSY, text=True, check=True, stdout=subprocess.DEVNULL)
                begun = time.monotonic()
                words = [BALLONET, "pause", _left_alone(), "--for", "1h"]
                subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
                _told([_round(begun + nth * ROUND_SECONDS, directory, environment) for nth in range(ROUNDS)])
            finally:
                service.terminate()


def _left_alone() -> str:
    return list(names(GUESTS + 1))[-1]


def _round(begun: float, directory: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Make room once in a round that begins at this monotonic time, and give it back."""

    def run(*words: str) -> dict[str, Any]:
        done = subprocess.run(
            [BALLONET, *words, "-o", "json"], env=environment, capture_output=True, text=True, check=True
        )
        return dict(json.loads(done.stdout))

    time.sleep(max(begun + SETTLED_SECONDS - time.monotonic(), 0.0))
    before, had = _latencies(directory), LinuxHost().memory().available_bytes
    start = time.perf_counter()
    lease = run("make-room", f"{ROOM_MIB}MiB", "--timeout", "60s")
    seconds = time.perf_counter() - start
    time.sleep(2.0)  # what the guests gave shows in the host's figure a moment later
    available, after = LinuxHost().memory().available_bytes - had, _latencies(directory)
    run("room", "drop", lease["id"])
    return {"seconds": seconds, "available_mib": available / MIB, "before_ms": before, "after_ms": after}


def _told(rounds: list[dict[str, Any]]) -> None:
    print(f"\nroom for {ROOM_MIB} MiB beside {GUESTS} busy guests, {ROUNDS} times")
    for each in rounds:
        print(f"made in {each['seconds']:.1f} s, {each['available_mib']:+.0f} MiB available on the host")
    for who, nth in (("guests", 0), ("who was left alone", 1)):
        before, after = (
            statistics.mean(each[key][nth] for each in rounds) for key in ("before_ms", "after_ms")
        )
        print(f"requests of {who:<19} {before:.2f} -> {after:.2f} ms, {after / before:.2f}x")
    print(json.dumps(rounds))


def _latencies(directory: Path) -> tuple[float, float]:
    """Return the mean latency of requests in the next seconds, ms: of guests, of who is left alone."""
    files = {name: report_file(directory, name) for name in names(GUESTS + 1)}
    already = {name: len(file.read()) for name, file in files.items()}
    time.sleep(WATCHED_SECONDS)
    found = {
        name: [r.mean_ms for r in file.read()[already[name] :] if r.mean_ms] for name, file in files.items()
    }
    alone = statistics.mean(found.pop(_left_alone()))
    return statistics.mean(ms for of_guest in found.values() for ms in of_guest), alone


if __name__ == "__main__":
    room()
