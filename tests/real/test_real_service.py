"""A service on real guests with real loads: asked, interfered with, killed, and started again."""

import os
import random
import signal
import time
from functools import partial

import pytest
from serving import BUDGET_BYTES, FLOOR_BYTES, IDLE, Service, wait_for_room, wait_until
from subjects import Machine

from ballonet.lab import reaper
from ballonet.units import MIB

pytestmark = pytest.mark.real

BUSY = "at 0 anon_mib=130 hot_mib=130 rate=20 touches=8 grow_mib_s=50"
KILLS = 30
RESTARTS = 5


def written(duo: Machine, served: Service, name: str) -> bool:
    return served.has_written(name, duo.actual(name))


def held(duo: Machine) -> int:
    return sum(duo.actual(name) for name in ("one", "two"))


def test_history_and_report_say_what_guests_say(duo: Machine, served: Service) -> None:
    with served.running() as process:
        wait_until(lambda: held(duo) <= BUDGET_BYTES, served.said)
        time.sleep(30)
        served.ask("pause")
        time.sleep(5)  # what was under way has arrived, and is in a sample
        words = ["-c", duo.daemon.uri, "guests"]
        guests = {guest["name"]: guest for guest in served.answer(*words)["guests"]}
        report = served.answer("report")
        for name, guest in guests.items():
            past = served.answer("history", name, "--since", "1m")
            for value in ("actual_bytes", "maximum_bytes"):
                assert guest[value] == past[value][-1], value
            assert past["rss_bytes"][-1] == pytest.approx(guest["rss_bytes"], rel=0.1)
            assert past["usable_bytes"][-1] == pytest.approx(guest["usable_bytes"], abs=20 * MIB)
            assert 0 < sum(filter(None, past["changes"]))
        assert (
            sum(guest["actual_bytes"] for guest in guests.values())
            == (served.answer("history")["held_bytes"][-1])
        )
        totals = report["totals"]
        assert report["observed_seconds"] > 30.0
        mean = totals["given_back_byte_seconds"] / report["observed_seconds"]
        given_back = sum(guest["maximum_bytes"] - guest["actual_bytes"] for guest in guests.values())
        assert mean == pytest.approx(given_back, rel=0.5)  # it began with nothing given back
        assert 0 < totals["seen_byte_seconds"] <= totals["compared_byte_seconds"]
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(60)
    with served.running():
        # What was before a restart is known after it.
        assert len(served.answer("history", "one")["at_seconds"]) > 30
    assert "minutes of history" not in served.said.read_text()


def test_people_ask_and_it_goes_on_afterwards(duo: Machine, served: Service) -> None:
    with served.running() as process:
        wait_for_room(served, 240)
        assert "enforce" == served.answer("status")["mode"]
        assert "all of its need" in served.ask("why", "one").stdout

        done = served.ask("set", "one", "240MiB", "--for", "20s")
        assert 0 == done.returncode, done.stderr
        wait_until(lambda: duo.actual("one") == 240 * MIB, served.said)
        wait_until(lambda: "held" in served.verdict("one"), served.said)
        wait_until(lambda: served.verdict("one") == "managed", served.said)
        assert 5 == served.ask("set", "one", "20MiB", "--for", "6s").returncode

        duo.daemon.virsh("setmem", "two", "200M")
        wait_until(lambda: "somebody else" in served.verdict("two"), served.said)
        wait_until(lambda: duo.actual("two") == 200 * MIB, served.said)
        told = [event for event in served.answer("events")["events"] if event["name"] == "two"]
        assert any("somebody else" in event["sentence"] for event in told), told
        wait_until(lambda: served.verdict("two") == "managed", served.said)

        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "settings were read again" in served.said.read_text(), served.said)
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(60)
    assert "Traceback" not in served.said.read_text()
    assert 3 == served.ask("status").returncode


def test_room_is_made_while_guests_are_busy(duo: Machine, served: Service) -> None:
    duo.load("one", BUSY)
    wait_until(lambda: duo.lab.latest("one").anon_mib == 130.0, served.said)
    with served.running():
        wait_until(lambda: held(duo) <= BUDGET_BYTES, served.said)
        time.sleep(5)  # until what it needs was reported, and no more is promised to it
        refused = served.ask("make-room", "10GiB")
        assert 5 == refused.returncode
        assert "could be had at most" in refused.stderr
        most = served.answer("room", "list")["most_bytes"]
        size = int(0.6 * most)
        assert size > 10 * MIB
        done = served.ask("make-room", f"{size // MIB}MiB", "--timeout", "40s", "--guest", "new")
        assert 0 == done.returncode, done.stderr
        assert held(duo) <= BUDGET_BYTES - size + MIB
        assert 0 == duo.lab.latest("one").oom_kill
        (lease,) = served.answer("room", "list")["leases"]
        assert 0 == served.ask("room", "drop", lease["id"]).returncode


def test_a_daemon_that_dies_again_and_again_and_a_guest_that_hangs_are_outlived(
    duo: Machine, served: Service
) -> None:
    (process,) = reaper.processes({duo.lab.uuids["two"]})
    with served.running():
        wait_until(lambda: held(duo) <= BUDGET_BYTES, served.said)
        for number in range(RESTARTS):
            duo.load("one", BUSY if number % 2 else IDLE)
            duo.daemon.kill()
            wait_until(partial(served.has_told, "the connection to", number + 1), served.said)
            duo.daemon.start()
            wait_until(partial(served.has_told, "connected to qemu", number + 1), served.said)
            wait_until(lambda: served.verdict("one") == "managed", served.said)

        os.kill(process, signal.SIGSTOP)
        try:
            wait_until(lambda: "does not answer" in served.verdict("two"), served.said)
            size = duo.actual("one") - 8 * MIB
            done = served.ask("set", "one", f"{size}B", "--for", "10m")
            assert 0 == done.returncode, served.said.read_text()
            wait_until(lambda: duo.actual("one") == size, served.said)
            assert 0 == served.ask("resume", "one").returncode
        finally:
            os.kill(process, signal.SIGCONT)
        wait_until(lambda: served.verdict("two") == "managed", served.said)
        events = served.answer("events")["events"]
        others = [event["sentence"] for event in events if "somebody else" in event["sentence"]]
        assert [] == others, served.said.read_text()
        assert not [event for event in events if event["kind"] == "broken"]
    assert "Traceback" not in served.said.read_text()


def test_it_is_killed_again_and_again_and_goes_on_where_it_was(duo: Machine, served: Service) -> None:
    moments = random.Random(1)
    for number in range(KILLS):
        duo.load("one", BUSY if number % 2 else IDLE)
        with served.running() as process:
            if number == 0:
                assert 0 == served.ask("pause", "two", "--for", "1h", "--why", "tea").returncode
            time.sleep(moments.uniform(0.0, 2.5))  # a change needs statistics from after the first look
            process.kill()
        for name in ("one", "two"):
            wait_until(partial(written, duo, served, name), served.said)
    duo.load("one", IDLE)
    with served.running():
        wait_until(lambda: held(duo) <= BUDGET_BYTES, served.said)
        assert ["two"] == [hold["name"] for hold in served.answer("status")["holds"]]
        assert 0 == served.ask("resume", "two").returncode
        assert min(duo.actual(name) for name in ("one", "two")) >= FLOOR_BYTES
        events = served.answer("events")["events"]
        others = [event["sentence"] for event in events if "somebody else" in event["sentence"]]
        assert [] == others, served.said.read_text()
        assert not [event for event in events if event["kind"] == "broken"]
    assert "Traceback" not in served.said.read_text()
