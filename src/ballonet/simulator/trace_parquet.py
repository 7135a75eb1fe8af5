"""Traces as Parquet, by pyarrow: the same columns, the version in the schema's metadata."""

from pathlib import Path

import numpy as np

from ballonet.errors import UsageError
from ballonet.extras import remedy
from ballonet.simulator.trace import KEYS, NUMBERS, VERSION, Trace

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise UsageError(
        "Parquet needs pyarrow, which is not installed",
        hint=f"{remedy('trace')}; or use a file that is called *.csv",
    ) from error

METADATA = b"ballonet_trace"
GROUP_TICKS = 30  # a minute of ticks a row group: the file is complete only when it is closed


class ParquetWriter:
    """Writes row groups of so many ticks. Until `close` wrote the footer nobody can read the file."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        names = [("time", pa.float64()), ("uuid", pa.string()), ("name", pa.string())]
        self._schema = pa.schema(
            [*names, *((name, pa.float64()) for name in NUMBERS)], metadata={METADATA: str(VERSION).encode()}
        )
        self._writer = pq.ParquetWriter(path, self._schema)
        self._ticks: list[Trace] = []

    def write(self, tick: Trace) -> None:
        """Append a tick."""
        self._ticks.append(tick)
        self.rows += len(tick)
        if len(self._ticks) >= GROUP_TICKS:
            self._flush()

    def _flush(self) -> None:
        if not self._ticks:
            return
        ticks, self._ticks = self._ticks, []
        columns = [
            np.concatenate([tick.time for tick in ticks]),
            [uuid for tick in ticks for uuid in tick.uuids],
            [name for tick in ticks for name in tick.names],
            *(np.concatenate([tick.numbers[name] for tick in ticks]) for name in NUMBERS),
        ]
        arrays = [
            pa.array(column, type=field.type) for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Write the last row group and the footer."""
        self._flush()
        self._writer.close()


def read_parquet(path: Path) -> Trace:
    """Return the trace in a Parquet file; raises UsageError for another's, and for one that was cut."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(
            f"{path} is no whole Parquet file", hint="a recording that was killed has no end: record CSV"
        ) from error
    version = (table.schema.metadata or {}).get(METADATA, b"").decode(errors="replace")
    if version != str(VERSION):
        wrong = f"version {version!r} of traces is not known" if version else "it is no trace"
        raise UsageError(f"{path}: {wrong}", hint=f"this reads version {VERSION}")
    for name in (*KEYS, "maximum_bytes", "actual_bytes"):
        if name not in table.column_names:
            raise UsageError(f"{path}: there is no column {name!r}", hint="record it again")
    for name in table.column_names:
        if table.column_names.count(name) > 1:
            raise UsageError(f"{path}: column {name!r} is there twice", hint="leave one of them")
    numbers = {}
    for name in ("time", *NUMBERS):
        if name in table.column_names:
            try:
                numbers[name] = table[name].cast(pa.float64()).to_numpy().copy()
            except pa.ArrowException as error:
                raise UsageError(
                    f"{path}, column {name!r}: not all are numbers", hint="unknown is null"
                ) from error
    time = numbers.pop("time")
    uuids, names = (tuple(map(str, table[key].to_pylist())) for key in ("uuid", "name"))
    return Trace(time, uuids, names, numbers)
