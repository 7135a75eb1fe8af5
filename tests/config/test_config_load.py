"""Many files as one: the last word counts, key by key, and a mistake anywhere stops all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballonet.config.load import Loaded, composed, load, load_files, overlaid
from ballonet.config.model import TABLES, Settings, Table
from ballonet.config.places import Places
from ballonet.config.read import Layer, Origin, checked, layer
from ballonet.config.text import key_text, value_text
from ballonet.config.values import Seconds, Share, Size
from ballonet.errors import Issue, SettingsError

VALUES: dict[tuple[str, ...], list[Any]] = {
    ("host", "budget"): ["50%", "90%", "8GiB", "auto"],
    ("host", "reserve"): ["1MiB", "2MiB"],
    ("service", "mode"): ["observe", "enforce"],
    ("guest", "default", "weight"): [1, 2, 3],
    ("guest", "web-*", "weight"): [1, 2, 3],
    ("guest", "web-*", "manage"): [True, False],
    ("guest", "11111111-1111-4111-8111-111111111111", "floor"): ["10%", "1GiB"],
}
DOCUMENTS = st.fixed_dictionaries({}, optional={key: st.sampled_from(each) for key, each in VALUES.items()})


def text_of(document: dict[tuple[str, ...], Any]) -> str:
    return "".join(f"{key_text(key)} = {value_text(value)}\n" for key, value in document.items())


def loaded(*texts: str) -> Loaded:
    said = overlaid(layer(f"{number}.toml", text) for number, text in enumerate(texts))
    return Loaded(composed(said), said)


@given(st.lists(DOCUMENTS, max_size=4))
def test_of_each_key_the_last_file_that_says_it_counts(documents: list[dict[tuple[str, ...], Any]]) -> None:
    found = loaded(*map(text_of, documents))

    wanted: dict[tuple[str, ...], tuple[Any, Origin]] = {}
    for number, document in enumerate(documents):
        for line, (key, value) in enumerate(document.items(), 1):
            wanted[key] = value, Origin(f"{number}.toml", line)
    assert {key: origin for key, (_, origin) in wanted.items()} == {
        key: said.origin for key, said in found.said.items()
    }
    assert _validated({key: value for key, (value, _) in wanted.items()}) == found.settings


@given(st.tuples(DOCUMENTS, DOCUMENTS, DOCUMENTS))
def test_it_does_not_matter_what_is_laid_over_what_first(
    documents: Sequence[dict[tuple[str, ...], Any]],
) -> None:
    one, two, three = (layer("x.toml", text_of(document)) for document in documents)

    assert overlaid([overlaid([one, two]), three]) == overlaid([one, overlaid([two, three])])
    assert one == overlaid([one, one])
    assert list(overlaid([one, two, three])) == list(overlaid([overlaid([one, two]), three]))


def _validated(said: dict[tuple[str, ...], Any]) -> Settings:
    raw: dict[str, Any] = {}
    for (*way, key), value in said.items():
        table = raw
        for part in way:
            table = table.setdefault(part, {})
        table[key] = value
    return Settings.model_validate(raw)


def test_what_nobody_says_is_the_default() -> None:
    found = loaded()

    assert Settings() == found.settings
    assert Origin("default") == found.origin("host", "budget")
    assert "default" == str(found.origin("host", "budget"))


@pytest.mark.parametrize("table", TABLES.values())
def test_defaults_are_what_a_file_could_say(table: type[Table]) -> None:
    written = {key: field.default for key, field in table.model_fields.items()}
    as_text = {
        key: str(value) if isinstance(value, Size | Share | Seconds) else value
        for key, value in written.items()
    }

    assert table() == table.model_validate(as_text)


def made(root: Path, **files: str) -> Places:
    (root / "conf.d").mkdir()
    for name, text in files.items():
        (root / (f"{name}.toml" if name == "main" else f"conf.d/{name}.toml")).write_text(text)
    return Places.beside(root / "main.toml")


def test_options_override_all_files(tmp_path: Path) -> None:
    places = made(tmp_path, main='host.budget = "1GiB"\n', a='host.budget = "2GiB"\nhost.reserve = "1MiB"\n')
    option: Layer = checked({"host": {"budget": "3GiB"}}, "--budget", {})

    found = load(places, [option])

    assert "3GiB" == str(found.settings.host.budget)
    assert "--budget" == str(found.origin("host", "budget"))
    assert f"{tmp_path}/conf.d/a.toml:2" == str(found.origin("host", "reserve"))
    assert (tmp_path / "main.toml", tmp_path / "conf.d/a.toml") == found.files


def test_an_option_may_try_a_budget_below_the_reserve_of_the_files(tmp_path: Path) -> None:
    places = made(tmp_path, main='host.budget = "16GiB"\nhost.reserve = "8GiB"\n')

    found = load(places, [checked({"host": {"budget": "4GiB"}}, "--budget", {})])

    assert "4GiB" == str(found.settings.host.budget)


def test_all_that_is_wrong_in_all_files_is_said_together_and_nothing_is_loaded(tmp_path: Path) -> None:
    places = made(
        tmp_path,
        main='[host]\nbudget = "1GiB"\nx = 1\n',
        a="[guest",
        b='[host]\nreserve = "4GiB"\n[guest.a]\nfloor = "2GiB"\nceiling = "1GiB"\n',
    )

    with pytest.raises(SettingsError) as refused:
        load(places)

    found = [(Path(issue.file).name, issue.line) for issue in refused.value.issues]
    assert [("main.toml", 3), ("a.toml", 1), ("b.toml", 4)] == found
    assert 2 == refused.value.exit_code
    assert all(issue.text in str(refused.value) for issue in refused.value.issues)


def test_an_issue_says_as_much_of_its_place_as_is_known() -> None:
    assert "what" == Issue("what", "").text
    assert "a.toml:1:2: what" == Issue("what", "", "a.toml", 1, 2).text
    assert (
        "--floor: guest.default.floor: what" == Issue("what", "", "--floor", key="guest.default.floor").text
    )


def test_files_that_are_given_are_read_in_their_order(tmp_path: Path) -> None:
    for name, size in (("b", 1), ("a", 2)):
        (tmp_path / name).write_text(f'host.reserve = "{size}MiB"\n')

    assert "2MiB" == str(load_files([tmp_path / "b", tmp_path / "a"]).settings.host.reserve)
