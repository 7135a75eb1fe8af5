"""What helps where a library of an extra is missing, by how ballonet was installed."""

import re
import tomllib
from pathlib import Path

import pytest

from ballonet.extras import DEBIAN_PREFIX, LIBRARIES, remedy

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def test_each_extra_of_the_project_is_known_with_its_libraries() -> None:
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    libraries = {
        extra: tuple(re.split(r"[>=<]", needs)[0] for needs in extras[extra])
        for extra in extras.keys() - {"all", "dev", "docs"}
    }
    assert libraries == LIBRARIES


def test_pip_installs_it_beside_this_ballonet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setattr("sys.executable", "/home/ann/my venv/bin/python")
    assert "'/home/ann/my venv/bin/python' -m pip install matplotlib" == remedy("plot")


def test_pipx_injects_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pipx_metadata.json").touch()
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    assert "pipx inject ballonet jinja2 prometheus-client starlette uvicorn" == remedy("service")


def test_into_the_debian_package_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", DEBIAN_PREFIX)
    assert remedy("plot").startswith("the Debian package has no matplotlib: install ballonet by pipx besides")
