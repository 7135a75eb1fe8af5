import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ballonet.lab.directory import embedded_uri


@pytest.fixture(scope="session")
def embedded() -> Iterator[str]:
    """Return a URI of libvirt's embedded driver: a process can open but one root of it in its life."""
    # Not tmp_path, which is too long for the names of sockets.
    with tempfile.TemporaryDirectory(prefix="hv-", ignore_cleanup_errors=True) as directory:
        yield embedded_uri(Path(directory) / "hv")


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a place for one test's lab, short enough for sockets' names."""
    with tempfile.TemporaryDirectory(prefix="lab-") as directory:
        yield Path(directory) / "lab"
