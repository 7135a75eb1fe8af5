"""The history with damage anywhere in its file: what is sound in it is read."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzzing import CUTS, damaged, damages, fuzzed, well_said
from hypothesis import given
from hypothesis import strategies as st

from ballonet.errors import JournalError
from ballonet.service.block import Block
from ballonet.service.history_file import FILE, MINUTES, TICKS, Bounds, HistoryFile
from ballonet.service.samples import GUEST, HOST, Series, Table

UUID = "uuid-web"
BEGUN = 1_700_000_040.0


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("history")
    with closing(HistoryFile(directory, Bounds())) as kept:
        for minute in range(5):
            block = Block.at(BEGUN + 60.0 * minute, 5.0)
            for second in range(0, 20, 2):
                cells = np.full((len(GUEST), 1), float(second), np.float32)
                host = np.full(len(HOST), 1.0, np.float32)
                block.add(BEGUN + 60.0 * minute + second, (UUID,), ["web"], host, cells)
            kept.write([block])
    return directory / FILE


@fuzzed
@given(damages, CUTS)
def test_any_damaged_history_is_read_as_far_as_it_goes(
    tmp_path_factory: pytest.TempPathFactory, history: Path, places: list[tuple[float, bytes]], cut: float
) -> None:
    directory = tmp_path_factory.mktemp("damaged")
    (directory / FILE).write_bytes(damaged(history.read_bytes(), places, cut))

    try:
        with closing(HistoryFile(directory, Bounds())) as kept:
            read_all(kept)
    except JournalError as error:
        well_said(error)


def read_all(kept: HistoryFile) -> None:
    """Ask for all that the API asks for."""
    for step in (TICKS, MINUTES):
        span = (BEGUN - 3600.0, BEGUN + 3600.0)
        kept.first(step)
        found: list[Series | Table] = [kept.host(step, *span, 5.0), kept.guests(step, *span)]
        found += [kept.guest(step, uuid, *span, 5.0) for uuid in (UUID, *kept.names())]
        assert all(len(each.at) == len(each.cells) for each in found)
    kept.prune(BEGUN + 1e6)


BLOBS = st.binary(max_size=200) | st.text(max_size=5) | st.integers(0, 2**40)


@fuzzed
@given(st.sampled_from(["cells", "fields"]), st.sampled_from(["guest_samples", "host_samples"]), BLOBS)
def test_any_nonsense_in_a_sound_history_costs_its_row(
    tmp_path_factory: pytest.TempPathFactory, history: Path, column: str, table: str, value: Any
) -> None:
    directory = tmp_path_factory.mktemp("nonsense")
    (directory / FILE).write_bytes(history.read_bytes())
    with closing(HistoryFile(directory, Bounds())) as kept:
        with kept._database.writing():
            kept._database.write(f"UPDATE {table} SET {column} = ? WHERE at = ?", (value, int(BEGUN)))
        late = kept.host(TICKS, BEGUN + 90.0, BEGUN + 3600.0, 5.0)
        read_all(kept)
        assert 30 <= len(late.at)
