"""The commands by hand on real guests, as a user runs them: what they print, change, follow and refuse."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from running import two_lines
from subjects import MAXIMUM_BYTES, Machine

from ballonet.units import KIB, MIB

pytestmark = pytest.mark.real

BALLONET = str(Path(sys.executable).with_name("ballonet"))
NOBODY = 65534
Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]


def run(*words: str, **options: Any) -> Result:
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=120, **options)


@pytest.fixture
def ballonet(machine: Machine) -> Run:
    """Return a function that runs the command on the real guests."""
    return lambda *words: run(BALLONET, "-c", machine.daemon.uri, *words)


def document(result: Result) -> Any:
    assert (0, "") == (result.returncode, result.stderr)
    return json.loads(result.stdout)


def kib(domain: ET.Element, tag: str) -> int:
    return KIB * int(domain.findtext(tag) or 0)


@pytest.fixture
def whole(machine: Machine) -> Iterator[None]:
    """Give all guests their maximum again, and stored ones their own."""
    yield
    for name, size in (("web", 256), ("api", 128), ("full", 160)):
        machine.resize(name, size * MIB)
    machine.daemon.virsh("setmaxmem", "off", "256M", "--config")
    machine.daemon.virsh("setmem", "off", "256M", "--config")


# --- looking ----------------------------------------------------------------------------------------


def test_guests_has_a_row_for_each_and_figures_of_now(machine: Machine, ballonet: Run) -> None:
    rows = document(ballonet("guests", "--all", "-o", "json"))["guests"]
    assert ["api", "bare", "full", "mute", "off", "web"] == [row["name"] for row in rows]
    by_name = {row["name"]: row for row in rows}
    web = by_name["web"]
    assert MAXIMUM_BYTES == web["maximum_bytes"] == web["actual_bytes"]
    assert 0 < web["unused_bytes"] <= web["available_bytes"] < MAXIMUM_BYTES
    assert MIB < web["rss_bytes"]
    assert 0 <= web["stats_age_seconds"] < 60
    assert (1, False, True) == tuple(
        web[field] for field in ("stats_period_seconds", "autodeflate", "free_page_reporting")
    )
    assert by_name["bare"]["usable_bytes"] is by_name["mute"]["usable_bytes"] is None
    assert by_name["mute"]["autodeflate"] is True
    assert ("shut off", None) == (by_name["off"]["state"], by_name["off"]["usable_bytes"])
    assert "no balloon device" in by_name["bare"]["verdict"]["reason"]
    table = ballonet("guests").stdout.splitlines()
    assert ["api", "bare", "full", "mute", "web"] == [line.split()[0] for line in table[1:]]


def test_one_guest_and_its_statistics_by_other_names(machine: Machine, ballonet: Run) -> None:
    told = ballonet("show", "web")
    assert (0, "") == (told.returncode, told.stderr)
    assert "256 MiB" in told.stdout
    identity = machine.definition("web").findtext("uuid") or ""
    assert "web" == document(ballonet("show", identity, "-o", "json"))["guest"]["name"]
    assert "stat-free-memory" in ballonet("stats", "web", "--names", "qemu").stdout
    printed = dict(line.split() for line in machine.daemon.virsh("dommemstat", "web").stdout.splitlines())
    statistics = document(ballonet("stats", "web", "-o", "json"))["statistics"]
    assert int(printed["available"]) * KIB == statistics["available_bytes"]
    assert int(printed["unused"]) * KIB == pytest.approx(statistics["unused_bytes"], abs=16 * MIB)


def test_advise_reckons_what_can_be_taken(ballonet: Run) -> None:
    told = ballonet("advise", "web")
    assert (0, "") == (told.returncode, told.stderr)
    assert "web" in told.stdout
    guests = {row["name"]: row for row in document(ballonet("advise", "-o", "json"))["advice"]}
    assert ["api", "bare", "full", "mute", "web"] == list(guests)
    web = guests["web"]
    assert web["floor_bytes"] == web["maximum_bytes"]  # 256 MiB is the usual floor
    assert 0 == web["free_bytes"] == web["more_bytes"]
    assert "no balloon device" in guests["bare"]["unknown"]


def test_doctor_finds_what_is_wrong_with_whom(ballonet: Run) -> None:
    result = ballonet("doctor", "-o", "json")
    assert 1 == result.returncode
    found: dict[str, set[str]] = {}
    for finding in json.loads(result.stdout)["findings"]:
        found.setdefault(finding["subject"], set()).add(finding["code"])
    found.pop("host", None)
    well = {"autodeflate-off", "reporting-on"}
    assert {
        "api": well,
        "bare": {"no-device"},
        "full": well,
        "mute": {"silent", "autodeflate-on", "reporting-on"},
        "off": {"autodeflate-off", "reporting-off"},
        "web": well,
    } == found


def test_doctor_finds_a_guest_that_nobody_asks(ballonet: Run) -> None:
    assert 0 == ballonet("period", "api", "0").returncode
    try:
        told = ballonet("doctor", "api").stdout
        assert "ballonet period api" in told
        remedy = next(line for line in told.splitlines() if "ballonet period api" in line)
        words = remedy.split("ballonet ", 1)[1].split()
        assert 0 == ballonet(*words).returncode  # it can be pasted
        assert "ballonet period api" not in ballonet("doctor", "api").stdout
    finally:
        ballonet("period", "api", "1")


# --- changing ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("whole")
def test_a_guest_is_followed_to_its_size_and_back(machine: Machine, ballonet: Run) -> None:
    for size in (192, 256):
        result = ballonet("set", "web", f"{size}MiB", "--wait", "60s")
        assert (0, "") == (result.returncode, result.stderr)
        assert f"web: {size} MiB reached after" in result.stdout
        assert abs(machine.actual("web") - size * MIB) < MIB
    told = document(ballonet("set", "web", "0.25GiB", "--wait", "60s", "-o", "json"))
    assert MAXIMUM_BYTES == told["requested_bytes"]
    assert told["reached_after_seconds"] < 60


def test_a_silent_driver_is_named(machine: Machine, ballonet: Run) -> None:
    result = ballonet("set", "mute", "112MiB", "--wait", "3s")
    wrong, hint = two_lines(result)
    assert 6 == result.returncode
    assert "stays at 128 MiB: its balloon driver is silent, 3 s are over" in wrong
    assert "modprobe virtio_balloon" in hint
    machine.resize("mute", 128 * MIB)


@pytest.mark.usefixtures("whole")
def test_a_guest_out_of_memory_is_named_with_how_far_it_came(machine: Machine, ballonet: Run) -> None:
    machine.load("full", "at 0 anon_mib=70 hot_mib=70 rate=10 touches=8")
    time.sleep(3)  # until it reports what it has taken
    result = ballonet("set", "full", "102MiB", "--wait", "8s")
    wrong, hint = two_lines(result)
    assert 6 == result.returncode, wrong
    assert "came from 160 MiB to 1" in wrong
    assert "not to 102 MiB: it is out of memory" in wrong
    roomier = hint.split("ballonet ", 1)[1].split()
    assert 0 == ballonet(*roomier, "--wait", "30s").returncode
    assert 0 == machine.lab.latest("full").oom_kill
    machine.load("full", "at 0 anon_mib=0")


@pytest.mark.parametrize(
    ("words", "code", "wrong"),
    [
        (["set", "web", "1500"], 2, "has no unit"),
        (["set", "web", "--", "-1G"], 2, "negative"),
        (["set", "web", "0G"], 2, "nothing"),
        (["set", "web", "1.5.2G"], 2, "not a size"),
        (["set", "web", "257MiB"], 5, "above the maximum"),
        (["set", "web", "64MiB"], 5, "below the hard floor"),
        (["set", "bare", "112MiB"], 5, "no balloon device"),
        (["period", "bare", "5"], 5, "no balloon device"),
        (["set-max", "web", "512MiB"], 5, "is stored nowhere"),
        (["set-max", "web", "512MiB", "--config"], 5, "is stored nowhere"),
        (["set", "off", "200MiB", "--live"], 5, "shut off"),
        (["set", "nobody", "200MiB"], 4, "nobody"),
        (["set", "web", "200MiB", "--read-only"], 7, "read-only"),
    ],
)
def test_refusals_change_nothing(
    machine: Machine, ballonet: Run, words: list[str], code: int, wrong: str
) -> None:
    names = ("web", "bare", "off")
    before = [ET.tostring(machine.definition(name)) for name in names]
    result = ballonet(*words)
    said, _ = two_lines(result)
    assert (code, True) == (result.returncode, wrong in said), result.stderr
    time.sleep(0.3)  # what was let through would have been done by now
    assert before == [ET.tostring(machine.definition(name)) for name in names]
    assert MAXIMUM_BYTES == machine.actual("web")


@pytest.mark.usefixtures("whole")
def test_what_is_stored_for_the_next_start(machine: Machine, ballonet: Run) -> None:
    assert 0 == ballonet("set-max", "off", "384MiB").returncode
    assert 0 == ballonet("set", "off", "192MiB", "--config").returncode
    assert 0 == ballonet("period", "off", "7").returncode
    stored = machine.definition("off", "--inactive")
    assert (384 * MIB, 192 * MIB) == (kib(stored, "memory"), kib(stored, "currentMemory"))
    assert 7 == machine.period("off", "--inactive")
    assert "it starts with 192 MiB of its 384 MiB" in ballonet("doctor", "off").stdout
    assert 0 == ballonet("period", "off", "1", "--config").returncode


def test_a_period_reaches_the_device(machine: Machine, ballonet: Run) -> None:
    assert 0 == ballonet("period", "web", "4s").returncode
    assert 4 == machine.period("web")
    assert 0 == ballonet("period", "web", "1").returncode


# --- connections ------------------------------------------------------------------------------------


def test_no_daemon_at_that_socket(tmp_path: Path) -> None:
    result = run(BALLONET, "-c", f"qemu+unix:///system?socket={tmp_path}/none", "guests")
    assert 1 == result.returncode
    assert "no libvirt daemon answers" in two_lines(result)[0]


# The interpreter may lie where only its owner may look: this process loads all, and then becomes nobody.
AS_NOBODY = f"""
import os
import ballonet.cli.connect, ballonet.cli.guests, ballonet.hypervisor.libvirt
import ballonet.show.guest_json, ballonet.show.guests
from ballonet.cli import main
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY}); main()
"""


def test_a_user_without_rights_is_told_which(machine: Machine) -> None:
    result = run(sys.executable, "-c", AS_NOBODY, "-c", machine.daemon.uri, "guests", cwd="/")
    assert 7 == result.returncode, result.stderr
    assert "libvirt" in two_lines(result)[1]


def test_who_only_has_the_socket_for_reading_can_look(machine: Machine) -> None:
    uri = machine.daemon.uri + "-ro"
    assert 5 == len(document(run(BALLONET, "-c", uri, "guests", "-o", "json"))["guests"])
    for option in ([], ["-r"]):
        result = run(BALLONET, "-c", uri, *option, "set", "web", "200MiB", "--wait", "9s")
        wrong, hint = two_lines(result)
        assert (7, "resizing web: the connection is read-only") == (result.returncode, wrong)
        assert "-ro" in hint
    assert MAXIMUM_BYTES == machine.actual("web")


def test_a_users_own_session_serves_too() -> None:
    """Libvirt starts the daemon of `qemu:///session` by itself, for who is not root."""
    with tempfile.TemporaryDirectory(prefix="session-") as home:
        os.chown(home, NOBODY, NOBODY)
        environment = {**os.environ, "HOME": home, "XDG_RUNTIME_DIR": home}
        words = [sys.executable, "-c", AS_NOBODY, "-c", "qemu:///session", "guests"]
        result = run(*words, cwd="/", env=environment)
        for pid in Path(home).glob("libvirt/*.pid"):  # it would end by itself in two minutes
            os.kill(int(pid.read_text()), signal.SIGTERM)
    assert (0, "No guest is running") == (result.returncode, result.stderr[:19]), result.stderr
