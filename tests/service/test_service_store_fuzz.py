"""The journal with damage anywhere in its file: what is sound in it is known, and a service begins."""

import json
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from fuzzing import CUTS, damaged, damages, fuzzed, numbers, well_said
from hypothesis import given
from hypothesis import strategies as st
from stored import act, happening, planned

from ballonet.engine.remember import Remembered
from ballonet.engine.requests import Requests
from ballonet.errors import JournalError
from ballonet.facts.request import Hold, Lease
from ballonet.service.store import FILE, Store
from ballonet.simulator.virtual import VirtualClock

UUID = "uuid-web"


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("journal")
    with closing(Store(directory)) as kept:
        kept.before([act(number) for number in range(20)])
        kept.keep(Hold("hold-1", UUID, "web", 1.0, None, "root", "why", 2**29))
        kept.keep(Lease("lease-2", 2**30, 1.0, 2.0, "root", "db"))
        kept.remember({UUID: {"growth": 1.5, "hold_until": 1e9}}, 1.0)
        for number in range(5):
            kept.tell(planned(float(number)))
            kept.tell(happening(float(number)))
    return directory / FILE


@fuzzed
@given(damages, CUTS)
def test_any_damaged_journal_is_begun_with_or_refused_with_a_remedy(
    tmp_path_factory: pytest.TempPathFactory, journal: Path, places: list[tuple[float, bytes]], cut: float
) -> None:
    directory = tmp_path_factory.mktemp("damaged")
    (directory / FILE).write_bytes(damaged(journal.read_bytes(), places, cut))

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
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | numbers,
    lambda each: st.lists(each, max_size=2),
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
    tmp_path_factory: pytest.TempPathFactory, journal: Path, sql: str, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("nonsense")
    (directory / FILE).write_bytes(journal.read_bytes())
    value = data.draw(VALUES[sql])
    with closing(Store(directory)) as kept, suppress(JournalError), kept._database.writing():
        kept._database.write(sql, (value,))

    with closing(Store(directory)) as kept:
        begin_with(kept)
        if "holds" not in sql:
            assert [UUID] == [hold.uuid for hold in kept.holds()]
        if "learned" not in sql:
            assert {UUID} == set(kept.learned())
