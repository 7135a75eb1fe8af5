"""Settings as tables and as JSON: each value, and where it was said."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ballonet.config.guest import Chosen, ForGuest
from ballonet.config.load import Loaded
from ballonet.config.model import DEFAULT, TABLES
from ballonet.config.read import Origin
from ballonet.config.text import key_text, value_text
from ballonet.config.values import Seconds, Share, Size
from ballonet.errors import Issue
from ballonet.show.document import document
from ballonet.show.table import table


@dataclass(frozen=True, slots=True)
class Row:
    """A setting in force."""

    key: str  # dotted
    value: object
    origin: Origin


def all_rows(loaded: Loaded) -> list[Row]:
    """Return all settings: those that have a default, and then what is said of other guests."""
    usual = [(*way.split("."), key) for way, model in TABLES.items() for key in model.model_fields]
    return [_row(loaded, key) for key in dict.fromkeys([*usual, *loaded.said])]


def _row(loaded: Loaded, key: tuple[str, ...]) -> Row:
    *way, name = key
    default = TABLES[".".join(way) if way[0] != "guest" else f"guest.{DEFAULT}"].model_fields[name].default
    value = loaded.said[key].value if key in loaded.said else default
    return Row(key_text(key), value, loaded.origin(*key))


def guest_rows(guest: ForGuest) -> list[Row]:
    """Return one guest's settings, by the table that each is from."""
    chosen: dict[str, Chosen[object]] = {field.name: getattr(guest, field.name) for field in fields(guest)}
    return [
        Row(key_text(("guest", each.table or DEFAULT, key)), each.value, each.origin)
        for key, each in chosen.items()
    ]


def settings_table(rows: Iterable[Row], *, origin: bool) -> str:
    """Return one row a setting."""
    titles = ("KEY", "VALUE", "ORIGIN")
    cells = [[row.key, value_text(row.value), str(row.origin)] for row in rows]
    return table(titles, cells) if origin else table(titles[:2], [row[:2] for row in cells])


def settings_document(rows: Iterable[Row], files: Sequence[Path], guest: str | None) -> str:
    """Return settings as JSON: values as files say them, sizes and durations as numbers beside that."""
    return document(
        guest=guest,
        files=[str(path) for path in files],
        settings=[
            {
                "key": row.key,
                **_values(row.value),
                "origin": None if row.origin == Origin() else asdict(row.origin),
            }
            for row in rows
        ],
    )


def _values(value: object) -> dict[str, object]:
    if isinstance(value, Size):
        return {"value": str(value), "value_bytes": int(value)}
    if isinstance(value, Seconds):
        return {"value": str(value), "value_seconds": float(value)}
    if isinstance(value, Share):
        return {"value": str(value), "value_ratio": float(value)}
    if isinstance(value, tuple):  # a list only where it has several
        return {"value": value[0] if len(value) == 1 else value}
    return {"value": value}


def checked_text(files: Sequence[Path]) -> str:
    """Return that nothing is wrong with these files."""
    if not files:
        return "There is no settings file: all defaults apply. To begin one: ballonet config sample"
    return "\n".join([*map(str, files), "Nothing is wrong."])


def checked_document(files: Sequence[Path], issues: Sequence[Issue]) -> str:
    """Return as JSON what is wrong with these files."""
    return document(files=[str(path) for path in files], issues=[asdict(issue) for issue in issues])
