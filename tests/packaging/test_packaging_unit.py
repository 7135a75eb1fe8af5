"""The unit as an administrator installs it, under a real systemd, polkit and libvirtd, with real guests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rooted import CHECKOUT, ENVIRONMENT, PYTHON, Host, answers, shown, skip_without_root, status, until

from ballonet.units import KIB, MIB

pytestmark = pytest.mark.real

SETTINGS = """
[host]
budget = "400MiB"
reserve = "64MiB"
surplus = "keep"
[service]
mode = "{mode}"
interval = "1s"
on_stop = "release"
[guest.default]
floor = "96MiB"
"""
# As shipped, but for the options that make the test short.
DROP_IN = """
[Service]
SupplementaryGroups=
ExecStart=
ExecStart=/usr/bin/ballonet run --boot-grace 0s
WatchdogSec=5
"""
STAYS = ("ActiveState", "ExecMainStatus", "NRestarts")
GUESTS = """
import asyncio, sys
from pathlib import Path
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.domain import GuestSpec
from ballonet.lab.lab import Lab

async def main():
    hypervisor = await LibvirtHypervisor.open("qemu:///system")
    lab = await Lab(Path(sys.argv[1]), hypervisor).__aenter__()
    await lab.boot([GuestSpec(name, memory_bytes=256 << 20) for name in ("one", "two")])
    await hypervisor.close()
    await lab.leave(600.0)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """Boot a host whose user `ballonet` libvirt knows by the shipped polkit rule alone, with two guests."""
    skip_without_root()
    with tempfile.TemporaryDirectory(prefix="sd-") as place:
        host = Host(Path(place))
        packaging = CHECKOUT / "packaging"
        for source, path in (
            ("systemd/ballonet.service", "/etc/systemd/system/ballonet.service"),
            ("sysusers.d/ballonet.conf", "/usr/lib/sysusers.d/ballonet.conf"),
            ("polkit-1/60-ballonet.rules", "/etc/polkit-1/rules.d/60-ballonet.rules"),
        ):
            host.write(path, (packaging / source).read_text())
        host.write("/etc/systemd/system/ballonet.service.d/test.conf", DROP_IN)
        host.write("/etc/libvirt/libvirtd.conf", 'access_drivers = ["polkit"]\n')
        host.write("/etc/ballonet/ballonet.toml", SETTINGS.format(mode="enforce"))
        try:
            host.start()
            host.does("systemctl", "start", "libvirtd.socket")
            words = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
            host.does("env", *words, PYTHON, "-c", GUESTS, f"{place}/lab", seconds=180.0)
            yield host
        finally:
            host.stop()
            shutil.rmtree(f"{place}/lab", ignore_errors=True)


@pytest.fixture
def unit(host: Host) -> Iterator[Host]:
    """Return the host with the service started; afterwards it is stopped."""
    host.does("systemctl", "start", "ballonet")
    yield host
    host.does("systemctl", "stop", "ballonet")


def settings(host: Host, text: str) -> None:
    host.does("sh", "-c", f"cat > /etc/ballonet/ballonet.toml <<'END'\n{text}\nEND")


def held(host: Host) -> int:
    """Return what both guests hold, bytes."""
    said = (host.does("virsh", "-q", "dommemstat", name) for name in ("one", "two"))
    return sum(KIB * int(words.split()[1]) for words in said)


def test_it_starts_as_its_own_user_and_balances(unit: Host) -> None:
    assert "ballonet" == unit.does("ps", "-o", "user=", "-p", shown(unit, "MainPID")).strip()
    until(lambda: held(unit) <= 350 * MIB, unit)
    assert "2 guests" in shown(unit, "StatusText")
    assert "enforce" in shown(unit, "StatusText")
    assert "750 ballonet ballonet" == unit.does("stat", "-c", "%a %U %G", "/run/ballonet").strip()
    assert (
        "660 ballonet ballonet" == unit.does("stat", "-c", "%a %U %G", "/run/ballonet/ballonet.sock").strip()
    )
    assert "MiB → " in unit.does("journalctl", "-u", "ballonet", "--no-pager")


def test_a_reload_is_whole_or_not_at_all(unit: Host) -> None:
    try:
        settings(unit, SETTINGS.format(mode="observe"))
        unit.does("systemctl", "reload", "ballonet")
        assert "observe" == status(unit)["mode"]
        settings(unit, SETTINGS.format(mode="enforce") + "[guest.default]")
        unit.does("systemctl", "reload", "ballonet")
        assert ("observe", False) == (status(unit)["mode"], status(unit)["settings"]["succeeded"])
    finally:
        settings(unit, SETTINGS.format(mode="enforce"))
    unit.does("systemctl", "reload", "ballonet")
    assert ("enforce", True) == (status(unit)["mode"], status(unit)["settings"]["succeeded"])


@pytest.mark.parametrize("end", ["KILL", "STOP"])
def test_one_that_is_killed_or_hangs_is_started_again_and_goes_on(unit: Host, end: str) -> None:
    until(lambda: answers(unit), unit)
    hold = ["ballonet", "pause", "two", "--for", "10m", "--why", f"test {end}"]
    unit.does(*hold)
    before = shown(unit, "MainPID")
    unit.does("systemctl", "kill", "-s", end, "ballonet")
    until(lambda: shown(unit, "MainPID") not in {before, "0"} and answers(unit), unit)
    assert [f"test {end}"] == [each["why"] for each in status(unit)["holds"]]
    unit.does("ballonet", "resume", "two")


def test_a_clean_stop_gives_the_memory_back(host: Host) -> None:
    host.does("systemctl", "start", "ballonet")
    until(lambda: held(host) <= 350 * MIB, host)
    host.does("systemctl", "stop", "ballonet")
    until(lambda: 396 * MIB <= held(host) <= 400 * MIB, host)  # all that the budget has
    assert "success" == shown(host, "Result")
    assert host.runs("test", "-e", "/run/ballonet").returncode


def test_its_rights_at_libvirt_end_where_the_rule_says(host: Host) -> None:
    as_user = ["setpriv", "--reuid", "ballonet", "--regid", "ballonet", "--clear-groups"]
    virsh = ["virsh", "-q", "-c", "qemu:///system"]
    assert "one" in host.does(*as_user, *virsh, "list", "--name")
    for refused in (["destroy", "one"], ["shutdown", "one"], ["dumpxml", "one", "--security-info"]):
        done = host.runs(*as_user, *virsh, *refused)
        assert "access denied" in done.stderr, refused


def test_without_polkits_rule_it_stays_failed_and_says_what_lacks(host: Host) -> None:
    rule, aside = "/etc/polkit-1/rules.d/60-ballonet.rules", "/etc/polkit-1/60-ballonet.rules"
    host.does("mv", rule, aside)
    try:
        host.does("systemctl", "restart", "polkit")
        assert host.runs("systemctl", "start", "ballonet").returncode
        assert ("failed", "7", "0") == tuple(shown(host, what) for what in STAYS)
        said = host.runs("systemctl", "status", "--full", "ballonet").stdout
        assert "no permission to use qemu:///system" in said
        assert "hint: polkit must run, with packaging/polkit-1/60-ballonet.rules in /etc" in said
    finally:
        host.does("mv", aside, rule)
        host.does("systemctl", "restart", "polkit")
    host.does("systemctl", "start", "ballonet")
    until(lambda: answers(host), host)
    host.does("systemctl", "stop", "ballonet")


def test_with_settings_that_are_wrong_it_stays_failed_and_says_which(host: Host) -> None:
    try:
        settings(host, SETTINGS.format(mode="enforce") + "[guest.default]")
        assert host.runs("systemctl", "start", "ballonet").returncode
        assert ("failed", "2", "0") == tuple(shown(host, what) for what in STAYS)
        run = f"_SYSTEMD_INVOCATION_ID={shown(host, 'InvocationID')}"
        assert "/etc/ballonet/ballonet.toml:" in host.does("journalctl", run)
    finally:
        settings(host, SETTINGS.format(mode="enforce"))
