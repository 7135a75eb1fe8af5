from pathlib import Path

import pytest

from ballonet.errors import BallonetError, UsageError
from ballonet.lab.directory import claim, is_lab
from ballonet.lab.domain import GuestSpec
from ballonet.lab.reaper import UUIDS, end

MIB = 1 << 20


def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a path below the test's directory that is short enough for sockets."""
    monkeypatch.setattr("ballonet.lab.directory.LONGEST_PATH", 200)
    return tmp_path / "lab"


def test_a_new_directory_is_claimed_and_only_its_owner_may_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = claim(short(tmp_path, monkeypatch))
    assert is_lab(place)
    assert 0o700 == place.stat().st_mode & 0o777
    assert place == claim(place)


def test_a_directory_with_other_files_is_never_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = short(tmp_path, monkeypatch)
    place.mkdir()
    (place / "letter").touch()
    with pytest.raises(UsageError, match="holds other files"):
        claim(place)
    assert not is_lab(place)


def test_another_users_directory_is_no_lab_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = claim(short(tmp_path, monkeypatch))
    monkeypatch.setattr("ballonet.lab.directory.os.getuid", lambda: place.stat().st_uid + 1)
    assert not is_lab(place)
    with pytest.raises(BallonetError, match="belongs to somebody else"):
        claim(place)


def test_a_path_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too long"):
        claim(tmp_path / ("x" * 60))
    assert [] == list(tmp_path.iterdir())


def test_the_end_of_a_lab_removes_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = claim(short(tmp_path, monkeypatch))
    (place / UUIDS).touch()
    end(place)
    assert not place.exists()


@pytest.mark.parametrize("name", ["", "A", "-a", "a/b", "../a", "a b", "x" * 21])
def test_a_guests_name_is_a_plain_word(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be named"):
        GuestSpec(name)


def test_a_guest_too_small_to_boot_is_refused() -> None:
    with pytest.raises(UsageError, match="95 MiB is too little"):
        GuestSpec("a", memory_bytes=95 * MIB)
