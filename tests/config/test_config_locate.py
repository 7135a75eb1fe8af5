"""Every key of a document is found in its line, however it is written."""

import tomllib
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from ballonet.config.locate import Key, line_of, lines

Tree: TypeAlias = Any

SOURCES = (
    "1",
    "-0.5e3",
    "true",
    "inf",
    "1979-05-27 07:32:00",
    '"plain"',
    '"# ] } , = \\" \\\\"',
    "'[fake] \"# '",
    '"""\n[fake]\nkey = "1" # no\n"""',
    '"""say ""two"" quotes"""""',
    '""""one"""',
    "'''\n[[fake]]\\'''",
    "''''quoted''''",
    '""""""',
    '""',
    "''",
)
NAMES = st.sampled_from(["a", "b-1", "1", "floor", 'web "x"', "dot.ted", "sp ace", "", "é", "[x]", "a#b"])
SCALARS = st.sampled_from(SOURCES)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        SCALARS,
        lambda node: st.lists(node, max_size=3) | st.dictionaries(NAMES, node, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


class Writer:
    """Writes a tree in any way that TOML knows, and notes where each key is written first."""

    def __init__(self, data: DataObject) -> None:
        self.text = ""
        self.lines: dict[Key, int] = {}
        self._data = data

    def table(self, tree: Tree, way: Key) -> None:
        later: list[tuple[str, Tree]] = []
        for name, node in tree.items():
            is_tables = isinstance(node, list) and node and all(isinstance(each, dict) for each in node)
            if (isinstance(node, dict) or is_tables) and self._draws():
                later.append((name, node))
            else:
                self._pair(name, node, way)
                self._write(self._data.draw(st.sampled_from(["\n", " # a = 1\n", "\n\n  # [b]\n\t", "\r\n"])))
        for name, node in later:
            for number, element in enumerate(node if isinstance(node, list) else [node]):
                self._header(way, name, number if isinstance(node, list) else None)
                here: Key = (*way, name) if isinstance(node, dict) else (*way, name, number)
                self.table(element, here)

    def _header(self, way: Key, name: str, number: int | None) -> None:
        opening, closing = ("[", "]") if number is None else ("[[", "]]")
        parts = [part for part in (*way, name) if isinstance(part, str)]
        self._write(opening + ".".join(map(self._key, parts)))
        self._note((*way, name))
        if number is not None:
            self._note((*way, name, number))
        self._write(closing + "\n")

    def _pair(self, name: str, node: Tree, way: Key) -> None:
        self._write(self._key(name))
        self._note((*way, name))
        if isinstance(node, dict) and len(node) == 1 and self._draws():
            self._write(" . ")
            [(inner, value)] = node.items()
            self._pair(inner, value, (*way, name))
            return
        self._write(" = ")
        self._value(node, (*way, name))

    def _value(self, node: Tree, way: Key) -> None:
        if isinstance(node, dict):
            self._write("{ ")
            for number, (name, value) in enumerate(node.items()):
                self._write(", " if number else "")
                self._pair(name, value, way)
            self._write("}")
        elif isinstance(node, list):
            self._write(self._data.draw(st.sampled_from(["[", "[\n  # ]\n"])))
            for number, value in enumerate(node):
                self._write(",\n" if number else "")
                self._note((*way, number))
                self._value(value, (*way, number))
            self._write(self._data.draw(st.sampled_from(["]", " ]", "\n]"] + [",\n]"] * bool(node))))
        else:
            self._write(node)

    def _key(self, name: str) -> str:
        literal = [f"'{name}'"] if "'" not in name else []
        basic = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        bare = [name] if name.isascii() and name.replace("-", "").isalnum() else []
        return self._data.draw(st.sampled_from([basic, *literal, *bare]))

    def _draws(self) -> bool:
        return self._data.draw(st.booleans())

    def _write(self, text: str) -> None:
        self.text += text

    def _note(self, key: Key) -> None:
        self.lines.setdefault(key, self.text.count("\n") + 1)


def keys(value: Tree, way: Key = ()) -> set[Key]:
    """Return the way to everything in what tomllib read."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {way} - {()} | {found for name, each in inside for found in keys(each, (*way, name))}


@given(TREES, st.data())
def test_every_key_that_tomllib_reads_is_found_in_its_line(tree: Tree, data: DataObject) -> None:
    writer = Writer(data)
    writer.table(tree, ())

    found = lines(writer.text)

    assert keys(tomllib.loads(writer.text)) == set(found)
    assert writer.lines == found


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("host", "budget"), 2),
        (("host", "reserve"), 1),
        (("host",), 1),
        (("guest", "web-*", "floor"), 4),
        (("a", 1, "x"), 8),
        (("a", 1), 7),
        (("nowhere",), None),
        ((), None),
    ],
)
def test_what_is_not_there_stands_where_it_would(key: Key, line: int | None) -> None:
    text = '[host]\nbudget = 1\n[guest."web-*"]\nfloor = 1\n[[a]]\nx = 1\n[[a]]\nx = 1\n[a.b]\n'

    assert line == line_of(lines(text), key)


def test_a_table_of_an_element_belongs_to_the_last_one() -> None:
    found = lines("[[a]]\n[a.b]\n[[a]]\n[a.b]\nx = 1\n")

    assert {
        ("a",): 1,
        ("a", 0): 1,
        ("a", 0, "b"): 2,
        ("a", 1): 3,
        ("a", 1, "b"): 4,
        ("a", 1, "b", "x"): 5,
    } == found
