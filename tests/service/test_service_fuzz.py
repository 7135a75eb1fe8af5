"""Files of the service's state with damage anywhere, and answers that no service gives."""

import json
import socket
import threading
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzzing import fuzzed, numbers, well_said
from hypothesis import given
from hypothesis import strategies as st
from stored import act, happening, planned

from ballonet.engine.remember import Remembered
from ballonet.engine.requests import Requests
from ballonet.errors import BallonetError, JournalError
from ballonet.facts.request import Hold, Lease
from ballonet.service import history_file, store
from ballonet.service.block import Block
from ballonet.service.client import Client
from ballonet.service.history_file import Bounds, HistoryFile
from ballonet.service.models import Failure, Status
from ballonet.service.samples import GUEST, HOST
from ballonet.service.store import Store
from ballonet.simulator.virtual import VirtualClock

UUID = "uuid-web"
BEGUN = 1_700_000_040.0


# --- the journal -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    directory = tmp_path_factory.mktemp("journal")
    with closing(Store(directory)) as kept:
        kept.before([act(number) for number in range(20)])
        kept.keep(Hold("hold-1", UUID, "web", 1.0, None, "root", "why", 2**29))
        kept.keep(Lease("lease-2", 2**30, 1.0, 2.0, "root", "db"))
        kept.remember({UUID: {"growth": 1.5, "hold_until": 1e9}}, 1.0)
        for number in range(5):
            kept.tell(planned(float(number)))
            kept.tell(happening(float(number)))
    return (directory / store.FILE).read_bytes()


@st.composite
def damages(draw: st.DrawFn) -> list[tuple[float, bytes]]:
    """Return where (a share of the file), and with what, bytes are overwritten."""
    return draw(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1)), max_size=8))


def damaged(whole: bytes, places: list[tuple[float, bytes]], cut: float) -> bytes:
    content = bytearray(whole)
    for share, with_what in places:
        begin = int(share * len(whole))
        content[begin : begin + len(with_what)] = with_what
    return bytes(content[: int(cut * len(content)) + 1])


CUTS = st.sampled_from([1.0, 1.0, 1.0, 0.5]) | st.floats(0, 1)


@fuzzed
@given(damages(), CUTS)
def test_any_damaged_journal_is_begun_with_or_refused_with_a_remedy(
    tmp_path_factory: pytest.TempPathFactory, journal: bytes, places: list[tuple[float, bytes]], cut: float
) -> None:
    directory = tmp_path_factory.mktemp("damaged")
    (directory / store.FILE).write_bytes(damaged(journal, places, cut))

    try:
        with closing(Store(directory)) as kept:
            begin_with(kept)
    except JournalError as error:
        well_said(error)


def begin_with(kept: Store) -> None:
    """Do with a store what a service does when it begins, and what the API asks of it."""
    clock, remembered = VirtualClock(), Remembered()
    requests = Requests(clock, kept, [*kept.holds(), *kept.leases()])
    assert all(isinstance(hold.uuid, str) for hold in requests.holds)
    assert all(lease.size_bytes >= 0 for lease in requests.leases)
    remembered.recall(kept.learned(), kept.targets(), 0.0, 1000.0)
    memory = remembered.align((UUID, "other"))
    for name in type(memory).columns():
        assert getattr(memory, name).dtype == getattr(type(memory).blank(1), name).dtype
    for event in kept.events():
        assert isinstance(event.sentence, str)
    kept.acts(UUID)
    kept.before([act(99)])
    kept.flush()


JSONS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | numbers, lambda each: st.lists(each, max_size=2)
)
learned_texts = (
    st.dictionaries(st.sampled_from(["growth", "hold_until", "born_at"]), JSONS).map(json.dumps) | st.text()
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "UPDATE learned SET numbers = ?": learned_texts | numbers.map(float),
    "UPDATE events SET reasons = ?": st.text(),
    "UPDATE acts SET outcome = ?": st.text(),
    "UPDATE acts SET to_bytes = ?": st.text() | st.floats(allow_nan=False) | st.binary(),
    "UPDATE acts SET at = ?": st.text() | st.binary(),
    "UPDATE holds SET id = ?": st.text() | st.binary(),
    "UPDATE holds SET until = ?": st.text() | st.binary(),
    "UPDATE holds SET size_bytes = ?": st.text() | st.binary(),
    "UPDATE leases SET size_bytes = ?": st.text() | st.floats(allow_nan=False) | st.binary(),
    "UPDATE leases SET until = ?": st.text() | st.binary(),
}


@fuzzed
@given(st.sampled_from(sorted(VALUES)), st.data())
def test_any_nonsense_in_a_sound_journal_costs_its_row(
    tmp_path_factory: pytest.TempPathFactory, journal: bytes, sql: str, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("nonsense")
    (directory / store.FILE).write_bytes(journal)
    value = data.draw(VALUES[sql])
    with closing(Store(directory)) as kept, suppress(JournalError), kept._database.writing():
        kept._database.write(sql, (value,))

    with closing(Store(directory)) as kept:
        begin_with(kept)
        if "holds" not in sql:
            assert [UUID] == [hold.uuid for hold in kept.holds()]
        if "learned" not in sql:
            assert {UUID} == set(kept.learned())


# --- the history -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    directory = tmp_path_factory.mktemp("history")
    with closing(HistoryFile(directory, Bounds())) as kept:
        for minute in range(5):
            block = Block.at(BEGUN + 60.0 * minute, 5.0)
            for second in range(0, 20, 2):
                cells = np.full((len(GUEST), 1), float(second), np.float32)
                host = np.full(len(HOST), 1.0, np.float32)
                block.add(BEGUN + 60.0 * minute + second, (UUID,), ["web"], host, cells)
            kept.write([block])
    return (directory / history_file.FILE).read_bytes()


@fuzzed
@given(damages(), CUTS)
def test_any_damaged_history_is_read_as_far_as_it_goes(
    tmp_path_factory: pytest.TempPathFactory, history: bytes, places: list[tuple[float, bytes]], cut: float
) -> None:
    directory = tmp_path_factory.mktemp("damaged")
    (directory / history_file.FILE).write_bytes(damaged(history, places, cut))

    try:
        with closing(HistoryFile(directory, Bounds())) as kept:
            read_all(kept)
    except JournalError as error:
        well_said(error)


def read_all(kept: HistoryFile) -> None:
    """Ask for all that the API asks for."""
    for step in (history_file.TICKS, history_file.MINUTES):
        span = (BEGUN - 3600.0, BEGUN + 3600.0)
        kept.first(step)
        series = [kept.host(step, *span, 5.0), kept.guests(step, *span)]
        series += [kept.guest(step, uuid, *span, 5.0) for uuid in (UUID, *kept.names())]
        assert all(len(each.at) == len(each.cells) for each in series)
    kept.prune(BEGUN + 1e6)


BLOBS = st.binary(max_size=200) | st.text(max_size=5) | st.integers(0, 2**40)


@fuzzed
@given(st.sampled_from(["cells", "fields"]), st.sampled_from(["guest_samples", "host_samples"]), BLOBS)
def test_any_nonsense_in_a_sound_history_costs_its_row(
    tmp_path_factory: pytest.TempPathFactory, history: bytes, column: str, table: str, value: Any
) -> None:
    directory = tmp_path_factory.mktemp("nonsense")
    (directory / history_file.FILE).write_bytes(history)
    with closing(HistoryFile(directory, Bounds())) as kept:
        with kept._database.writing():
            kept._database.write(f"UPDATE {table} SET {column} = ? WHERE at = ?", (value, int(BEGUN)))
        read_all(kept)
        with closing(HistoryFile.__new__(HistoryFile)) as _ if False else suppress():
            pass
        late = kept.host(history_file.TICKS, BEGUN + 90.0, BEGUN + 3600.0, 5.0)
        assert 30 <= len(late.at)


# --- answers ---------------------------------------------------------------------------------------------

FAILURE = Failure(error="no", hint="go", exit_code=5).model_dump_json().encode()
bodies = st.sampled_from([b"{}", b"", b"[" * 10_000, FAILURE, b'{"error": 1, "exit_code": 1e99}']) | st.binary()
heads = st.builds(
    "{} {} X\r\nContent-Length: {}\r\n{}\r\n\r\n".format,
    st.sampled_from(["HTTP/1.1", "HTTP/9.9", "ICY", ""]),
    st.sampled_from(["200", "404", "500", "99", "abc", "100", "301"]),
    st.sampled_from(["2", "-1", "x", "1000", "0"]),
    st.sampled_from(["A: b", "Transfer-Encoding: chunked", "X" * 300, "\x00: \xff"]),
).map(lambda text: text.encode("latin-1"))


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path_factory.mktemp("s") / "s"))
    listening.listen()
    return listening


@fuzzed
@given(heads | st.binary(), bodies, st.sampled_from(["get", "post", "delete", "follow"]))
def test_any_answer_is_understood_or_said_to_be_none(
    listener: socket.socket, head: bytes, body: bytes, how: str
) -> None:
    def answer() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(head + body)

    answering = threading.Thread(target=answer)
    answering.start()
    client = Client(Path(listener.getsockname()))
    try:
        if how == "follow":
            list(client.follow({}))
        elif how == "delete":
            client.delete(Status, "/v1/status")
        else:
            client.get(Status, "/v1/status")
    except BallonetError as error:
        well_said(error)
    answering.join()
    assert replace
