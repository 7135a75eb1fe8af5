"""Keys and values as TOML writes them."""

import json
import re
from collections.abc import Iterable

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def key_text(key: Iterable[str | int]) -> str:
    """Return a dotted key, its parts in quotes where they need them."""
    return ".".join(part if _BARE.fullmatch(part) else value_text(part) for part in map(str, key))


def value_text(value: object) -> str:
    """Return a value: a switch, a number, text, or several texts."""
    if isinstance(value, tuple):
        return value_text(*value) if len(value) == 1 else f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if type(value) is int else json.dumps(str(value), ensure_ascii=False)
