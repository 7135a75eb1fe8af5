"""Real guests that eat, leak, lose their driver or are reset, and a host that runs short: all in vain."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hog import hogged
from hosts import booted
from serving import COMMAND, Service, wait_until
from subjects import Machine

from ballonet.host.memory import LinuxHost
from ballonet.lab.domain import GuestSpec
from ballonet.lab.lab import turn_driver
from ballonet.units import MIB

pytestmark = pytest.mark.real

MAXIMA = {"eater": 256 * MIB, "needy": 256 * MIB, "rescued": 256 * MIB, "leaky": 160 * MIB}
BUDGET_BYTES = 700 * MIB
FLOOR_BYTES = 112 * MIB
PAGE_BYTES = 4096
OPTIONS = ["--budget", f"{BUDGET_BYTES}B", "--floor", f"{FLOOR_BYTES}B"]
IDLE = "at 0 anon_mib=10 hot_mib=10 rate=10 touches=4"


@pytest.fixture(scope="module")
def host() -> Iterator[Machine]:
    specs = [
        GuestSpec("eater", memory_bytes=MAXIMA["eater"]),
        GuestSpec("needy", memory_bytes=MAXIMA["needy"]),
        GuestSpec("rescued", memory_bytes=MAXIMA["rescued"], autodeflate=True, swap_bytes=0),
        GuestSpec("leaky", memory_bytes=MAXIMA["leaky"], swap_bytes=0),
    ]
    with booted(specs) as machine:
        yield machine


@pytest.fixture
def service(host: Machine, tmp_path: Path) -> Service:
    for name in MAXIMA:
        host.load(name, IDLE)
    return Service(tmp_path, [host.daemon.uri], *OPTIONS)


def sizes(host: Machine) -> dict[str, int]:
    return {name: host.actual(name) for name in MAXIMA}


@contextmanager
def settled(host: Machine, service: Service) -> Iterator[None]:
    """Run a service that has its guests within the budget; in the end it has broken nothing."""
    with service.running():
        wait_until(lambda: sum(sizes(host).values()) <= BUDGET_BYTES, service.said)
        yield
        events = service.answer("events")["events"]
        assert not [event for event in events if event["kind"] == "broken"]
    assert "Traceback" not in service.said.read_text()
    for name, maximum in MAXIMA.items():
        for act in service.acts(name):
            assert FLOOR_BYTES - PAGE_BYTES < act.to_bytes <= maximum, (name, act)


def reported_at(host: Machine, name: str) -> int:
    """Return when a guest last sent its statistics, in whole epoch seconds."""
    words = host.daemon.virsh("dommemstat", name).stdout.split()
    return int(words[words.index("last_update") + 1])


def need(service: Service, name: str) -> int:
    return service.guests()[name].wanted.need_bytes or 0


def test_who_eats_all_it_gets_takes_nobody_below_floor_or_need(host: Machine, service: Service) -> None:
    host.load("needy", "at 0 anon_mib=60 hot_mib=60 rate=20 touches=8")
    wait_until(lambda: host.lab.latest("needy").anon_mib == 60.0, service.said)
    with settled(host, service):
        time.sleep(5)  # until what it needs was reported, and no more is promised to it
        wait_until(lambda: host.actual("eater") < MAXIMA["eater"] - 32 * MIB, service.said)
        before = host.lab.latest("needy")
        host.load("eater", "at 0 anon_mib=500 hot_mib=100 rate=20 touches=8 grow_mib_s=100")
        begun, least = host.actual("eater"), MAXIMA.copy()
        until = time.monotonic() + 10.0
        while time.monotonic() < until:
            seen = sizes(host)
            least = {name: min(least[name], size) for name, size in seen.items()}
            assert sum(seen.values()) <= BUDGET_BYTES + MIB, seen
            assert seen["needy"] >= need(service, "needy") - MIB, seen
        assert host.actual("eater") > begun + 16 * MIB  # it got what there was
        assert min(least.values()) >= FLOOR_BYTES - PAGE_BYTES
        after = host.lab.latest("needy")
        assert (0, 0) == (after.oom_kill - before.oom_kill, after.restarts - before.restarts)
        assert after.pswpin - before.pswpin < 256  # 1 MiB


def test_a_guest_whose_driver_goes_and_comes_is_left_alone(host: Machine, service: Service) -> None:
    # Its driver's end can only be seen in a guest that has less than all of its memory.
    host.resize("needy", 128 * MIB)
    with settled(host, service):
        time.sleep(5)  # until it was seen to stand still
        assert host.actual("needy") < MAXIMA["needy"]
        gone_at = time.time()
        asyncio.run(turn_driver(host.lab.directory, "needy", on=False))
        wait_until(lambda: host.actual("needy") == MAXIMA["needy"], service.said)
        wait_until(lambda: "somebody else" in service.verdict("needy"), service.said)
        # What it took was not there: others give, and nobody gets any.
        host.load("eater", "at 0 anon_mib=100 hot_mib=100 rate=20 touches=8 grow_mib_s=100")
        time.sleep(8)
        assert {"adopted"} == {act.cause for act in service.acts("needy", gone_at)}
        over = sum(sizes(host).values()) - BUDGET_BYTES
        assert over <= MIB or not [act for act in service.acts("eater", gone_at + 2) if act.grows]
        came_at = time.time()
        asyncio.run(turn_driver(host.lab.directory, "needy", on=True))
        # It goes by itself to what its device was last told.
        wait_until(lambda: host.actual("needy") < MAXIMA["needy"], service.said)
        wait_until(lambda: len(service.acts("needy", came_at)) > 0, service.said)
        assert {"adopted"} == {act.cause for act in service.acts("needy", came_at)}
        wait_until(lambda: sum(sizes(host).values()) <= BUDGET_BYTES, service.said)


def test_a_guest_reset_while_it_shrinks_is_left_alone_until_it_speaks_again(
    host: Machine, service: Service
) -> None:
    for name, size in MAXIMA.items():
        host.resize(name, size)
    with service.running():
        wait_until(lambda: bool(service.acts("eater")), service.said)
        host.daemon.virsh("reset", "eater")
        reset_at = time.time()
        # Until the driver is back QEMU tells the statistics of before; its stamps are whole seconds.
        wait_until(lambda: reported_at(host, "eater") > reset_at + 2.0, service.said)
        back_at = reported_at(host, "eater")
        assert not [act for act in service.acts("eater", reset_at + 1.0) if act.at < back_at - 1.0]
        wait_until(lambda: service.verdict("eater") == "managed", service.said)
    with settled(host, service):
        told = [event for event in service.answer("events")["events"] if event["name"] == "eater"]
        assert [event for event in told if "was reset" in event["sentence"]]
        assert not [event for event in told if "somebody else" in event["sentence"]]


def test_what_a_guest_took_back_to_save_itself_is_not_taken_again(host: Machine, service: Service) -> None:
    for name in ("eater", "needy"):
        host.load(name, "at 0 anon_mib=300 hot_mib=150 rate=20 touches=8 grow_mib_s=100")
    with settled(host, service):
        time.sleep(10)  # until nothing is left to give
        size, kills, begun = host.actual("rescued"), host.lab.latest("rescued").oom_kill, time.time()
        host.load("rescued", "at 0 anon_mib=110 hot_mib=110 rate=20 touches=8 grow_mib_s=40")
        wait_until(lambda: host.lab.latest("rescued").anon_mib == 110.0, service.said)
        wait_until(lambda: host.actual("rescued") > size + 32 * MIB, service.said)
        for _ in range(10):
            assert "somebody else" not in service.verdict("rescued")
            time.sleep(0.5)
        assert not [act for act in service.acts("rescued", begun) if act.shrinks]
        assert kills == host.lab.latest("rescued").oom_kill


def test_a_leak_that_its_own_kernel_ends_had_all_that_it_may_have(host: Machine, service: Service) -> None:
    with settled(host, service):
        time.sleep(5)
        size, kills, begun = host.actual("leaky"), host.lab.latest("leaky").oom_kill, time.time()
        host.load("leaky", "at 0 anon_mib=400 hot_mib=10 rate=10 touches=4 grow_mib_s=2")
        wait_until(lambda: host.lab.latest("leaky").oom_kill > kills, service.said)
        # Less by no more than is worth a change: its kernel may end it just before. Once it was ended it has
        # memory to spare, which goes back.
        most = max([size, *(act.to_bytes for act in service.acts("leaky", begun))])
        assert MAXIMA["leaky"] - most <= 8 * MIB, service.said.read_text()
        host.load("leaky", IDLE)


def test_a_second_service_is_refused_until_the_first_is_dead(
    host: Machine, service: Service, tmp_path: Path
) -> None:
    words = [*COMMAND, "-c", host.daemon.uri, "run", "--enforce", *OPTIONS, "--for", "5s"]
    other = Service(tmp_path / "other", [host.daemon.uri], *OPTIONS)
    other.state.parent.mkdir()
    with service.running() as first:
        for state in (service.state, other.state):
            places = ["--state", str(state), "--socket", str(tmp_path / "second.sock")]
            second = subprocess.run(
                [*words, *places], capture_output=True, text=True, check=False, timeout=60
            )
            assert 5 == second.returncode, second.stderr
            assert f"process {first.pid}" in second.stderr
            assert "Traceback" not in second.stderr
        first.kill()
        first.wait()
        with settled(host, other):
            assert "managed" == other.verdict("eater")


def test_below_the_hosts_reserve_nothing_grows_and_it_recovers(host: Machine, tmp_path: Path) -> None:
    for name in MAXIMA:
        host.load(name, IDLE)
    # Nothing is done to the machine: what is never handed out begins a little below what it has, by more than
    # other tests take meanwhile.
    available = LinuxHost().memory().available_bytes
    if available < 8 << 30:
        pytest.skip("a host with 8 GiB available is needed, to take a part of it for a while")
    reserve = int(available) - 2048 * MIB
    service = Service(tmp_path, [host.daemon.uri], *OPTIONS, "--reserve", f"{reserve}B")
    with settled(host, service):
        done = service.ask("make-room", "24MiB", "--timeout", "60s", "--hold", "10m")
        assert 0 == done.returncode, done.stderr
        # By more than tests beside give back between two looks of the hog: they end guests at any time.
        with hogged(reserve - 1024 * MIB):
            wait_until(lambda: headroom_bytes(service) == 0, service.said)
            time.sleep(2)  # until a tick knows
            begun = time.time()
            host.load("eater", "at 0 anon_mib=120 hot_mib=120 rate=20 touches=8 grow_mib_s=40")
            time.sleep(8)
            assert service.ask("make-room", "64MiB", "--timeout", "2s").returncode in {5, 6}
            assert 24 * MIB == service.answer("status")["leased_bytes"]
            assert [] == [name for name in MAXIMA if grew(service, name, begun)]
        wait_until(lambda: grew(service, "eater", begun), service.said)


def headroom_bytes(service: Service) -> int | None:
    host = service.status().host
    return None if host is None else host.headroom_bytes


def grew(service: Service, name: str, since: float) -> bool:
    return any(act.grows for act in service.acts(name, since))
