"""A service that runs: in this process, behind a real socket."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosted import Hosted, hosted


@pytest.fixture
def place() -> Iterator[Path]:
    """Return where a socket may be: paths of sockets are short, and other users come as far as this."""
    with tempfile.TemporaryDirectory(prefix="ballonet-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory) / "run" / "ballonet.sock"


@pytest.fixture
def host(place: Path) -> Iterator[Hosted]:
    with hosted(place) as found:
        yield found
