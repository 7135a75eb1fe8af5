"""Two libvirtds of one host, each with a guest: one budget, and either may go and come back."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hosts import booted
from serving import BUDGET_BYTES, IDLE, Service, wait_until, wait_until_small
from subjects import Machine

from ballonet.lab.domain import GuestSpec
from ballonet.units import MIB

pytestmark = pytest.mark.real

BUSY = "at 0 anon_mib=150 hot_mib=150 rate=20 touches=8 grow_mib_s=50"


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Machine, Machine]]:
    """Boot one guest of 256 MiB under each of two libvirtds."""
    with ExitStack() as both:
        left, right = (
            both.enter_context(booted([GuestSpec(name, memory_bytes=256 * MIB)]))
            for name in ("left", "right")
        )
        yield left, right


def test_they_share_a_budget_and_one_that_goes_costs_its_own_guests_only(
    pair: tuple[Machine, Machine], tmp_path: Path
) -> None:
    left, right = pair
    uris = [machine.daemon.uri for machine in pair]
    service = Service(tmp_path, uris)

    def unanswered() -> list[str]:
        (found,) = service.status().hypervisors
        return found.unanswered

    left.load("left", IDLE)
    right.load("right", IDLE)
    with service.running():
        wait_until_small(service, "left", "right")
        rows = service.answer("plan")["hypervisors"][0]["guests"]
        assert {"left": uris[0], "right": uris[1]} == {row["name"]: row["hypervisor"] for row in rows}

        left.load("left", BUSY)
        wait_until(lambda: left.actual("left") >= 200 * MIB, service.said)
        assert left.actual("left") + right.actual("right") <= BUDGET_BYTES
        before = right.actual("right")

        right.daemon.kill()
        wait_until(lambda: unanswered() == [uris[1]], service.said)
        size = left.actual("left") - 8 * MIB
        assert 0 == service.ask("set", "left", f"{size}B", "--for", "10m").returncode
        wait_until(lambda: left.actual("left") == size, service.said)
        assert 0 == service.ask("resume", "left").returncode
        assert "does not answer" in service.verdict("right")

        right.daemon.start()
        wait_until(lambda: unanswered() == [], service.said)
        assert abs(right.actual("right") - before) <= 64 * MIB
        wait_until(lambda: service.verdict("right") == "managed", service.said)
        assert not [event for event in service.answer("events")["events"] if event["kind"] == "broken"]
    assert "Traceback" not in service.said.read_text()
