"""A service on real guests with real loads: asked, interfered with, killed, and started again."""

import os
import random
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hosts import booted
from serving import Service, wait_until
from subjects import Machine

from ballonet.lab import reaper
from ballonet.lab.domain import GuestSpec
from ballonet.units import MIB

pytestmark = pytest.mark.real

BUDGET_BYTES = 420 * MIB
FLOOR_BYTES = 96 * MIB
OPTIONS = ["--enforce", "--budget", "420MiB", "--floor", "96MiB", "--boot-grace", "0s", "--interval", "1s"]
BUSY = "anon_mib=130 hot_mib=130 rate=20 touches=8 grow_mib_s=50"
IDLE = "anon_mib=10 hot_mib=10 rate=20 touches=8"
KILLS = 30
RESTARTS = 5


@pytest.fixture(scope="module")
def host() -> Iterator[Machine]:
    """Boot two guests of 256 MiB."""
    with booted([GuestSpec(name, memory_bytes=256 * MIB) for name in ("one", "two")]) as machine:
        yield machine


@pytest.fixture
def service(host: Machine, tmp_path: Path) -> Service:
    for name in ("one", "two"):
        host.load(name, f"at 0 {IDLE}")
    return Service(tmp_path, [host.daemon.uri], OPTIONS)


def written(host: Machine, service: Service, name: str) -> bool:
    return service.has_written(name, host.actual(name))


def held(host: Machine) -> int:
    return sum(host.actual(name) for name in ("one", "two"))


def test_history_and_report_say_what_guests_say(host: Machine, service: Service) -> None:
    with service.running() as process:
        wait_until(lambda: held(host) <= BUDGET_BYTES, service.said)
        time.sleep(30)
        service.ask("pause")
        time.sleep(5)  # what was under way has arrived, and is in a sample
        words = ["-c", host.daemon.uri, "guests"]
        guests = {guest["name"]: guest for guest in service.answer(*words)["guests"]}
        report = service.answer("report")
        for name, guest in guests.items():
            past = service.answer("history", name, "--since", "1m")
            for value in ("actual_bytes", "maximum_bytes"):
                assert guest[value] == past[value][-1], value
            assert past["rss_bytes"][-1] == pytest.approx(guest["rss_bytes"], rel=0.1)
            assert past["usable_bytes"][-1] == pytest.approx(guest["usable_bytes"], abs=20 * MIB)
            assert 0 < sum(filter(None, past["changes"]))
        assert (
            sum(guest["actual_bytes"] for guest in guests.values())
            == (service.answer("history")["held_bytes"][-1])
        )
        totals = report["totals"]
        assert report["observed_seconds"] > 30.0
        mean = totals["given_back_byte_seconds"] / report["observed_seconds"]
        given_back = sum(guest["maximum_bytes"] - guest["actual_bytes"] for guest in guests.values())
        assert mean == pytest.approx(given_back, rel=0.5)  # it began with nothing given back
        assert 0 < totals["seen_byte_seconds"] <= totals["compared_byte_seconds"]
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(20)
    with service.running():
        # What was before a restart is known after it.
        assert len(service.answer("history", "one")["at_seconds"]) > 30
    assert "minutes of history" not in service.said.read_text()


def test_people_ask_and_it_goes_on_afterwards(host: Machine, service: Service) -> None:
    with service.running() as process:
        wait_until(lambda: held(host) <= BUDGET_BYTES, service.said)
        assert "enforce" == service.answer("status")["mode"]
        assert "all of its need" in service.ask("why", "one").stdout

        done = service.ask("set", "one", "240MiB", "--for", "12s")
        assert 0 == done.returncode, done.stderr
        wait_until(lambda: host.actual("one") == 240 * MIB, service.said)
        wait_until(lambda: "held" in service.verdict("one"), service.said)
        wait_until(lambda: service.verdict("one") == "managed", service.said)
        assert 5 == service.ask("set", "one", "20MiB", "--for", "6s").returncode

        host.daemon.virsh("setmem", "two", "200M")
        wait_until(lambda: "somebody else" in service.verdict("two"), service.said)
        wait_until(lambda: host.actual("two") == 200 * MIB, service.said)
        told = [event for event in service.answer("events")["events"] if event["name"] == "two"]
        assert any("somebody else" in event["sentence"] for event in told), told
        wait_until(lambda: service.verdict("two") == "managed", service.said, 80)

        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "settings were read again" in service.said.read_text(), service.said)
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(20)
    assert "Traceback" not in service.said.read_text()
    assert 3 == service.ask("status").returncode


def test_room_is_made_while_guests_are_busy(host: Machine, service: Service) -> None:
    host.load("one", f"at 0 {BUSY}")
    wait_until(lambda: host.lab.latest("one").anon_mib == 130.0, service.said)
    with service.running():
        wait_until(lambda: held(host) <= BUDGET_BYTES, service.said)
        time.sleep(5)  # until what it needs was reported, and no more is promised to it
        refused = service.ask("make-room", "10GiB")
        assert 5 == refused.returncode
        assert "could be had at most" in refused.stderr
        most = service.answer("room", "list")["most_bytes"]
        size = int(0.6 * most)
        assert size > 10 * MIB
        done = service.ask("make-room", f"{size // MIB}MiB", "--timeout", "40s", "--guest", "new")
        assert 0 == done.returncode, done.stderr
        assert held(host) <= BUDGET_BYTES - size + MIB
        assert 0 == host.lab.latest("one").oom_kill
        (lease,) = service.answer("room", "list")["leases"]
        assert 0 == service.ask("room", "drop", lease["id"]).returncode


def test_a_daemon_that_dies_again_and_again_and_a_guest_that_hangs_are_outlived(
    host: Machine, service: Service
) -> None:
    (process,) = reaper.processes({host.lab.uuids["two"]})
    with service.running():
        wait_until(lambda: held(host) <= BUDGET_BYTES, service.said)
        for number in range(RESTARTS):
            host.load("one", f"at 0 {BUSY if number % 2 else IDLE}")
            host.daemon.kill()
            wait_until(partial(service.has_told, "the connection to", number + 1), service.said)
            host.daemon.start()
            wait_until(partial(service.has_told, "connected to qemu", number + 1), service.said)
            wait_until(lambda: service.verdict("one") == "managed", service.said)

        os.kill(process, signal.SIGSTOP)
        try:
            wait_until(lambda: "does not answer" in service.verdict("two"), service.said)
            size = host.actual("one") - 8 * MIB
            done = service.ask("set", "one", f"{size}B", "--for", "2s")
            assert 0 == done.returncode, service.said.read_text()
            wait_until(lambda: host.actual("one") == size, service.said)
        finally:
            os.kill(process, signal.SIGCONT)
        wait_until(lambda: service.verdict("two") == "managed", service.said)
        events = service.answer("events")["events"]
        assert not [event for event in events if "somebody else" in event["sentence"]]
        assert not [event for event in events if event["kind"] == "broken"]
    assert "Traceback" not in service.said.read_text()


def test_it_is_killed_again_and_again_and_goes_on_where_it_was(host: Machine, service: Service) -> None:
    moments = random.Random(1)
    for number in range(KILLS):
        host.load("one", f"at 0 {BUSY if number % 2 else IDLE}")
        with service.running() as process:
            if number == 0:
                assert 0 == service.ask("pause", "two", "--for", "1h", "--why", "tea").returncode
            time.sleep(moments.uniform(0.0, 1.5))
            process.kill()
        for name in ("one", "two"):
            wait_until(partial(written, host, service, name), service.said)
    with service.running():
        wait_until(lambda: held(host) <= BUDGET_BYTES, service.said)
        assert ["two"] == [hold["name"] for hold in service.answer("status")["holds"]]
        assert 0 == service.ask("resume", "two").returncode
        assert min(host.actual(name) for name in ("one", "two")) >= FLOOR_BYTES
        events = service.answer("events")["events"]
        assert not [event for event in events if "somebody else" in event["sentence"]]
        assert not [event for event in events if event["kind"] == "broken"]
    assert "Traceback" not in service.said.read_text()
