"""Which files are read, and in which order."""

from pathlib import Path

import pytest

from ballonet.config.load import load
from ballonet.config.places import Places
from ballonet.errors import SettingsError

VENDOR, BOOT, OWN = "usr/lib/ballonet", "run/ballonet.conf.d", "etc/ballonet"


def made(root: Path, *files: str) -> list[str]:
    """Return which of these files would be read, in their order."""
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return read(root)


def read(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in Places.usual(root).files()]


def test_without_files_nothing_is_read(tmp_path: Path) -> None:
    assert [] == read(tmp_path)


def test_the_usual_places_are_those_of_the_system() -> None:
    assert Path("/etc/ballonet/ballonet.toml") == Places.usual().mains[-1]


def test_the_administrators_main_file_hides_the_vendors(tmp_path: Path) -> None:
    assert [f"{VENDOR}/ballonet.toml"] == made(tmp_path, f"{VENDOR}/ballonet.toml")
    assert [f"{OWN}/ballonet.toml"] == made(tmp_path, f"{OWN}/ballonet.toml")


def test_drop_ins_come_after_it_by_name_and_the_administrators_hide_others(tmp_path: Path) -> None:
    read_ = made(
        tmp_path,
        f"{OWN}/conf.d/10-a.toml",
        f"{OWN}/conf.d/60-c.toml",
        f"{BOOT}/60-c.toml",
        f"{BOOT}/50-b.toml",
        f"{VENDOR}/conf.d/50-b.toml",
        f"{VENDOR}/conf.d/20-v.toml",
        f"{VENDOR}/conf.d/README",
        f"{OWN}/conf.d/70-d.toml.bak",
        f"{OWN}/ballonet.toml",
    )

    assert [
        f"{OWN}/ballonet.toml",
        f"{OWN}/conf.d/10-a.toml",
        f"{VENDOR}/conf.d/20-v.toml",
        f"{BOOT}/50-b.toml",
        f"{OWN}/conf.d/60-c.toml",
    ] == read_


def test_what_is_shut_to_all_but_the_service_is_not_looked_into(tmp_path: Path) -> None:
    """Its runtime directory is, and every user's commands read the settings."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run/ballonet").symlink_to("ballonet")

    assert [f"{OWN}/ballonet.toml"] == made(tmp_path, f"{OWN}/ballonet.toml")


def test_a_link_to_nothing_only_hides(tmp_path: Path) -> None:
    made(tmp_path, f"{VENDOR}/conf.d/20-v.toml", f"{OWN}/conf.d/10-a.toml", f"{VENDOR}/ballonet.toml")
    (tmp_path / OWN / "conf.d/20-v.toml").symlink_to("/dev/null")
    (tmp_path / OWN / "ballonet.toml").symlink_to("/dev/null")

    assert [f"{OWN}/conf.d/10-a.toml"] == read(tmp_path)


def test_a_main_file_that_leads_nowhere_is_no_absent_one(tmp_path: Path) -> None:
    (tmp_path / OWN).mkdir(parents=True)
    (tmp_path / OWN / "ballonet.toml").symlink_to("gone.toml")

    with pytest.raises(SettingsError, match="No such file"):
        load(Places.usual(tmp_path))


def test_a_file_that_is_named_has_its_drop_ins_beside_it(tmp_path: Path) -> None:
    made(tmp_path, "here/my.toml", "here/conf.d/b.toml", "here/conf.d/a.toml", "here/other.toml")

    found = Places.beside(tmp_path / "here/my.toml").files()

    assert ["my.toml", "a.toml", "b.toml"] == [path.name for path in found]


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(Places.beside(tmp_path / "my.toml"))


def test_a_plain_file_where_drop_ins_would_be_has_none(tmp_path: Path) -> None:
    assert [f"{OWN}/ballonet.toml"] == made(tmp_path, f"{OWN}/ballonet.toml", f"{OWN}/conf.d")


def test_drop_ins_that_cannot_be_listed_are_an_issue(tmp_path: Path) -> None:
    (tmp_path / OWN).mkdir(parents=True)
    (tmp_path / OWN / "conf.d").symlink_to("conf.d")

    with pytest.raises(SettingsError) as refused:
        read(tmp_path)

    [issue] = refused.value.issues
    assert str(tmp_path / OWN / "conf.d") == issue.file
    assert "symbolic links" in issue.message
