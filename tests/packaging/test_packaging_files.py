"""The wheel, the sdist and the Debian package: what is in them, and that pipx takes the wheel."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from built import Built, only
from rooted import CHECKOUT

from ballonet.config.sample import sample

pytestmark = pytest.mark.real

VERSION = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]


def test_the_version_is_everywhere_that_of_the_project(built: Built) -> None:
    assert f"ballonet-{VERSION}-py3-none-any.whl" == built.wheel.name
    assert f"ballonet-{VERSION}.tar.gz" == built.sdist.name
    assert built.deb.name.startswith(f"ballonet_{VERSION}-1_")


def run(*words: str | Path, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=300, env=env)


def test_lintian_finds_nothing_that_is_not_explained(built: Built, tmp_path: Path) -> None:
    # It leaves files behind where temporary ones go.
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    found = run("lintian", "--allow-root", "--fail-on", "error,warning", built.deb, env=environment)
    assert (0, "") == (found.returncode, found.stdout)


def test_nothing_in_the_package_knows_where_it_was_built(built: Built, tmp_path: Path) -> None:
    run("dpkg-deb", "-R", built.deb, tmp_path)
    for path in ["/debian/ballonet/", str(CHECKOUT)] + [sys.base_prefix] * (sys.base_prefix != "/usr"):
        found = run("grep", "-rlF", path, tmp_path)
        assert (1, "") == (found.returncode, found.stdout), path


def test_the_settings_that_it_installs_are_the_sample(built: Built, tmp_path: Path) -> None:
    run("dpkg-deb", "-x", built.deb, tmp_path)
    assert sample() == (tmp_path / "etc" / "ballonet" / "ballonet.toml").read_text()


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files in a wheel, but for those in which whoever built it names itself."""
    with zipfile.ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist() if not name.endswith(("/WHEEL", "/RECORD"))}


def test_the_sdist_makes_the_same_wheel_and_has_what_the_package_takes(built: Built, tmp_path: Path) -> None:
    made = run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, built.sdist)
    assert 0 == made.returncode, made.stderr
    assert contents(built.wheel) == contents(only(tmp_path, "whl"))
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"packaging/debian/rules", "packaging/systemd/ballonet.service", "script/package"} <= names


def test_pipx_installs_the_wheel_and_it_runs(built: Built, tmp_path: Path) -> None:
    homes = {"PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | homes
    # As docs/installation.md says it, without what must be compiled.
    wheel = f"ballonet[service,top] @ file://{built.wheel}"

    words = ("--python", "/usr/bin/python3", "--pip-args=--no-compile", wheel)
    done = run("/usr/bin/pipx", "install", *words, env=environment)

    assert 0 == done.returncode, done.stdout + done.stderr
    command = tmp_path / "bin" / "ballonet"
    assert f"ballonet {VERSION}\n" == run(command, "--version", env=environment).stdout
    assert run(command, "--help", env=environment).stdout.startswith("Usage: ballonet ")
    lacking = run(command, "guests", env=environment)
    assert (1, "hint: apt install libvirt-dev") == (lacking.returncode, lacking.stderr.splitlines()[1][:29])
