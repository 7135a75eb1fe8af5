"""History over time: ticks and minutes, counters that begin anew, gaps, clocks, and disks that fail."""

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.testing import assert_array_equal
from stored import fill, small_disk

from ballonet.service.block import Block
from ballonet.service.history import MOST_BLOCKS, History, Past
from ballonet.service.history_file import FILE, MINUTES, TICKS, Bounds, HistoryFile
from ballonet.service.samples import GUEST, HOST
from ballonet.service.span import Span
from ballonet.units import MIB

BEGUN = 1.7e9 // 60 * 60  # a whole minute
WEB, DB = "uuid-web", "uuid-db"


def cells(**values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return a guest's sample with these values, the rest unknown."""
    row = np.full(len(GUEST), np.nan, dtype=np.float32)
    for name, value in values.items():
        row[GUEST.names.index(name)] = value
    return row


def minute(number: int, uuids: tuple[str, ...] = (WEB,), *, begun: float = BEGUN) -> Block:
    """Return a minute of ticks of 2 s, in which each guest's size is the tick's number, in MiB."""
    block = Block.at(begun + 60.0 * number, 15.0)
    for tick in range(30):
        at = begun + 60.0 * number + 2.0 * tick
        size = (30.0 * number + tick + 1.0) * MIB
        guests = np.stack(
            [cells(actual_bytes=size, swap_in_bytes=4096.0, managed_seconds=2.0)] * len(uuids), axis=1
        )
        host = np.full(len(HOST), size, dtype=np.float32)
        block.add(at, uuids, [uuid.removeprefix("uuid-") for uuid in uuids], host, guests)
    return block


def opened(directory: Path, **bounds: float) -> HistoryFile:
    return HistoryFile(directory, Bounds(**bounds))  # type: ignore[arg-type]


def sizes(past: Past) -> list[float | None]:
    """Return a guest's sizes, in MiB."""
    return [None if np.isnan(size) else float(size) / MIB for size in past.column("actual_bytes")]


# --- on the disk -----------------------------------------------------------------------------------------


async def test_what_was_written_is_read_tick_by_tick_and_minute_by_minute(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as file:
        file.write([minute(0), minute(1)])
    history = History(opened(tmp_path))
    ticks = await history.guest(WEB, Span(BEGUN - 2.0, BEGUN + 118.0, 1000))
    assert (2.0, [*range(1, 61)]) == (ticks.step_seconds, sizes(ticks))
    minutes = await history.guest(WEB, Span(BEGUN - 2.0, BEGUN + 120.0, 3))
    assert (60.0, [30.0, 60.0]) == (minutes.step_seconds, sizes(minutes)[-2:])
    assert 60 * 4096.0 == np.nansum(minutes.column("swap_in_bytes"))
    assert 120.0 == np.nansum(minutes.column("managed_seconds"))
    host = await history.host(Span(BEGUN - 2.0, BEGUN + 118.0, 1000))
    assert 60.0 * MIB == host.column("held_bytes")[-1]
    history.end()


async def test_a_guest_that_came_later_has_no_past_and_one_that_went_has_one(tmp_path: Path) -> None:
    history = History(opened(tmp_path))
    assert history._file is not None
    history._file.write([minute(0, (WEB,)), minute(1, (WEB, DB)), minute(2, (DB,))])
    whole = Span(BEGUN - 2.0, BEGUN + 178.0, 1000)
    assert ([None] * 30, 31.0) == (
        sizes(await history.guest(DB, whole))[:30],
        sizes(await history.guest(DB, whole))[30],
    )
    web = sizes(await history.guest(WEB, whole))
    assert (60.0, None) == (web[59], web[-1])
    assert {WEB, DB} == {*history.names()}
    found = history.find("db")
    assert found is not None
    assert DB == found.uuid
    assert history.find("nobody") is None
    history.end()


async def test_guests_that_come_and_go_within_a_minute_have_their_part_of_it(tmp_path: Path) -> None:
    block = Block.at(BEGUN, 15.0)
    host = np.zeros(len(HOST), dtype=np.float32)
    for tick, uuids in enumerate([(WEB,), (WEB, DB), (DB,), (DB, WEB)]):
        guests = np.stack([cells(actual_bytes=tick * MIB, changes=1.0)] * len(uuids), axis=1)
        block.add(BEGUN + 2.0 * tick, uuids, uuids, host, guests)
    history = History(opened(tmp_path))
    assert history._file is not None
    history._file.write([block])
    whole = Span(BEGUN - 2.0, BEGUN + 6.0, 100)
    web, db = await history.guest(WEB, whole), await history.guest(DB, whole)
    assert [0.0, 1.0, 1.0, 3.0] == sizes(web)
    assert_array_equal([1.0, 1.0, 0.0, 1.0], web.column("changes"))
    assert [None, 1.0, 2.0, 3.0] == sizes(db)
    coarse = await history.guest(WEB, Span(BEGUN - 2.0, BEGUN + 60.0, 2))
    assert 3.0 == coarse.column("changes")[-1]
    history.end()


async def test_a_host_without_guests_has_a_history_too(tmp_path: Path) -> None:
    block, host = Block.at(BEGUN, 15.0), np.full(len(HOST), 7.0, dtype=np.float32)
    nobody = np.empty((len(GUEST), 0), dtype=np.float32)
    block.add(BEGUN, (), (), host, nobody)
    block.add(BEGUN + 2.0, (WEB,), ["web"], host, cells(actual_bytes=MIB)[:, np.newaxis])
    empty = Block.at(BEGUN + 60.0, 15.0)
    for second in (60.0, 60.5):
        empty.add(BEGUN + second, (), (), host, nobody)
    history = History(opened(tmp_path))
    put(history, block)
    put(history, empty)
    put(history, Block.at(BEGUN + 120.0, 15.0))
    history._blocks.clear()
    whole = Span(BEGUN - 2.0, BEGUN + 61.0, 1000)
    assert 7.0 == (await history.host(whole)).column("held_bytes")[-1]
    assert [1.0] == [size for size in sizes(await history.guest(WEB, whole)) if size][:1]
    tables = [table async for table in history.guests(whole, 2.0)]
    assert 1 == sum(len(table.at) for table in tables)
    history.end()


def test_of_ticks_within_one_second_one_sample_is_kept() -> None:
    block, host = Block.at(BEGUN, 15.0), np.zeros(len(HOST), dtype=np.float32)
    for at, size in ((0.0, 1.0), (2.0, 5.0), (2.4, 7.0)):
        block.add(BEGUN + at, (WEB,), ["web"], host, cells(actual_bytes=size, changes=1.0)[:, np.newaxis])
    found = block.guest(WEB)
    assert_array_equal([BEGUN, BEGUN + 2.4], found.at)
    assert_array_equal([1.0, 7.0], found.columns()["actual_bytes"])
    assert_array_equal([1.0, 2.0], found.columns()["changes"])


def test_ticks_go_first_and_minutes_after_their_time(tmp_path: Path) -> None:
    with closing(opened(tmp_path, ticks_seconds=600.0, minutes_seconds=3600.0)) as file:
        for number in range(120):
            file.write([minute(number)])
            file.prune(BEGUN + 60.0 * (number + 1))
        now = BEGUN + 120 * 60.0
        assert now - 600.0 == file.first(TICKS)
        assert now - 3600.0 == file.first(MINUTES)
        file.prune(now + 7200.0)
        assert now - 3000.0 == file.first(MINUTES)  # little by little
        for _ in range(10):
            file.prune(now + 7200.0)
        assert file.first(MINUTES) is None
        assert {} == file.names()


def test_the_oldest_gives_way_when_there_is_too_much(tmp_path: Path) -> None:
    most_bytes = 256 * 1024
    uuids = tuple(f"uuid-{number}" for number in range(20))
    with closing(opened(tmp_path, ticks_seconds=600.0, most_bytes=most_bytes)) as file:
        for number in range(360):
            file.write([minute(number, uuids)])
            file.prune(BEGUN + 60.0 * (number + 1))
        first = file.first(MINUTES)
        assert first is not None
        assert BEGUN + 60.0 < first < BEGUN + 300 * 60.0
        assert file._database.size_bytes < 1.2 * most_bytes
        assert (tmp_path / FILE).stat().st_size < 1.5 * most_bytes


def test_where_ticks_alone_are_too_much_the_oldest_of_them_go(tmp_path: Path) -> None:
    with closing(opened(tmp_path, most_bytes=1)) as file:
        for number in range(30):
            file.write([minute(number)])
            file.prune(BEGUN + 60.0 * (number + 1))
        assert (file.first(TICKS) or BEGUN) > BEGUN + 20 * 60.0 or file.first(TICKS) is None


def test_what_a_wrong_clock_left_in_the_future_is_forgotten(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as file:
        file.write([minute(0, begun=BEGUN + 1e8), minute(0)])
        file.prune(BEGUN + 60.0)
        found = file.host(MINUTES, 0.0, 4e9, 15.0)
        assert_array_equal([BEGUN + 58.0], found.at)


async def test_samples_from_before_a_clock_was_set_back_stay_in_their_order(tmp_path: Path) -> None:
    history = History(opened(tmp_path))
    assert history._file is not None
    history._file.write([minute(5), minute(3), minute(4)])
    past = await history.guest(WEB, Span(BEGUN + 178.0, BEGUN + 358.0, 1000))
    assert [*range(91, 181)] == sizes(past)
    history.end()


def test_a_damaged_file_is_moved_aside_and_begun_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("no database at all, but some text")
    with closing(opened(tmp_path)) as file:
        assert file.damaged is not None
        assert file.damaged.name.startswith("history.sqlite.damaged-")
        file.write([minute(0)])
        assert {WEB: "web"} == file.names()


def test_rows_from_a_version_with_fewer_fields_are_read_with_the_rest_unknown(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as file:
        file.write([minute(0)])
    width = 4  # as many fields that version had
    row = np.array([58.0, *[7.0] * width], dtype=np.float32).tobytes()
    with closing(sqlite3.connect(tmp_path / FILE)) as old:
        old.execute("UPDATE guest_samples SET fields = ?, cells = ? WHERE step = 60", (width, row))
        old.commit()
    with closing(opened(tmp_path)) as file:
        file.write([minute(1)])
        columns = file.guest(MINUTES, WEB, 0.0, 4e9, 15.0).columns()
    assert_array_equal([7.0, 60.0 * MIB], columns["actual_bytes"])
    assert_array_equal([np.nan, 30 * 4096.0], columns["swap_in_bytes"])


# --- disks that fail -------------------------------------------------------------------------------------


def put(history: History, block: Block) -> None:
    """Have a minute taken in whole."""
    history._write(60.0 * block.number)
    history._blocks.append(block)


async def test_a_full_disk_is_said_once_and_the_last_minutes_are_known(tmp_path: Path) -> None:
    words: list[str] = []
    with small_disk(tmp_path) as disk:
        history = History(opened(disk), words.append)
        filler = fill(disk)
        for number in range(MOST_BLOCKS + 5):
            put(history, minute(number, tuple(f"uuid-{each}" for each in range(100))))
        [said] = words
        assert "history.sqlite cannot be written" in said
        assert said.endswith("only the last minutes of history are known")
        last = await history.guest("uuid-7", Span(BEGUN, BEGUN + 15 * 60.0, 1000))
        assert 450.0 == sizes(last)[-1]

        filler.unlink()
        put(history, minute(15))
        assert "history is written again" == words[-1]
        history.end()


async def test_a_disk_that_is_read_only_keeps_nobody_from_asking(tmp_path: Path) -> None:
    words: list[str] = []
    with small_disk(tmp_path) as disk:
        history = History(opened(disk), words.append)
        put(history, minute(0))
        put(history, minute(1))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=False)  # noqa: ASYNC221
        put(history, minute(2))
        assert 90.0 == sizes(await history.guest(WEB, Span(BEGUN, BEGUN + 178.0, 1000)))[-1]
        history.end()


async def test_without_a_file_the_last_minutes_are_kept() -> None:
    history = History()
    for number in range(MOST_BLOCKS + 5):
        put(history, minute(number))
    past = await history.guest(WEB, Span(BEGUN, BEGUN + 898.0, 10_000))
    assert 30 * MOST_BLOCKS == len(past.ends) == len(sizes(past))
    assert 450.0 == sizes(past)[-1]
