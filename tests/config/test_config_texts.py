"""The sample, the schema and the reference are written from the models, and agree with them."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballonet.config.load import load_files
from ballonet.config.model import TABLES, Settings, Table, about
from ballonet.config.reference import reference
from ballonet.config.sample import sample
from ballonet.config.schema import schema
from ballonet.config.text import key_text, value_text

UNCOMMENTED = re.sub(r"^#(?! )", "", sample(), flags=re.MULTILINE)


def test_the_sample_can_be_used_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ballonet.toml"
    path.write_text(sample())

    assert Settings() == load_files([path]).settings


def test_the_sample_can_be_used_with_all_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "ballonet.toml"
    path.write_text(UNCOMMENTED)

    loaded = load_files([path])

    assert (Settings().host, Settings().service) == (loaded.settings.host, loaded.settings.service)
    assert {"default", "web-*", "build-7"} == set(loaded.settings.guest)


@pytest.mark.parametrize(("way", "table"), TABLES.items())
def test_the_sample_says_every_key(way: str, table: type[Table]) -> None:
    found: Any = tomllib.loads(UNCOMMENTED)
    for part in way.split("."):
        found = found[part]

    assert list(table.model_fields) == list(found)


def test_the_sample_fits_a_terminal() -> None:
    assert max(map(len, sample().splitlines())) <= 100


@pytest.mark.parametrize("table", TABLES.values())
def test_every_setting_says_what_it_is_its_unit_and_why_it_is_what_it_is(table: type[Table]) -> None:
    for field in table.model_fields.values():
        assert field.description is not None
        assert field.description.endswith(".")
        assert all(about(field))
        assert not about(field)[1].endswith(".")


def test_what_the_reference_shows_is_valid(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", reference(), flags=re.DOTALL)
    path = tmp_path / "x.toml"
    path.write_text(example)

    assert "build-7" in load_files([path]).settings.guest


def test_the_schema_has_every_setting_with_its_default_as_a_file_says_it() -> None:
    found: Any = json.loads(json.dumps(schema()))

    assert set(Settings.model_fields) == set(found["properties"])
    assert {
        "type": "string",
        "default": "25%",
        "x-unit": "a size, or a share of the guest's maximum",
    }.items() <= found["$defs"]["GuestSettings"]["properties"]["floor"].items()
    assert found["$defs"]["HostSettings"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("table", "key", "good", "bad"),
    [
        ("HostSettings", "budget", ["90%", "1.5 GiB", "auto", ".5G"], ["90", "", "automatic", "5 %%"]),
        ("HostSettings", "reserve", ["1GiB", "0b"], ["1", "10%"]),
        ("ServiceSettings", "interval", ["2s", "1h 30m", "500ms"], ["2", "s"]),
        ("GuestSettings", "floor", ["25%", "256M"], ["256", "auto"]),
    ],
)
def test_the_schemas_patterns_take_what_is_taken(
    table: str, key: str, good: list[str], bad: list[str]
) -> None:
    found: Any = schema()
    pattern = found["$defs"][table]["properties"][key]["pattern"]

    assert all(re.search(pattern, text) for text in good)
    assert not any(re.search(pattern, text) for text in bad)


@given(
    st.lists(st.text().filter(str.isprintable), min_size=1, max_size=3),
    st.text() | st.integers() | st.booleans(),
)
def test_keys_and_values_read_as_what_they_were(key: list[str], value: object) -> None:
    if isinstance(value, str):
        value = value.replace("\x7f", "")  # TOML has to have it escaped, and no setting may hold it
    found: Any = tomllib.loads(f"{key_text(key)} = {value_text(value)}")
    for part in key:
        found = found[part]

    assert value == found
