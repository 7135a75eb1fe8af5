"""Forgetting: what is old, and what is too much, a little at a time."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from stored import act, happening

from ballonet.facts.act import Outcome
from ballonet.service.events import Question
from ballonet.service.store import FILE, PRUNED_ROWS, Store

WEB = "uuid-web"
DAY = 86400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path, retention_seconds=30 * DAY, most_events=10 * PRUNED_ROWS)) as opened:
        yield opened


def test_what_is_older_than_the_retention_is_forgotten(store: Store) -> None:
    for day in (1.0, 2.0, 3.0):
        store.before([act(int(day * DAY))])
        store.tell(happening(day * DAY))
    store.remember({WEB: {"growth": 1.0}}, 2.0 * DAY)
    store.remember({"uuid-db": {"growth": 2.0}}, 3.0 * DAY)

    assert 5 == store.prune(32.5 * DAY)

    assert [3.0 * DAY] == [record.at for record in store.events()]
    assert [3.0 * DAY] == [record.act.at for record in store.acts(WEB)]
    assert {"uuid-db": {"growth": 2.0}} == store.learned()
    assert 0 == store.prune(32.5 * DAY)


def test_ids_of_events_are_never_given_again(store: Store) -> None:
    store.tell(happening(1.0))
    store.flush()
    store.prune(40 * DAY)
    store.tell(happening(2.0))
    store.flush()

    assert [2] == [record.id for record in store.events()]


def test_what_a_guest_was_last_told_stays_as_long_as_it_is_seen(store: Store) -> None:
    store.before([act(1), act(2), act(3)])
    store.settle(WEB, 4.0, Outcome.REFUSED)
    store.before([act(1, "uuid-gone"), act(1, "uuid-refused")])
    store.settle("uuid-refused", 4.0, Outcome.REFUSED)
    store.remember({WEB: {}, "uuid-refused": {}}, 40 * DAY)

    store.prune(50 * DAY)
    assert {WEB: (2, 2.0, 512 << 20)} == store.targets()
    assert [2] == [record.act.to_bytes for record in store.acts(WEB)]
    assert [] == [*store.acts("uuid-gone"), *store.acts("uuid-refused")]

    store.prune(80 * DAY)
    assert {} == store.targets()


def test_the_number_of_events_and_acts_is_bounded_and_so_is_each_call(store: Store) -> None:
    more = 10 * PRUNED_ROWS + 3 * PRUNED_ROWS // 2
    for _ in range(more):
        store.tell(happening(1.0))
    store.before([act(number) for number in range(more)])

    assert [2 * PRUNED_ROWS, PRUNED_ROWS, 0] == [store.prune(2.0) for _ in range(3)]

    assert 10 * PRUNED_ROWS == len(store.events(Question(limit=2 * more)))
    assert 3 * PRUNED_ROWS // 2 == store.acts(WEB, limit=2 * more)[0].act.to_bytes
    assert more - 1 == store.acts(WEB)[-1].act.to_bytes


def test_the_file_shrinks_with_what_is_in_it(tmp_path: Path, store: Store) -> None:
    for _ in range(10 * PRUNED_ROWS):
        store.tell(happening(1.0))
    store.flush()
    store.prune(1.0)
    full = (tmp_path / FILE).stat().st_size

    while store.prune(40 * DAY):
        pass
    for _ in range(10):
        store.prune(40 * DAY)

    assert (tmp_path / FILE).stat().st_size < full / 4
