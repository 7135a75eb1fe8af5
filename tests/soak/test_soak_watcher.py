"""What watches a soak finds each kind of broken promise, and says nothing of what is in order."""

import os
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from watcher import COMPARED_SECONDS, MOST_FILES, Watcher

from ballonet.facts.act import Act
from ballonet.facts.happening import Happening, Kind
from ballonet.lab.report import Report
from ballonet.service.store import Store
from ballonet.units import MIB

MAXIMA = {"one": 256 * MIB, "two": 256 * MIB}
WHOLE = {"one": 256 * MIB, "two": 144 * MIB}


@pytest.fixture
def watcher() -> Watcher:
    found = Watcher(400 * MIB, 112 * MIB, MAXIMA)
    found.given("two", 144 * MIB)
    for _ in range(3):
        found.see(WHOLE)
    assert [] == found.broken
    return found


def act(name: str, before_mib: int, after_mib: int) -> Act:
    return Act(time.time(), name, name, before_mib * MIB, after_mib * MIB, "planned")


def written(watcher: Watcher, state: Path, *acts: Act) -> None:
    store = Store(state)
    store.before(acts)
    watcher.read(state)  # while it is open: nobody else may read the file itself
    store.close()


@pytest.mark.parametrize("size_mib", [100, 257])
def test_a_size_outside_of_floor_and_maximum_is_found(watcher: Watcher, size_mib: int) -> None:
    watcher.see({"one": size_mib * MIB})
    assert "outside of floor and maximum" in watcher.broken[0]


def test_a_wish_outside_of_floor_and_maximum_is_found(watcher: Watcher, tmp_path: Path) -> None:
    written(watcher, tmp_path, act("one", 256, 100))
    assert watcher.broken[0].startswith("G1, G2: ")


def test_memory_handed_on_before_it_was_given_back_is_found(watcher: Watcher, tmp_path: Path) -> None:
    written(watcher, tmp_path, act("one", 256, 200), act("two", 144, 200))
    for _ in range(2):
        watcher.see({"one": 230 * MIB, "two": 170 * MIB})
    assert watcher.broken[0].startswith("H1: ")


def test_memory_handed_on_as_it_comes_is_in_order(watcher: Watcher, tmp_path: Path) -> None:
    written(watcher, tmp_path, act("one", 256, 200), act("two", 144, 200))
    for size in (220, 200, 200):
        watcher.see({"one": size * MIB, "two": 200 * MIB})
    assert [] == watcher.broken
    assert {"planned": 2} == watcher.acts


def test_what_somebody_else_took_a_moment_ago_could_not_be_known(watcher: Watcher, tmp_path: Path) -> None:
    shrunk = {"one": 200 * MIB, "two": 144 * MIB}
    for _ in range(3):
        watcher.see(shrunk)
    watcher.given("one", 256 * MIB)
    watcher.see(WHOLE)
    written(watcher, tmp_path, act("two", 144, 200))
    for _ in range(2):
        watcher.see({"one": 256 * MIB, "two": 200 * MIB})
    assert [] == [words for words in watcher.broken if words.startswith("H1")]


def test_what_somebody_else_took_long_ago_is_not_handed_out(watcher: Watcher, tmp_path: Path) -> None:
    watcher.see({"one": 200 * MIB, "two": 144 * MIB})
    watcher.given("one", 256 * MIB)
    for _ in range(3):
        watcher.see(WHOLE)
    written(watcher, tmp_path, act("two", 144, 200))
    for _ in range(2):
        watcher.see({"one": 256 * MIB, "two": 200 * MIB})
    assert watcher.broken[0].startswith("H1: ")


def test_a_size_that_nobody_wrote_down_is_found_and_one_on_its_way_is_not(
    watcher: Watcher, tmp_path: Path
) -> None:
    written(watcher, tmp_path, act("one", 256, 200))
    for _ in range(3):
        watcher.see({"one": 220 * MIB})
    assert [] == watcher.broken
    for _ in range(3):
        watcher.see({"one": 150 * MIB})
    assert ["S4: one rests at 157286400 bytes, which nobody wrote down"] == watcher.broken


def test_a_promise_that_the_service_itself_found_broken_is_found(watcher: Watcher, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.tell(Happening(time.time(), Kind.BROKEN, "one", "uuid", text="G7: the guest must not be touched"))
    store.flush()
    watcher.read(tmp_path)
    store.close()
    assert "the service itself says" in watcher.broken[0]


def report(uptime: float, swapped_in: int, free_mib: int) -> Report:
    numbers = dict.fromkeys(Report.__dataclass_fields__, 0.0)
    return Report.read({**numbers, "uptime": uptime, "pswpin": swapped_in, "free_kib": free_mib << 10})


@pytest.mark.parametrize(
    ("pages", "free_mib", "spare_mib", "found"),
    [(1000, 4, 64, 1), (1000, 4, 8, 0), (10, 4, 64, 0), (1000, 90, 64, 0)],
)
def test_a_guest_that_swaps_beside_free_memory_is_found(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch, pages: int, free_mib: int, spare_mib: int, found: int
) -> None:
    reports = [report(second, pages * second, free_mib) for second in range(5)]
    now = time.monotonic()
    for second in range(40):
        monkeypatch.setattr(time, "monotonic", lambda second=second: now + second)
        watcher.feel("one", reports, 150 * MIB, spare_mib * MIB)
    assert found == len(watcher.broken)


def test_a_process_that_holds_too_much_is_found(watcher: Watcher) -> None:
    watcher.weigh(os.getpid(), COMPARED_SECONDS + 1.0)
    assert 1 == len(watcher.rss_bytes)
    watcher.broken.clear()
    with ExitStack() as files:
        for _ in range(MOST_FILES):
            files.enter_context(Path(os.devnull).open())
        watcher.weigh(os.getpid(), 0.0)
    assert "files" in watcher.broken[0]
