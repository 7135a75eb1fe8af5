"""Traces that nobody recorded, and recordings that were damaged: read, or refused by file and place."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzzing import fuzzed, well_said
from hypothesis import given
from hypothesis import strategies as st

from ballonet.errors import UsageError
from ballonet.simulator.trace import KEYS, NUMBERS, VERSION, Trace
from ballonet.simulator.trace_file import MARK, create, read

NAMES = (*KEYS, "maximum_bytes", "actual_bytes", "usable_bytes")
LONG = "very long"  # longer than what a reader of CSV takes
cells = st.sampled_from(
    ["", "0", "1e308", "-1e308", "nan", "inf", "-1", "1_0", "x", '"', "a,b", "\r", "\0", "9" * 400, LONG]
)
headers = st.just(",".join(NAMES)) | st.lists(st.sampled_from([*NAMES, "\r", '"', LONG, ""])).map(",".join)
rows = st.lists(st.lists(cells | st.text(max_size=4), min_size=6, max_size=6).map(",".join), max_size=6)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traces")


def read_or_refused(path: Path, content: bytes) -> None:
    """Assert that bytes are a trace with rows in order of time, or refused with the file's name."""
    path.write_bytes(content)
    try:
        trace = read(path)
    except UsageError as error:
        well_said(error)
        assert str(path) in error.message  # noqa: PT017 - both ends are good ones
    else:
        assert len(trace)
        assert (np.diff(trace.time) >= 0).all()
        for column in trace.numbers.values():
            assert not np.isinf(column).any()


@fuzzed
@given(headers, rows)
def test_any_lines_are_a_trace_or_refused(place: Path, header: str, lines: list[str]) -> None:
    text = "\n".join([f"{MARK}{VERSION}", header, *lines, ""]).replace(LONG, "x" * 140_000)

    read_or_refused(place / "any.csv", text.encode())


@fuzzed
@given(st.text() | st.text().map(lambda text: MARK + text), st.binary(max_size=20))
def test_any_bytes_are_a_trace_or_refused(place: Path, text: str, tail: bytes) -> None:
    read_or_refused(place / "bytes.csv", text.encode() + tail)


def recorded(path: Path) -> bytes:
    """Return a whole recording of two guests and two ticks."""
    time = np.array([1.0, 1.0, 2.0, 2.0])
    numbers = {name: np.full(4, 2.0**30) for name in NUMBERS}
    tick = Trace(time, ("a", "b") * 2, ("a", "b") * 2, numbers)
    path.unlink(missing_ok=True)
    writer = create(path)
    writer.write(replace(tick))
    writer.close()
    return path.read_bytes()


@pytest.fixture(scope="module", params=["csv", "parquet"])
def whole(request: pytest.FixtureRequest, place: Path) -> bytes:
    return recorded(place / f"whole.{request.param}")


@fuzzed
@given(st.data())
def test_a_damaged_recording_is_read_or_refused(place: Path, whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(damaged), len(damaged) // 2]))

    read_or_refused(place / "damaged.parquet", bytes(damaged[:cut]))


COLUMNS = {
    "number": lambda: pa.array([1.0, 2.0]),
    "infinite": lambda: pa.array([1.0, float("inf")]),
    "text": lambda: pa.array(["a", "b"]),
    "null": lambda: pa.array([None, None]),
    "list": lambda: pa.array([[1], [2]]),
    "binary": lambda: pa.array([b"\xff", b"a"]),
    "time": lambda: pa.array([1, 2], pa.timestamp("s")),
    "large": lambda: pa.array([2**63, 2**64 - 1], pa.uint64()),
}

COLUMN = st.tuples(st.sampled_from(NAMES), st.sampled_from(list(COLUMNS)))


@fuzzed
@given(columns=st.lists(COLUMN, max_size=7), usual=st.booleans())
def test_any_table_is_a_trace_or_refused(place: Path, columns: list[tuple[str, str]], *, usual: bool) -> None:
    said = dict(columns)
    if usual:
        sound = [(name, said.get(name, "text" if name in {"uuid", "name"} else "number")) for name in NAMES]
        columns = [*sound, *columns[4:]]
    table = pa.table([COLUMNS[kind]() for _, kind in columns], names=[name for name, _ in columns])
    table = table.replace_schema_metadata({b"ballonet_trace": str(VERSION).encode()})
    path = place / "table.parquet"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pq.write_table(table, path)

    read_or_refused(path, path.read_bytes())
