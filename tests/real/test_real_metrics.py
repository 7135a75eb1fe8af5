"""Metrics of real guests: a Prometheus scrapes the service that balances them, and says what commands say."""

import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus import scraping
from serving import BUDGET_BYTES, FLOOR_BYTES, Service, wait_until
from subjects import Machine

from ballonet.units import MIB

pytestmark = pytest.mark.real


def test_prometheus_knows_what_the_commands_say(duo: Machine, served: Service, tmp_path: Path) -> None:
    place = tmp_path / "prometheus"
    place.mkdir()
    with served.running():
        with scraping(served.web(), place) as prometheus:
            wait_until(lambda: duo.actual("one") + duo.actual("two") <= BUDGET_BYTES, served.said)
            prometheus.awaited('sum(ballonet_changes_total{reason="planned",result="reached"}) > 0')
            assert 0 == served.ask("pause").returncode  # so that all that is read below is of one moment

            def listed(name: str) -> dict[str, float]:
                guests = served.answer("-c", duo.daemon.uri, "guests")["guests"]
                return {each["name"]: each[name] for each in guests}

            # The last change may still be on its way.
            actual = "ballonet_guest_balloon_actual_bytes"
            wait_until(lambda: listed("actual_bytes") == prometheus.values(actual), served.said)
            maxima = prometheus.values("ballonet_guest_maximum_bytes")
            assert listed("maximum_bytes") == maxima
            assert min(prometheus.values("ballonet_guest_floor_bytes").values()) >= FLOOR_BYTES
            moved = prometheus.values("ballonet_moved_bytes_total{direction='shrink'}")
            assert moved[""] >= 512 * MIB - BUDGET_BYTES
            assert {"": 1.0} == prometheus.values("ballonet_store_writable")
            assert {"": 1.0} == prometheus.values("ballonet_libvirt_up")
            assert {"": 1.0} == prometheus.awaited("ballonet_paused == 1")
            assert {"": 0.0} == prometheus.values("sum(ballonet_invariant_violations_total)")
            firing = prometheus.get("/api/v1/alerts")["alerts"]
            assert [] == [alert for alert in firing if alert["state"] == "firing"]
        with urlopen(f"http://{served.web()}/metrics", timeout=60) as answer:
            text = answer.read()
        subprocess.run(["promtool", "check", "metrics"], input=text, check=True)
    assert "Traceback" not in served.said.read_text()
