"""Which settings a guest gets: the most exact table that has the key, key by key."""

import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballonet.config.guest import ForGuest, for_guest
from ballonet.config.load import Loaded, composed, overlaid
from ballonet.config.model import GuestSettings
from ballonet.config.read import Origin, layer

UUID = "11111111-aaaa-4111-8111-11111111111f"
OTHER = "22222222-2222-4222-8222-222222222222"


def loaded(*texts: str) -> Loaded:
    said = overlaid(layer(f"{number}.toml", text) for number, text in enumerate(texts))
    return Loaded(composed(said), said)


def weights(*tables: str) -> Loaded:
    """Return settings in which each table's weight is its number, from 1 on."""
    return loaded(
        "".join(f"[guest.'{table}']\nweight = {number}\n" for number, table in enumerate(tables, 1))
    )


@pytest.mark.parametrize(
    ("tables", "table"),
    [
        (["default", "*", "web-*", "web-1", UUID], UUID),
        ([UUID.upper(), "web-1"], UUID.upper()),
        ([OTHER, "web-1", "web-*"], "web-1"),
        (["web-[0-9]", "web-*", "w*"], "web-*"),  # of two alike the last
        (["web-*", "web-[0-9]", "w*"], "web-[0-9]"),
        (["*b-1", "we*", "default"], "*b-1"),
        (["web-?", "web-*", "default"], "web-*"),
        (["*", "default"], "*"),
        (["default", "db-*"], "default"),
        (["WEB-1", "Web-*", "web"], ""),
        ([], ""),
    ],
)
def test_the_most_exact_table_wins(tables: list[str], table: str) -> None:
    chosen = for_guest(weights(*tables), "web-1", UUID).weight

    assert table == chosen.table
    assert chosen.value == (tables.index(table) + 1 if table else 100)


def test_each_key_is_from_the_most_exact_table_that_has_it() -> None:
    found = for_guest(
        loaded(
            '[guest.default]\nfloor = "10%"\nceiling = "90%"\n[guest.web-1]\nweight = 7\n',
            '[guest."web-*"]\nweight = 8\nfloor = "1GiB"\n',
        ),
        "web-1",
        UUID,
    )

    assert ["1GiB", "90%", "7", "True", "False", "100%"] == [
        str(getattr(found, field.name).value) for field in fields(found)
    ]
    assert ["1.toml:3", "0.toml:3", "0.toml:5", "default", "default", "default"] == [
        str(getattr(found, field.name).origin) for field in fields(found)
    ]
    assert ["web-*", "default", "web-1", "", "", ""] == [
        getattr(found, field.name).table for field in fields(found)
    ]


def test_of_two_patterns_alike_that_counts_whose_key_was_said_last() -> None:
    found = loaded(
        '[guest."web-*"]\nweight = 1\n', '[guest."*-web"]\nweight = 2\n', '[guest."web-*"]\nweight = 3\n'
    )

    assert 3 == for_guest(found, "web-web", UUID).weight.value
    assert Origin("2.toml", 2) == for_guest(found, "web-web", UUID).weight.origin


NAMES = st.text("ab-", min_size=1, max_size=4)
PATTERNS = st.text("ab-*?", min_size=1, max_size=4) | st.sampled_from(
    ["default", UUID, OTHER, "[ab]*", "[!a]b"]
)
SAID = st.dictionaries(st.sampled_from(["weight", "manage"]), st.integers(1, 50), max_size=2).map(
    lambda said: {key: value if key == "weight" else value > 25 for key, value in said.items()}
)


@given(NAMES, st.sampled_from([UUID, OTHER]), st.lists(st.tuples(PATTERNS, SAID), max_size=6))
def test_it_is_as_if_tables_were_laid_over_each_other_by_how_exact_they_are(
    name: str, uuid: str, tables: list[tuple[str, dict[str, Any]]]
) -> None:
    """The same by another way: sorted once, the least exact first, and read from there."""
    texts = [
        f"[guest.'{table}']\n" + "".join(f"{key} = {str(value).lower()}\n" for key, value in said.items())
        for table, said in tables
    ]
    found = for_guest(loaded(*texts), name, uuid)

    by_exactness = sorted((each for each in tables if _is_about(each[0], name, uuid)), key=_exactness)
    wanted: dict[str, Any] = dict(GuestSettings())
    for _, said in by_exactness:
        wanted |= said
    assert wanted == {field.name: getattr(found, field.name).value for field in fields(ForGuest)}


def _is_about(table: str, name: str, uuid: str) -> bool:
    like = re.escape(table).replace(r"\*", ".*").replace(r"\?", ".")
    like = {r"\[ab\].*": "[ab].*", r"\[!a\]b": "[^a]b"}.get(like, like)
    if table in {UUID, OTHER}:
        return table == uuid
    return table == "default" or re.fullmatch(like, name) is not None


def _exactness(each: tuple[str, object]) -> tuple[int, int]:
    table, _ = each
    if table == "default":
        return 0, 0
    if table in {UUID, OTHER}:
        return 3, 0
    if not set(table) & set("*?["):
        return 2, 0
    return 1, {"[ab]*": 0, "[!a]b": 1}.get(table, sum(letter not in "*?" for letter in table))
