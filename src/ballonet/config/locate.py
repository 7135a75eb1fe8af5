"""Where each key of a TOML document stands: `tomllib` reads values, and does not tell.

Only documents that `tomllib` accepts are scanned, so what is no key can be skipped over without judging it.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import TypeAlias

Key: TypeAlias = tuple[str | int, ...]
"""The way to a value: names of tables and keys, and numbers in arrays."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
_TEXT = re.compile(
    r'''"""(?:\\.|[^\\])*?"""(?!")|\'{3}.*?\'{3}(?!\')|"(?:\\.|[^"\\])*"|'[^']*\'''', re.DOTALL
)
_PLAIN = re.compile(r"[^,\]}#\n]*")  # numbers, dates, true and false


def lines(text: str) -> dict[Key, int]:
    """Return the line, from 1 on, of each key, table and array element; of a table its first."""
    return _Scanner(text).document()


def line_of(found: Mapping[Key, int], key: Key) -> int | None:
    """Return the line of a key, or of what it would stand in."""
    while key and key not in found:
        key = key[:-1]
    return found.get(key)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0
        self._lines: dict[Key, int] = {}
        self._elements: dict[Key, int] = {}  # the last of each array of tables

    def document(self) -> dict[Key, int]:
        table: Key = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._takes("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> Key:
        """Read what follows the [ of a table's header, and return the way to the table."""
        is_array = self._takes("[")
        table: Key = ()
        parts = self._parts()
        for number, part in enumerate(parts, 1):
            table = (*table, part)
            if is_array and number == len(parts):
                self._elements[table] = self._elements.get(table, -1) + 1
            self._note(table)
            if table in self._elements:
                table = (*table, self._elements[table])
        self._note(table)
        self._takes("]")
        if is_array:
            self._takes("]")
        return table

    def _pair(self, table: Key) -> None:
        key = table
        for part in self._parts():
            key = (*key, part)
            self._note(key)
        self._takes("=")
        self._skip(_SPACE)
        self._value(key)

    def _parts(self) -> list[str]:
        """Read a dotted key."""
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            part = self._skip(_PART)
            # An escape in a quoted part is read by who knows all of them.
            parts.append(tomllib.loads(f"part = {part}")["part"] if part[0] in "\"'" else part)
            self._skip(_SPACE)
            if not self._takes("."):
                return parts

    def _value(self, key: Key) -> None:
        if self._takes("{"):
            self._inline_table(key)
        elif self._takes("["):
            self._array(key)
        elif not self._skip(_TEXT):
            self._skip(_PLAIN)

    def _inline_table(self, key: Key) -> None:
        self._skip(_BLANK)
        while not self._takes("}"):
            self._pair(key)
            self._skip(_BLANK)
            self._takes(",")
            self._skip(_BLANK)

    def _array(self, key: Key) -> None:
        self._skip(_BLANK)
        number = 0
        while not self._takes("]"):
            element = (*key, number)
            self._note(element)
            self._value(element)
            self._skip(_BLANK)
            self._takes(",")
            self._skip(_BLANK)
            number += 1

    def _takes(self, character: str) -> bool:
        """Step over this character, if it is the next."""
        is_next = self._text.startswith(character, self._at)
        self._at += is_next
        return is_next

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """Step over what is like this, and return it; nothing where nothing is."""
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found[0] if found else ""

    def _note(self, key: Key) -> None:
        """Remember where a key was seen first."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self._lines.setdefault(key, self._line)
