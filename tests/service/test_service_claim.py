"""Only one process resizes a hypervisor's guests: whoever comes second is told, whatever lies in its way."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ballonet.errors import RefusedError
from ballonet.service import claim as module
from ballonet.service.claim import Claim, claimed_by, place

URI, OTHER = "qemu:///system", "test:///default"


@contextmanager
def claimed(directory: Path, *uris: str) -> Iterator["subprocess.Popen[str]"]:
    """Have another process hold these until the block ends."""
    text = (
        "import sys; from pathlib import Path; from ballonet.service.claim import Claim\n"
        "claim = Claim(sys.argv[2:], Path(sys.argv[1])); claim.take(); print('taken', flush=True); input()"
    )
    words = [sys.executable, "-c", text, str(directory), *uris]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert "taken\n" == process.stdout.readline()
        yield process
        process.kill()


@contextmanager
def taken(directory: Path, *uris: str) -> Iterator[Claim]:
    """Hold these in this process."""
    claim = Claim(uris, directory)
    claim.take()
    yield claim
    claim.drop()


def test_the_second_is_told_who_has_it_until_that_ends(tmp_path: Path) -> None:
    with claimed(tmp_path, URI) as first:
        with pytest.raises(RefusedError, match=rf"process {first.pid}, since 20\d\d-.*the guests of qemu"):
            Claim(["qemu+unix:///system"], tmp_path).take()
        assert f"(process {first.pid}, since 20" in (claimed_by(URI, tmp_path) or "")
        with taken(tmp_path, OTHER):
            pass
    assert claimed_by(URI, tmp_path) is None
    with taken(tmp_path, URI):  # what the dead one left is no obstacle
        pass


def test_of_several_all_are_taken_or_none(tmp_path: Path) -> None:
    both = Claim([OTHER, URI], tmp_path)
    with claimed(tmp_path, URI):
        with pytest.raises(RefusedError):
            both.take()
        assert claimed_by(OTHER, tmp_path) is None
    both.take()
    both.take()  # as when settings are read again
    assert f"(process {os.getpid()}, since 20" in (claimed_by(OTHER, tmp_path) or "")
    both.drop()


def test_what_is_dropped_leaves_nothing_behind(tmp_path: Path) -> None:
    for _ in range(2):
        with taken(tmp_path, URI):
            assert 1 == len(list(tmp_path.iterdir()))
        assert [] == list(tmp_path.iterdir())


def test_whoever_lost_the_file_does_not_take_away_the_next_ones(tmp_path: Path) -> None:
    lost, found = Claim([URI], tmp_path), Claim([URI], tmp_path)
    lost.take()
    [path] = tmp_path.iterdir()
    path.unlink()
    found.take()
    lost.drop()
    assert claimed_by(URI, tmp_path) is not None
    found.drop()


def test_any_user_can_have_it_next(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with taken(tmp_path, URI):
            [path] = tmp_path.iterdir()
            assert 0o666 == path.stat().st_mode & 0o777
    finally:
        os.umask(before)


@pytest.mark.parametrize("trap", ["link", "second name", "pipe", "directory"])
def test_what_somebody_put_in_its_way_is_neither_followed_nor_written_to(tmp_path: Path, trap: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    locks = tmp_path / "locks"
    locks.mkdir()
    claim = Claim([URI], locks)
    claim.take()
    [path] = locks.iterdir()
    claim.drop()
    if trap == "link":
        path.symlink_to(precious)
    elif trap == "second name":
        path.hardlink_to(precious)
    elif trap == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()

    with pytest.raises(RefusedError, match="nobody else can be kept from") as refused:
        claim.take()

    assert f"ls -l {path}" in refused.value.hint
    assert "precious" == precious.read_text()
    assert claimed_by(URI, locks) is None


def test_where_no_file_can_be_made_nothing_is_resized(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="No such file or directory"):
        Claim([URI], tmp_path / "nowhere").take()


def test_all_users_meet_in_one_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shut, common, last = (tmp_path / name for name in ("shut", "common", "last"))
    for path, mode in ((shut, 0o755), (common, 0o1777), (last, 0o1777)):
        path.mkdir()
        path.chmod(mode)
    monkeypatch.setattr(module, "_PLACES", (tmp_path / "missing", shut, common, last))
    assert common == place()
    monkeypatch.setattr(module, "_PLACES", (shut, tmp_path))
    assert tmp_path == place()


def test_nothing_is_claimed_of_nobody(tmp_path: Path) -> None:
    Claim([], tmp_path).take()
    assert [] == list(tmp_path.iterdir())
