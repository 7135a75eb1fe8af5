"""Guests whose QEMU and kernel are newer than Debian's stable ones: what only they tell is told."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosts import booted_plain
from serving import COMMAND, wait_until
from subjects import PlainMachine

from ballonet.lab.domain import GuestSpec
from ballonet.lab.image import KERNEL_VARIABLE
from ballonet.units import MIB

pytestmark = pytest.mark.real

QEMU = ("qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios")
KERNEL = "linux-image-cloud-amd64"
# More than there is, and all of it in use: who has swap waits for it, who has none loses its program.
TOO_MUCH = "at 0 anon_mib=400 hot_mib=300 rate=20 touches=8 grow_mib_s=100"


def run(*words: str, directory: Path) -> str:
    done = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, (words, done.stderr)
    return done.stdout


def fetched(directory: Path) -> Path:
    """Return a directory with the packages of Debian's backports unpacked, which are installed nowhere."""
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", directory=directory)
    release = next(line for line in Path("/etc/os-release").read_text().splitlines() if "CODENAME" in line)
    codename = release.partition("=")[2]
    archive = next(
        uri for uri, suite in map(str.split, filter(None, targets.splitlines())) if suite == codename
    )
    (directory / "lists/partial").mkdir(parents=True)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    line = f"deb [signed-by={keys}] {archive} {codename}-backports main\n"
    (directory / "sources").write_text(line)
    places = {"Etc::sourcelist": "sources", "Etc::sourceparts": "none", "State::lists": "lists"}
    options = [word for name, value in places.items() for word in ("-o", f"Dir::{name}={directory / value}")]
    options += ["-o", f"Dir::Cache={directory}", "-o", "APT::Sandbox::User=root"]
    run("apt-get", *options, "-q", "update", directory=directory)
    depends = run("apt-cache", *options, "depends", "--important", KERNEL, directory=directory)
    kernel = next(line.split()[-1] for line in depends.splitlines() if "Depends: linux-image-" in line)
    names = [f"{name}/{codename}-backports" for name in (*QEMU, kernel)]
    run("apt-get", *options, "-q", "download", *names, directory=directory)
    for package in QEMU:
        [file] = directory.glob(f"{package}_*.deb")
        run("dpkg-deb", "-x", str(file), "root", directory=directory)
    return directory / "root"


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainMachine]:
    """Boot a guest with swap, one without, and one that does not load its driver.

    Linux 6.12 cannot unload it: it falls over its own list.
    """
    place = tmp_path_factory.mktemp("newer")
    root = fetched(place)
    [kernel] = place.glob("linux-image-*.deb")
    (place / "bin").mkdir()
    program = place / "bin/qemu-system-x86_64"
    share = [word for name in ("qemu", "seabios") for word in ("-L", str(root / "usr/share" / name))]
    program.write_text(f'#!/bin/sh\nexec {shlex.join([str(root / "usr/bin" / program.name), *share])} "$@"\n')
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KERNEL_VARIABLE, str(kernel))
        patch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        with booted_plain(
            [
                GuestSpec("swaps", memory_bytes=256 * MIB),
                GuestSpec("kills", memory_bytes=256 * MIB, swap_bytes=0),
                GuestSpec("mute", memory_bytes=128 * MIB, driver=False),
            ]
        ) as machine:
            yield machine


def answer(machine: PlainMachine, *words: str) -> Any:
    command = [*COMMAND, "-c", machine.uri, *words, "-o", "json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def statistics(machine: PlainMachine, name: str) -> dict[str, int]:
    return dict(answer(machine, "stats", name)["statistics"])


def test_whether_the_driver_is_there_is_told(newer: PlainMachine) -> None:
    assert "has the device" in run(*COMMAND, "-c", newer.uri, "show", "swaps", directory=Path.cwd())
    findings = answer(newer, "doctor")["findings"]
    problems = [(each["subject"], each["code"]) for each in findings if each["severity"] == "problem"]
    assert [("mute", "no-driver")] == problems


def test_waits_and_kills_for_want_of_memory_are_told(newer: PlainMachine, tmp_path: Path) -> None:
    kinds = ("async_scans_bytes", "direct_scans_bytes", "async_reclaims_bytes", "direct_reclaims_bytes")
    waits = [f"{kind}_total" for kind in ("alloc_stalls", *kinds)]
    for name in ("swaps", "kills"):
        before = statistics(newer, name)
        assert {0} == {before[key] for key in (*waits, "oom_kills_total")}
        newer.load(name, TOO_MUCH)
    said = tmp_path / "said"
    said.write_text("no waits, or no kills")
    wait_until(lambda: all(statistics(newer, "swaps")[key] > 0 for key in waits), said)
    wait_until(lambda: statistics(newer, "kills")["oom_kills_total"] > 0, said)
    assert 0 == statistics(newer, "swaps")["oom_kills_total"]
