"""Metrics of real guests: a Prometheus scrapes the service that balances them, and says what commands say."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
from hosts import booted
from prometheus import scraping

from ballonet.lab.domain import GuestSpec
from ballonet.units import MIB

pytestmark = pytest.mark.real

COMMAND = [sys.executable, "-m", "ballonet"]
OPTIONS = ["--budget", "420MiB", "--floor", "96MiB", "--boot-grace", "0s", "--interval", "1s"]
IDLE = "anon_mib=10 hot_mib=10 rate=20 touches=8"


def wait_until(there: Callable[[], bool], said: Path) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.3)


def test_prometheus_knows_what_the_commands_say(tmp_path: Path) -> None:
    with booted([GuestSpec(name, memory_bytes=256 * MIB) for name in ("one", "two")]) as host:
        for name in ("one", "two"):
            host.load(name, f"at 0 {IDLE}")
        socket, said = host.daemon.directory.parent / "run.sock", tmp_path / "said"
        uri, environment = host.daemon.uri, {**os.environ, "BALLONET_SOCKET": str(socket)}
        words = [
            "-c",
            uri,
            "run",
            "--enforce",
            *OPTIONS,
            "--web",
            "127.0.0.1:0",
            "--state",
            str(tmp_path / "state"),
        ]

        def asked(*question: str) -> str:
            return subprocess.run(
                [*COMMAND, *question], env=environment, check=True, capture_output=True, text=True, timeout=60
            ).stdout

        with (
            said.open("wb") as file,
            subprocess.Popen(
                [*COMMAND, *words, "--socket", str(socket)], stdout=file, stderr=file
            ) as process,
        ):
            try:
                wait_until(lambda: "Answering on http://" in said.read_text(), said)
                found = re.search(r"Answering on http://(.*)/:", said.read_text())
                assert found
                with scraping(found[1], tmp_path) as prometheus:
                    wait_until(lambda: host.actual("one") + host.actual("two") <= 420 * MIB, said)
                    reached = 'sum(ballonet_changes_total{reason="planned",result="reached"}) > 0'
                    prometheus.awaited(reached)
                    asked("pause")  # so that all that is read below is of one moment
                    listed = json.loads(asked("guests", "-c", uri, "-o", "json"))["guests"]
                    wait_until(
                        lambda: (
                            prometheus.values("ballonet_guest_balloon_actual_bytes")
                            == {each["name"]: each["actual_bytes"] for each in listed}
                        ),
                        said,
                    )
                    maxima = prometheus.values("ballonet_guest_maximum_bytes")
                    assert {each["name"]: each["maximum_bytes"] for each in listed} == maxima
                    assert min(prometheus.values("ballonet_guest_floor_bytes").values()) >= 96 * MIB
                    moved = prometheus.values("ballonet_moved_bytes_total{direction='shrink'}")
                    assert moved[""] >= 512 * MIB - 420 * MIB
                    assert {"": 1.0} == prometheus.values("ballonet_store_writable")
                    assert {"": 1.0} == prometheus.values("ballonet_libvirt_up")
                    assert {"": 1.0} == prometheus.awaited("ballonet_paused == 1")
                    assert {"": 0.0} == prometheus.values("sum(ballonet_invariant_violations_total)")
                    firing = prometheus.get("/api/v1/alerts")["alerts"]
                    assert [] == [alert for alert in firing if alert["state"] == "firing"]
                with urlopen(f"http://{found[1]}/metrics", timeout=30) as answer:
                    text = answer.read()
                subprocess.run(["promtool", "check", "metrics"], input=text, check=True)
            finally:
                process.terminate()
    assert "Traceback" not in said.read_text()
