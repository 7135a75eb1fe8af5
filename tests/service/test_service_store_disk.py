"""Disks that are full, fail or cannot be written: the journal says so, and can be read all the same."""

import os
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from stored import act, fill, happening, program, small_disk

from ballonet.errors import JournalError
from ballonet.facts.act import Outcome
from ballonet.facts.request import Hold, Lease
from ballonet.service.events import Question
from ballonet.service.store import MOST_WAITING, Store

WEB = "uuid-web"
MUCH = "x" * 100_000


def refused(store: Store) -> list[str]:
    """Return the hints of all calls that write; each must have been refused."""
    calls: tuple[Callable[[], None], ...] = (
        lambda: store.before([act(number) for number in range(2000)]),
        lambda: store.keep(Hold("a", WEB, "web", 1.0, None, "root", MUCH)),
        lambda: store.keep(Lease("a", 1, 1.0, 2.0, "root", MUCH)),
        lambda: store.set_value("mode", MUCH),
        lambda: store.remember({MUCH: {}}, 1.0),
    )
    hints = []
    for call in calls:
        with pytest.raises(JournalError, match="cannot be written") as error:
            call()
        hints.append(error.value.hint)
    return hints


def targets(store: Store) -> dict[str, tuple[int, float, int | None]]:
    """Return what can be read, having read the rest too."""
    assert [] == [*store.holds(), *store.leases(), *store.learned()]
    assert store.value("mode") is None
    return {**store.targets()}


def test_a_full_disk_stops_writing_and_not_reading(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        store = Store(disk)
        store.before([act(1)])
        filler = fill(disk)

        assert ["make room"] * 5 == [hint[:9] for hint in refused(store)]
        assert {WEB: (1, 1.0, 512 << 20)} == targets(store)
        store.tell(happening(5.0))
        store.settle(WEB, 6.0, Outcome.REACHED, 1)

        filler.unlink()
        store.before([act(2)])
        assert {WEB: (2, 2.0, 512 << 20)} == targets(store)
        assert [5.0] == [record.at for record in store.events()]
        assert [Outcome.REACHED, None] == [record.outcome for record in store.acts(WEB)]
        store.close()


def test_a_service_that_starts_on_a_full_disk_knows_all_that_it_knew(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        with closing(Store(disk)) as store:
            store.before([act(1)])
        filler = fill(disk)

        store = Store(disk)
        assert {WEB: (1, 1.0, 512 << 20)} == targets(store)
        refused(store)

        filler.unlink()
        store.before([act(2)])
        store.close()


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        store.before([act(1)])
        pages = store._database._number("PRAGMA page_count")
        store._database._number(f"PRAGMA max_page_count = {pages}")

        assert ["make room"] * 5 == [hint[:9] for hint in refused(store)]
        assert {WEB: (1, 1.0, 512 << 20)} == targets(store)

        store._database._number("PRAGMA max_page_count = 1000000")
        store.before([act(2)])
        assert {WEB: (2, 2.0, 512 << 20)} == targets(store)


LIMITED = """
import resource
from ballonet.errors import JournalError
from ballonet.facts.act import Act

def act(number, uuid):
    return Act(1.0, uuid, "web", 1, number, "planned")

store = Store(directory)
store.before([act(1, "web")])
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, ((directory / "state.sqlite-wal").stat().st_size + 5000, most))
for _ in range(2):
    try:
        store.before([act(2, f"web-{number}") for number in range(1000)])
    except JournalError as error:
        print(error, error.hint)
print(dict(store.targets()))
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
store.before([act(3, "web")])
print(dict(store.targets()))
"""


def test_a_disk_that_fails_is_said_and_may_come_back(tmp_path: Path) -> None:
    said, failed = program(LIMITED, tmp_path).communicate()

    assert "" == failed
    first, second, before, after = said.splitlines()
    assert first == second
    assert "cannot be written: disk I/O error" in first
    assert "journalctl -k" in first
    assert "{'web': Target(size_bytes=1, at=1.0, had_bytes=536870912)}" == before
    assert "{'web': Target(size_bytes=3, at=1.0, had_bytes=536870912)}" == after


def test_where_nothing_may_be_written_nothing_is_opened(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        Store(disk).close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

        with pytest.raises(JournalError, match="Read-only file system") as error:
            Store(disk)

    assert "findmnt" in error.value.hint


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_directory_of_somebody_else_is_not_opened(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(JournalError, match="Permission denied"):
        Store(tmp_path)


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        for number in range(MOST_WAITING + 5):
            store.tell(happening(float(number)))
        store.flush()

        assert MOST_WAITING == len(store.events(Question(limit=2 * MOST_WAITING)))
        assert 5.0 == store.events(Question(after_id=0, limit=1))[0].at
