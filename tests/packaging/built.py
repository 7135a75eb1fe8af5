"""What is installed, built once for all tests of it."""

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from rooted import CHECKOUT


class Built(NamedTuple):
    """The files that `script/package` makes."""

    wheel: Path
    sdist: Path
    deb: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the wheel, the sdist and the Debian package."""
    place = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [CHECKOUT / "script" / "package", place], check=False, capture_output=True, text=True, timeout=600
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return Built(*(only(place, suffix) for suffix in ("whl", "tar.gz", "deb")))


def only(place: Path, suffix: str) -> Path:
    """Return the one file that ends so."""
    (found,) = place.glob(f"*.{suffix}")
    return found
