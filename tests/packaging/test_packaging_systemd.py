"""The unit is valid, and hardened as far as what it must see and reach allows."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "packaging" / "systemd" / "ballonet.service"
WEB = UNIT.with_name("ballonet.service.d")


def analyze(*words: str) -> str:
    found = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)
    return found.stdout + found.stderr


@pytest.mark.parametrize(("web", "most"), [(False, 0.7), (True, 1.5)], ids=["alone", "with the web"])
def test_its_exposure_is_low(tmp_path: Path, *, web: bool, most: float) -> None:
    """Of 10, 0 is safest; libvirtd's own unit has 9.6."""
    copy = shutil.copy(UNIT, tmp_path)
    if web:
        shutil.copytree(WEB, tmp_path / WEB.name)
    said = analyze("security", "--offline=true", str(copy))
    found = re.search(r"Overall exposure level for ballonet.service: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) <= most
    assert web == ("host's network" in "".join(line for line in said.splitlines() if line.startswith("✗")))


def test_systemd_knows_all_that_it_says(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/usr/bin/ballonet", "/bin/true"))
    shutil.copytree(WEB, tmp_path / WEB.name)
    said = analyze("verify", "--man=no", str(copy))
    assert UNIT.name not in said, said


def test_the_web_is_for_this_host_alone() -> None:
    said = (WEB / "web.conf").read_text()
    assert "IPAddressDeny=any" in UNIT.read_text()
    assert ["IPAddressAllow=localhost"] == re.findall(r"^IPAddress.*", said, re.MULTILINE)


def test_a_burst_can_be_seen_and_libvirt_be_reached() -> None:
    lines = UNIT.read_text().splitlines()
    # Other users' processes would be hidden, and with them the resident memory of guests.
    assert not [line for line in lines if line.startswith(("ProtectProc=", "PrivateUsers="))]
    assert "RestrictAddressFamilies=AF_UNIX" in lines
    assert "Type=notify" in lines
