"""Plain text tables: aligned columns, `–` for unknown, nothing that a guest's name could do to a terminal."""

import textwrap
from collections.abc import Collection, Sequence

UNKNOWN = "\N{EN DASH}"
_GAP = "  "


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = ()) -> str:
    """Return rows of text under their header, columns aligned, those named in `right` to the right."""
    lines = [list(header), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = (
        _GAP.join(
            cell.rjust(width) if title in right else cell.ljust(width)
            for cell, width, title in zip(line, widths, header, strict=True)
        )
        for line in lines
    )
    return "\n".join(line.rstrip() for line in aligned)


def records(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return each row as a block of `title  value` lines: for what is too wide for a terminal."""
    return "\n\n".join(pairs(list(zip(header, row, strict=True))) for row in rows)


def pairs(rows: Sequence[tuple[str, str]], columns: int | None = None) -> str:
    """Return `title  value` lines, the values aligned, and wrapped to so many columns."""
    indent = max((len(title) for title, _ in rows), default=0) + len(_GAP)
    return "\n".join(
        _wrapped(title.ljust(indent), printable(value), indent, columns).rstrip() for title, value in rows
    )


def paragraph(text: str, columns: int | None = None) -> str:
    """Return a sentence wrapped to so many columns."""
    return _wrapped("", text, 0, columns)


def _wrapped(title: str, text: str, indent: int, columns: int | None) -> str:
    if columns is None or len(title) + len(text) <= columns:
        return title + text
    return textwrap.fill(
        text,
        max(columns, indent + 20),  # a narrower terminal may wrap by itself
        initial_indent=title,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def fits(text: str, columns: int) -> bool:
    """Return whether no line is longer than a terminal of so many columns."""
    return all(len(line) <= columns for line in text.splitlines())


def printable(text: str) -> str:
    """Return the text without what could move a terminal's cursor or hide other text."""
    if text.isprintable():  # as nearly all is
        return text
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
