"""What pydantic found wrong, in our words: what it is, and what to do."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic_core import ErrorDetails

from ballonet.config.model import TABLES, Settings
from ballonet.config.text import key_text

_TABLES: Final = {name.partition(".")[0]: table for name, table in TABLES.items()}


def explained(error: ErrorDetails) -> tuple[str, str]:
    """Return what is wrong and what to do about it."""
    return _WORDS[error["type"]](error)


def _ours(error: ErrorDetails) -> tuple[str, str]:
    context: dict[str, Any] = error["ctx"]
    return context["message"], context["hint"]


def _no_table(error: ErrorDetails) -> tuple[str, str]:
    way = tuple(part for part in error["loc"] if isinstance(part, str))
    if way[0] == "guest":
        return "it is not a table", 'limits of guests stand under [guest.default], or under [guest."NAME"]'
    return "it is not a table", f"write [{key_text(way)}], and its keys below"


def _unknown(error: ErrorDetails) -> tuple[str, str]:
    """Return what was meant, if that can be told: a key of this table, or the same key of another one."""
    *above, key = (str(part) for part in error["loc"])
    model = _TABLES[above[0]] if above else Settings
    near = get_close_matches(key, model.model_fields, n=2)
    if near:
        return "there is no such key", f"did you mean: {' or '.join(near)}?"
    elsewhere = [name for name, other in TABLES.items() if key in other.model_fields]
    if elsewhere:
        return "there is no such key here", f"it belongs under [{elsewhere[0]}]"
    what = "keys here" if above else "tables"
    return "there is no such key", f"{what}: {', '.join(model.model_fields)}"


def _choice(error: ErrorDetails) -> tuple[str, str]:
    context: dict[str, Any] = error["ctx"]
    choices = context["expected"].replace("'", '"')
    return f"{error['input']!r} is not one of its values", f"write {choices}"


_WORDS: Final[Mapping[str, Callable[[ErrorDetails], tuple[str, str]]]] = {
    "setting": _ours,
    "extra_forbidden": _unknown,
    "literal_error": _choice,
    "model_type": _no_table,
    "dict_type": _no_table,
    "bool_type": lambda error: (
        f"{error['input']!r} is neither true nor false",
        "write true or false, without quotes",
    ),
    "string_type": lambda _: ("it is not text", "write it in quotes"),
    **dict.fromkeys(
        ("int_type", "greater_than_equal", "less_than_equal"),
        lambda error: (
            f"{error['input']!r} is not a whole number from 1 to 10000",
            "write a number such as 100",
        ),
    ),
}
