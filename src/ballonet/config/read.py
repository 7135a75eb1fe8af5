"""One settings file: its text, its values with the line of each, or all that is wrong with it."""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ballonet.config.explain import explained
from ballonet.config.locate import Key, line_of, lines
from ballonet.config.model import Settings, Table
from ballonet.config.places import reason
from ballonet.config.text import key_text
from ballonet.errors import Issue, SettingsError
from ballonet.units import format_size

LARGEST_BYTES: Final = 1 << 20  # a thousand guests with all of their settings take a tenth of that
_FILE_HINT: Final = "settings are a TOML file; see: ballonet config sample"
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was said: in a file, by an option of the command line, or nowhere."""

    file: str = "default"
    line: int | None = None

    def __str__(self) -> str:
        """Return `FILE:LINE`."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Said:
    """A value, and where it was said."""

    value: Any
    origin: Origin


Layer: TypeAlias = dict[tuple[str, ...], Said]
"""What one file says, by key, in its order."""


def read_layer(path: Path) -> Layer:
    """Return what a file says; raises SettingsError with all that is wrong with it."""
    return layer(str(path), read_text(path))


def layer(file: str, text: str) -> Layer:
    """Return what the text of a file says; raises SettingsError with all that is wrong with it."""
    try:
        raw, found = tomllib.loads(text), lines(text)
    except RecursionError as error:
        raise _unusable(file, "values are nested too deep", "settings are tables of plain values") from error
    except ValueError as error:
        raise _malformed(file, text, error) from error
    return checked(raw, file, found)


def checked(raw: Mapping[str, Any], file: str, found: Mapping[Key, int]) -> Layer:
    """Return the values of a document, whose keys stand in these lines of a file.

    Raises SettingsError for all that are none of our settings.
    """
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        issues = [_issue(each, file, found) for each in error.errors(include_url=False)]
        raise SettingsError(sorted(issues, key=lambda issue: issue.line or 0)) from error
    tables: dict[tuple[str, ...], Table] = {("host",): settings.host, ("service",): settings.service}
    tables |= {("guest", name): table for name, table in settings.guest.items()}
    return {
        (*way, key): Said(getattr(table, key), Origin(file, line_of(found, (*way, key))))
        for way, table in tables.items()
        for key in type(table).model_fields
        if key in table.model_fields_set
    }


def read_text(path: Path) -> str:
    """Return the text of a file; raises SettingsError for what is none, without ever waiting for it."""
    try:
        with open(path, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _unusable(str(path), "it is not a plain file", _FILE_HINT)
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise _unusable(str(path), reason(error), _FILE_HINT) from error
    if len(content) > LARGEST_BYTES:
        largest = format_size(LARGEST_BYTES)
        raise _unusable(str(path), f"it is larger than {largest}: these are no settings", _FILE_HINT)
    try:
        return content.decode("utf-8-sig")  # some editors begin a file with a mark
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        issue = Issue("it is not UTF-8", "save it as UTF-8", file=str(path), line=line)
        raise SettingsError([issue]) from error


def _at_once(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to would be waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def _issue(error: ErrorDetails, file: str, found: Mapping[Key, int]) -> Issue:
    key = tuple(part for part in error["loc"] if part != "[key]")
    message, hint = explained(error)
    return Issue(message, hint, file=file, line=line_of(found, key), key=key_text(key))


def _malformed(file: str, text: str, error: ValueError) -> SettingsError:
    """Return what `tomllib` says, its place taken out of its words."""
    message, place = str(error), _PLACE.search(str(error))
    line = column = None
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
    elif place:
        line = text.count("\n") + 1
    said = _PLACE.sub("", message)
    return SettingsError(
        [
            Issue(
                f"this is not TOML: {said[:1].lower()}{said[1:]}",
                'text, sizes and durations stand in quotes: floor = "1 GiB"',
                file=file,
                line=line,
                column=column,
            )
        ]
    )


def _unusable(file: str, message: str, hint: str) -> SettingsError:
    return SettingsError([Issue(message, hint, file=file)])
