"""Opening: who may, how files look, versions, and files that are broken."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from stored import VERSION_1, act, program

from ballonet.errors import JournalError, RefusedError
from ballonet.facts.act import ActRecord
from ballonet.facts.request import Hold, Lease
from ballonet.service.events import Question
from ballonet.service.schema import MIGRATIONS
from ballonet.service.store import FILE, Store

WEB = "uuid-web"


def filled(directory: Path, count: int = 200) -> Path:
    """Return the closed file of a store with some acts."""
    with closing(Store(directory)) as store:
        store.before([act(number) for number in range(count)])
    return directory / FILE


def test_only_its_user_may_look_into_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(Store(tmp_path / "a" / "b")) as store:
            store.before([act(1)])
            modes = {
                path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in (tmp_path / "a" / "b").iterdir()
            }
    finally:
        os.umask(before)

    assert {"lock": "0o600", FILE: "0o600", f"{FILE}-wal": "0o600"} == modes
    assert 0o700 == stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode)


def test_a_second_process_is_told_who_has_it(tmp_path: Path) -> None:
    first = program("store = Store(directory); print('open', flush=True); input()", tmp_path)
    assert first.stdout
    assert "open\n" == first.stdout.readline()

    with pytest.raises(RefusedError, match=rf"process {first.pid}, since 20\d\d-") as refused:
        Store(tmp_path)

    assert "systemctl stop" in refused.value.hint
    first.kill()
    first.communicate()
    with closing(Store(tmp_path)) as store:  # what the dead one left is no obstacle
        assert [] == store.acts(WEB)


@pytest.mark.parametrize("content", ["", "garbage", "1 2 3"])
def test_a_lock_that_does_not_say_whose_it_is_holds_all_the_same(tmp_path: Path, content: str) -> None:
    with closing(Store(tmp_path)):
        (tmp_path / "lock").write_text(content)
        with pytest.raises(RefusedError, match="another ballonet has"):
            Store(tmp_path)


def test_without_the_lock_file_the_database_itself_keeps_others_out(tmp_path: Path) -> None:
    first = program("store = Store(directory); print('open', flush=True); input()", tmp_path)
    assert first.stdout
    first.stdout.readline()
    (tmp_path / "lock").unlink()

    with pytest.raises(JournalError, match="locked") as refused:
        Store(tmp_path)

    assert "fuser" in refused.value.hint
    first.communicate("\n")


def test_after_it_was_closed_it_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.close()

    with pytest.raises(JournalError, match="closed"):
        store.before([act(1)])


# --- versions ---------------------------------------------------------------------------------------


def test_a_file_of_version_1_is_that_of_its_script() -> None:
    """What the tests below take for an old file, against what made such files."""
    schemas = []
    for script in (VERSION_1, MIGRATIONS[0]):
        with closing(sqlite3.connect(":memory:")) as file:
            file.executescript(script)
            tables = file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            columns = {
                name: file.execute(f"PRAGMA table_info({name})").fetchall() for (name,) in sorted(tables)
            }
            indexes = file.execute("SELECT sql FROM sqlite_schema WHERE type = 'index' ORDER BY name")
            schemas.append((columns, indexes.fetchall()))
    assert schemas[0] == schemas[1]


def test_a_file_of_version_1_is_brought_up_to_date_with_all_that_is_in_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as old:
        old.executescript(VERSION_1)

    with closing(Store(tmp_path)) as store:
        assert store.damaged is None
        assert [ActRecord(act(7))] == store.acts(WEB)
        assert [Hold("h", WEB, "web", 1.0, None, "root", "a try")] == store.holds()
        assert [Lease("l", 2**20, 1.0, 2.0, "root", "db")] == store.leases()
        assert ["is here"] == [record.sentence for record in store.events()]
        assert {WEB: {"growth": 5.0}} == store.learned()
        assert "enforce" == store.value("mode")
        assert ["came"] == [record.kind for record in store.events(Question(kinds=["came"]))]
        store.before([act(8)])
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        assert (len(MIGRATIONS),) == file.execute("PRAGMA user_version").fetchone()
        new = {row[0] for row in file.execute("SELECT name FROM sqlite_schema")}
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript("".join(MIGRATIONS))
        assert {row[0] for row in fresh.execute("SELECT name FROM sqlite_schema")} == new


def test_a_file_is_brought_up_to_date_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, 1)
    steps = (*MIGRATIONS, "ALTER TABLE acts ADD COLUMN a TEXT;", "ALTER TABLE acts RENAME COLUMN a TO b;")
    monkeypatch.setattr("ballonet.service.store.MIGRATIONS", steps)

    with closing(Store(tmp_path)) as store:
        assert [ActRecord(act(0))] == store.acts(WEB)
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        assert [(None,)] == file.execute("SELECT b FROM acts").fetchall()
        assert (len(steps),) == file.execute("PRAGMA user_version").fetchone()


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, 1)
    with monkeypatch.context() as patch:
        patch.setattr(
            "ballonet.service.store.MIGRATIONS", (*MIGRATIONS, "DELETE FROM acts; DROP TABLE no_such_table;")
        )
        with pytest.raises(JournalError, match="no such table"):
            Store(tmp_path)

    with closing(Store(tmp_path)) as store:
        assert [ActRecord(act(0))] == store.acts(WEB)


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()

    with pytest.raises(JournalError, match="from a newer ballonet") as refused:
        Store(tmp_path)

    assert "install that ballonet again" in refused.value.hint
    assert before == path.read_bytes()
    assert {"lock", FILE} == {each.name for each in tmp_path.iterdir()}


# --- broken files -----------------------------------------------------------------------------------


def no_database(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)


def torn_page(path: Path) -> None:
    """Spoil one page in the middle: only a look at every page finds it."""
    content = bytearray(path.read_bytes())
    page = len(content) // 4096 // 2 * 4096
    content[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4096])


@pytest.mark.parametrize("spoil", [no_database, torn_page, cut_short])
def test_a_broken_file_is_moved_aside_and_a_new_one_begun(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    path = filled(tmp_path)
    spoil(path)
    broken = path.read_bytes()

    with closing(Store(tmp_path)) as store:
        assert store.damaged
        assert store.damaged.name.startswith(f"{FILE}.damaged-20")
        assert broken == store.damaged.read_bytes()
        assert [] == store.acts(WEB)
        store.before([act(1)])
    with closing(Store(tmp_path)) as store:
        assert store.damaged is None
        assert [ActRecord(act(1))] == store.acts(WEB)


def test_the_log_of_a_broken_file_is_not_played_into_the_new_one(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    with closing(Store(tmp_path)) as store:
        store.before([act(1)])
        log = (tmp_path / f"{FILE}-wal").read_bytes()
    no_database(tmp_path / FILE)
    (tmp_path / f"{FILE}-wal").write_bytes(log)

    with closing(Store(tmp_path)) as store:
        assert store.damaged
        assert [] == store.acts(WEB)
        store.before([act(2)])
    with closing(Store(tmp_path)) as store:
        assert store.damaged is None
        assert [ActRecord(act(2))] == store.acts(WEB)


def test_what_cannot_be_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()

    with pytest.raises(JournalError, match="cannot be opened: Is a directory") as refused:
        Store(tmp_path)

    assert "findmnt" in refused.value.hint
