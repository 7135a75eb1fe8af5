"""`/metrics`, as Prometheus reads it: over TCP from a service that runs, and on its socket."""

from pathlib import Path

import pytest
from hosted import USES, Hosted, hosted
from prometheus import scraping

from ballonet.units import GIB


def test_prometheus_scrapes_a_service_and_answers(place: Path, tmp_path: Path) -> None:
    with hosted(place, web=True) as service:
        assert service.web is not None
        with scraping(str(service.web.address), tmp_path) as prometheus:
            actual = prometheus.awaited("ballonet_guest_balloon_actual_bytes")
            assert {name: service.size(name) for name in USES} == actual
            assert {"": 1.0} == prometheus.values("up")
            assert {"": 3.0 * GIB} == prometheus.values("ballonet_budget_bytes")
            assert {"": 4.0} == prometheus.values('ballonet_guests{verdict="managed"}')
            done = prometheus.values('sum(ballonet_changes_total{result="reached"})')
            assert done[""] > 0
            groups = prometheus.get("/api/v1/rules")["groups"]
            assert {"ok", "unknown"} >= {rule["health"] for group in groups for rule in group["rules"]}


def test_metrics_are_for_all_of_this_host(place: Path) -> None:
    with hosted(place, web=True) as service:
        status, headers, content = service.ask_web("GET", "/metrics")
        assert (200, "text/plain; version=0.0.4; charset=utf-8") == (status, headers["content-type"])
        mine = service.ask("GET", "/metrics")
    lines = [line for line in content.splitlines() if b"process_" not in line]
    assert (200, lines) == (mine[0], [line for line in mine[1].splitlines() if b"process_" not in line])


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_metrics_are_only_read(service: Hosted, method: str) -> None:
    assert 405 == service.ask(method, "/metrics", b"{}")[0]


def test_other_exporters_names_come_where_they_are_asked_for(service: Hosted) -> None:
    assert b"libvirt_domain_" not in service.ask("GET", "/metrics")[1]
    service.service.compat_metrics = True
    found = service.ask("GET", "/metrics")[1].decode()
    assert f'libvirt_domain_memory_stats_actual_balloon_bytes{{domain="web"}} {service.size("web")}' in found
