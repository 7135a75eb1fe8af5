"""Traces in files: CSV by the standard library, Parquet by pyarrow where that is installed."""

import csv
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TextIO

import numpy as np

from ballonet.errors import BallonetError, UsageError
from ballonet.facts.snapshot import Floats
from ballonet.simulator.trace import KEYS, NUMBERS, VERSION, Trace

MARK = "# ballonet trace "
HINT = "a trace is what `ballonet run --record FILE` writes"
PARQUET_MAGIC = b"PAR1"


class Writer(Protocol):
    """A trace that is being written."""

    rows: int

    def write(self, tick: Trace) -> None:
        """Append a tick."""

    def close(self) -> None:
        """Write what is held back, and end the file."""


def create(path: Path) -> Writer:
    """Return a writer of a new file: Parquet if it is called *.parquet, else CSV.

    Raises UsageError if the file exists, or its directory does not; BallonetError if it cannot be written.
    """
    if path.exists():
        raise UsageError(f"{path} exists", hint="give another FILE, or remove it first")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no directory {path.parent}", hint="make it first, or give another FILE")
    try:
        if path.suffix == ".parquet":
            from ballonet.simulator.trace_parquet import ParquetWriter  # noqa: PLC0415 - 100 ms to import

            return ParquetWriter(path)
        return CsvWriter(path.open("x", encoding="utf-8", newline=""))
    except OSError as error:
        raise BallonetError(f"{path}: {reason(error)}", hint="give another FILE") from error


def read(path: Path) -> Trace:
    """Return the trace in a file, CSV or Parquet, up to its last whole line.

    Raises UsageError that names file, line and column for what is no trace.
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == PARQUET_MAGIC
        if is_parquet:
            from ballonet.simulator.trace_parquet import read_parquet  # noqa: PLC0415 - 100 ms to import

            return checked(path, read_parquet(path))
        text = path.read_bytes().decode()
    except OSError as error:
        raise UsageError(f"{path}: {reason(error)}", hint=HINT) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no trace: it is not text", hint=HINT) from error
    return checked(path, read_csv(path, text), first_line=3)


def reason(error: OSError) -> str:
    """Return what the system says was wrong, without the words of who called it."""
    return os.strerror(error.errno) if error.errno else str(error)


class CsvWriter:
    """Writes lines, and gives each tick to the system at once: a kill loses no whole tick."""

    def __init__(self, file: TextIO) -> None:
        self.rows = 0
        self._file = file
        self._lines = csv.writer(file, lineterminator="\n")
        file.write(f"{MARK}{VERSION}\n")
        self._lines.writerow((*KEYS, *NUMBERS))
        file.flush()

    def write(self, tick: Trace) -> None:
        """Append a tick."""
        columns = [list(map(_text, tick.numbers[name].tolist())) for name in NUMBERS]
        self._lines.writerows(
            zip(map(_text, tick.time.tolist()), tick.uuids, tick.names, *columns, strict=True)
        )
        self._file.flush()
        self.rows += len(tick)

    def close(self) -> None:
        """End the file, and have it on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def _text(value: float) -> str:
    """Return a number as text that reads back as the same; nothing for unknown."""
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() else repr(value)


def read_csv(path: Path, text: str) -> Trace:
    """Return the trace in a text; raises UsageError that names line and column."""
    whole, _, cut = text.rpartition("\n")
    lines = whole.split("\n") if whole else []
    if not text.strip():
        raise UsageError(f"{path} is empty", hint=HINT)
    if not text.startswith(MARK):
        raise UsageError(f"{path} is no trace: it does not begin with {MARK.strip()!r}", hint=HINT)
    version = lines[0].removeprefix(MARK).strip() if lines else ""
    if version != str(VERSION):
        raise UsageError(
            f"{path}, line 1: version {version!r} of traces is not known", hint=f"this reads {VERSION}"
        )
    header = _header(path, lines[1:2])
    rows = list(_rows(path, header, lines[2:]))
    warning = f"{path} was cut in line {len(lines) + 1}: what it has before that is used" if cut else ""
    columns = dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else {}
    numbers = {
        name: _numbers(path, name, columns.get(name, ()))
        for name in header
        if name in NUMBERS or name == KEYS[0]
    }
    time = numbers.pop(KEYS[0])
    return Trace(time, tuple(columns.get("uuid", ())), tuple(columns.get("name", ())), numbers, warning)


def _header(path: Path, lines: Sequence[str]) -> list[str]:
    """Return the names of the columns; UsageError where one is missing, or there twice."""
    try:
        header = next(csv.reader(lines, strict=True), [])
    except csv.Error as error:
        raise UsageError(f"{path}, line 2: {error}", hint=HINT) from error
    for name in (*KEYS, "maximum_bytes", "actual_bytes"):
        if name not in header:
            raise UsageError(f"{path}, line 2: there is no column {name!r}", hint=HINT)
    for name in header:
        if header.count(name) > 1:
            raise UsageError(f"{path}, line 2: column {name!r} is there twice", hint="leave one of them")
    return header


def _rows(path: Path, header: Sequence[str], lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield each line's fields; UsageError for one that has not as many as the header."""
    reader = csv.reader(lines, strict=True)
    try:
        for row in reader:
            if len(row) != len(header):
                raise UsageError(
                    f"{path}, line {reader.line_num + 2}: {len(row)} fields instead of {len(header)}",
                    hint="remove the line, or what follows from there on",
                )
            yield row
    except csv.Error as error:
        raise UsageError(
            f"{path}, line {reader.line_num + 2}: {error}", hint="remove the line, or what follows"
        ) from error


def _numbers(path: Path, name: str, texts: Sequence[str]) -> Floats:
    """Return a column; UsageError names the first line that holds no number."""
    values = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if text:
            try:
                values[row] = float(text)
            except ValueError:
                values[row] = math.inf
            if math.isinf(values[row]):
                raise UsageError(
                    f"{path}, line {row + 3}, column {name!r}: {text!r} is not a number",
                    hint="unknown is an empty field",
                )
    return values


def _check_finite(path: Path, word: str, first_line: int, columns: Mapping[str, Floats]) -> None:
    for name, column in columns.items():
        endless = np.flatnonzero(np.isinf(column))
        if endless.size:
            raise UsageError(
                f"{path}, {word} {endless[0] + first_line}, column {name!r}: not a number",
                hint="unknown is an empty field",
            )


def checked(path: Path, trace: Trace, first_line: int = 1) -> Trace:
    """Return a trace that makes sense; UsageError names the line where it does not (Parquet: the row)."""
    word = "line" if first_line > 1 else "row"
    if not len(trace):
        raise UsageError(f"{path} has no rows", hint="record for longer: " + HINT)
    _check_finite(path, word, first_line, {KEYS[0]: trace.time, **trace.numbers})
    unknown = np.flatnonzero(np.isnan(trace.time))
    if unknown.size:
        raise UsageError(f"{path}, {word} {unknown[0] + first_line}, column 'time': empty", hint=HINT)
    back = np.flatnonzero(np.diff(trace.time) < 0)
    if back.size:
        raise UsageError(
            f"{path}, {word} {back[0] + 1 + first_line}, column 'time': it goes backward by "
            f"{trace.time[back[0]] - trace.time[back[0] + 1]:.3g} s",
            hint="the clock was set back, or two recordings were joined: keep one part",
        )
    for name in ("maximum_bytes", "actual_bytes", "usable_bytes", "unused_bytes"):
        below = np.flatnonzero(trace.numbers.get(name, np.zeros(0)) < 0)
        if below.size:
            raise UsageError(
                f"{path}, {word} {below[0] + first_line}, column {name!r}: below 0",
                hint="unknown is an empty field",
            )
    for tick in trace.ticks():
        seen: set[str] = set()
        for row, uuid in enumerate(trace.uuids[tick], tick.start):
            if uuid in seen:
                raise UsageError(
                    f"{path}, {word} {row + first_line}: guest {trace.names[row]!r} twice at one time",
                    hint="two recordings were joined: keep one",
                )
            seen.add(uuid)
    return trace
