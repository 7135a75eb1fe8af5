"""What settings files say to commands that only look, and what becomes of these where a file is broken."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from running import Run

from ballonet.units import GIB, MIB

UNSET = {"LIBVIRT_DEFAULT_URI": ""}


@pytest.fixture
def file(tmp_path: Path, host: str) -> Path:
    path = tmp_path / "ballonet.toml"
    path.write_text(
        f'[service]\nuri = "{host}"\n[guest.web]\nfloor = "1200MiB"\nceiling = "1536MiB"\n'
        "[guest.locked]\nmanage = false\n"
    )
    return path


def shown(result: "subprocess.CompletedProcess[str]", key: str) -> dict[str, Any]:
    assert 0 == result.returncode, result.stderr
    return {each["name"]: each for each in json.loads(result.stdout)[key]}


def test_guests_are_where_the_settings_say_with_the_limits_that_they_say(ballonet: Run, file: Path) -> None:
    found = shown(ballonet("guests", "--config", str(file), "-o", "json", env=UNSET), "guests")
    assert {"bare", "locked", "web"} == found.keys()
    assert (1200 * MIB, 1536 * MIB) == (found["web"]["floor_bytes"], found["web"]["ceiling_bytes"])
    assert (256 * MIB, GIB) == (found["bare"]["floor_bytes"], found["bare"]["ceiling_bytes"])
    assert "excluded by the administrator" == found["locked"]["verdict"]["reason"]
    assert "locked" in ballonet("guests", "--config", str(file), env=UNSET).stdout
    text = ballonet("show", "web", "--config", str(file), env=UNSET).stdout
    assert "ceiling     1.50 GiB\nfloor       1.17 GiB\n" in text


def test_a_change_by_hand_finds_its_guest_where_the_settings_say(ballonet: Run, file: Path) -> None:
    result = ballonet("--config", str(file), "set", "web", "900M", env=UNSET)
    assert (0, "") == (result.returncode, result.stderr)


@pytest.mark.parametrize("given", ["option", "variable"])
def test_who_names_a_hypervisor_means_that_one(ballonet: Run, file: Path, given: str) -> None:
    uri = "test:///default"
    words = ("-c", uri) if given == "option" else ()
    env = {"LIBVIRT_DEFAULT_URI": uri} if given == "variable" else UNSET
    for name in ("guests", "advise"):
        key = name if name == "guests" else "advice"
        result = ballonet(name, *words, "--config", str(file), "-o", "json", env=env)
        assert ["test"] == list(shown(result, key))


def test_advice_keeps_to_the_settings(ballonet: Run, file: Path) -> None:
    result = ballonet("advise", "--config", str(file), "-o", "json", env=UNSET)
    assert "excluded by the administrator" == shown(result, "advice")["locked"]["unknown"]


def test_doctor_looks_where_the_settings_say(ballonet: Run, file: Path) -> None:
    result = ballonet("doctor", "off", "--config", str(file), "-o", "json", env=UNSET)
    assert "off" in {each["subject"] for each in json.loads(result.stdout)["findings"]}


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        (("guests",), True),
        (("show", "web"), True),
        (("advise", "off"), True),
        (("stats", "web"), False),
        (("doctor", "off"), False),
    ],
)
def test_broken_settings_cost_one_line_where_they_are_needed(
    ballonet: Run, file: Path, host: str, words: tuple[str, ...], *, needs: bool
) -> None:
    file.write_text("[host]\nbudget = 12\n")
    result = ballonet(*words, "-c", host, "--config", str(file))
    line = (
        "ballonet: the settings are left out, see ballonet config check: "
        f"{file}:2: host.budget: 12 has no unit\n"
    )
    assert (0, line if needs else "") == (result.returncode, result.stderr)
    assert result.stdout


def test_without_files_nothing_that_reads_them_is_loaded(host: str) -> None:
    program = (
        "import sys; from ballonet.cli import run_line\n"
        f"code = run_line(['guests', '-c', '{host}'])\n"
        "sys.exit('loaded pydantic' if 'pydantic' in sys.modules else code)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (0, "") == (result.returncode, result.stderr)
