"""What the documents have readers type: it is the command line's, and it does what they say."""

import re
import shlex
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from documents import DOCUMENTS, ROOT, blocks, typed
from hosted import Hosted, hosted
from reader import NOT_RUN, Reader, reason_not_to
from test_cli_replay import TRACE
from workday import GUESTS, Used

from ballonet.cli import app
from ballonet.simulator.virtual import VirtualClock
from ballonet.units import GIB

# On real guests, as their whole point is what these do; and those where others' commands are typed.
ON_REAL_GUESTS = {Path("docs/tutorial.md"), Path("docs/by-hand.md")}
TYPED = [
    line for path in DOCUMENTS for block in blocks(path) if block.language == "sh" for line in typed(block)
]
# Of libvirt's test driver: guests of the names that documents use.
DOMAIN = """
  <domain type='test'>
    <name>{name}</name><memory unit='GiB'>4</memory><vcpu>1</vcpu><os><type>hvm</type></os>
    <devices><memballoon model='virtio'><stats period='5'/></memballoon></devices>
  </domain>"""
# Of the first real guest: programs, and a file, so that something of each kind can be taken from it.
LOAD = "at 0 anon_mib=150 hot_mib=150 file_mib=120 rate=50 touches=8"
NAMES = ("web", "web-1", "db-main")
TICKS = 60


@pytest.fixture
def root() -> Iterator[Path]:
    """Return a reader's own root; its path is short, as sockets lie below it."""
    with tempfile.TemporaryDirectory(prefix="ballonet-") as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def workday(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """Return a service of a busy simulated host, two minutes after it began, which is now."""
    made = lambda clock: Used(GUESTS, clock=clock, host_bytes=64 * GIB)  # noqa: E731
    place = tmp_path_factory.mktemp("workday") / "run" / "s"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(VirtualClock, "EPOCH", time.time() - 2.0 * TICKS)
        with hosted(place, world=made, budget_bytes=39.0 * GIB, ticks=TICKS) as found:
            yield found


@pytest.fixture
def reader(root: Path, workday: Hosted) -> Iterator[Reader]:
    """Return somebody at a host with a service."""
    (root / "host.xml").write_text(f"<node>{''.join(DOMAIN.format(name=name) for name in NAMES)}\n</node>")
    uri = f"test://{root}/host.xml"
    surroundings = {"LIBVIRT_DEFAULT_URI": uri, "BALLONET_SOCKET": str(workday.path)}
    found = Reader(root, surroundings, recording=TRACE)
    found.links("run/ballonet/ballonet.sock", workday.path)
    yield found
    found.stops()


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path not in ON_REAL_GUESTS], ids=str)
def test_what_a_document_says_can_be_done(path: Path, reader: Reader) -> None:
    for block in blocks(path):
        reader.reads(block)


@pytest.mark.real
@pytest.mark.parametrize("path", sorted(ON_REAL_GUESTS), ids=str)
def test_what_a_document_says_can_be_done_with_real_guests(path: Path, root: Path) -> None:
    reader = Reader(root, {"TERM": "dumb"})
    try:
        if path.name != "tutorial.md":
            reader.boots(3, LOAD)
        for block in blocks(path):
            reader.reads(block)
    finally:
        reader.stops()
        reader.ends()


def test_blocks_have_a_language_that_says_what_they_are() -> None:
    known = {"sh", "console", "text", "toml", "xml", "yaml", "ini", "nginx", "json"}
    assert [] == [
        f"{path}:{block.line} {block.language}"
        for path in DOCUMENTS
        for block in blocks(path)
        if block.language not in known
    ]


@pytest.mark.parametrize("begins", NOT_RUN)
def test_nothing_is_left_out_that_no_document_has(begins: str) -> None:
    assert [line for line in TYPED if re.match(begins, line.text)]


def test_what_is_not_run_is_there() -> None:
    words = [word for line in TYPED if reason_not_to(line) for word in shlex.split(line.text)]
    named = {word for word in words if word.startswith(("script/", "packaging/", "tests/"))}
    assert {"script/demo", "script/test"} <= named
    assert [] == [word for word in named if not (ROOT / word).exists()]


IN_BLOCKS = {
    match for line in TYPED for match in re.findall(r"(?:^|[|;&(] ?)ballonet ([^|;&>)]+)", line.text)
}
IN_PROSE = {
    match
    for path in DOCUMENTS
    for match in re.findall(r"`ballonet ([a-z][^`…]*)`", (ROOT / path).read_text())
}


@pytest.mark.parametrize("words", sorted(IN_BLOCKS | IN_PROSE))
def test_the_command_line_knows_what_is_shown(words: str) -> None:
    """Commands and options exist, and arguments are as many as they take; prose may leave them out."""
    command: Any = typer.main.get_command(app)
    rest, parent = shlex.split(words), None
    try:
        while rest and hasattr(command, "resolve_command"):
            parent = command.make_context("ballonet", rest, parent=parent)
            rest = [*parent._protected_args, *parent.args]
            if rest:
                _, command, rest = command.resolve_command(parent, rest)
        if not hasattr(command, "resolve_command") and (rest or words not in IN_PROSE):
            command.make_context("ballonet", rest, parent=parent)
    except typer.Exit as done:
        assert 0 == done.exit_code  # noqa: PT017 - --version and --help end there
