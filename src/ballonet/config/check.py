"""What no value shows by itself: settings that contradict each other."""

from collections.abc import Mapping
from typing import TypeAlias

from ballonet.config.model import DEFAULT
from ballonet.config.read import Said
from ballonet.config.text import key_text
from ballonet.config.values import Share, Size
from ballonet.errors import Issue

Key: TypeAlias = tuple[str, ...]


def contradictions(said: Mapping[Key, Said]) -> list[Issue]:
    """Return what is said that cannot all be meant; the defaults contradict nothing."""
    return [*_of_host(said), *_of_guests(said)]


def _of_host(said: Mapping[Key, Said]) -> list[Issue]:
    budget, reserve = ("host", "budget"), ("host", "reserve")
    # Who tries a small budget by an option means it; in files one was more likely taken for the other.
    if not _is_above(said, reserve, budget) or said[budget].origin.line is None:
        return []
    message = "the budget {} is below the reserve {}"
    hint = "the budget is what all guests may hold, the reserve what the host keeps: exchange them"
    return [_issue(said, budget, reserve, message, hint)]


def _of_guests(said: Mapping[Key, Said]) -> list[Issue]:
    issues = []
    for table in dict.fromkeys(key[1] for key in said if key[0] == "guest"):
        floor, ceiling = (_effective(said, table, key) for key in ("floor", "ceiling"))
        # What a table has from the default is said there, once.
        if table in {floor[1], ceiling[1]} and _is_above(said, floor, ceiling):
            hint = f"lower the floor, raise the ceiling, or give {key_text(('guest', table))} both of its own"
            issues.append(_issue(said, floor, ceiling, "the floor {} is above the ceiling {}", hint))
    return issues


def _effective(said: Mapping[Key, Said], table: str, key: str) -> Key:
    """Return where a table's guests have a key from, if no other table is about them."""
    own = ("guest", table, key)
    return own if own in said else ("guest", DEFAULT, key)


def _is_above(said: Mapping[Key, Said], one: Key, other: Key) -> bool:
    """Return whether both were said and one is above the other; a size and a share cannot be compared."""
    if one not in said or other not in said:
        return False
    high, low = said[one].value, said[other].value
    comparable = any(isinstance(high, kind) and isinstance(low, kind) for kind in (Size, Share))
    return comparable and high > low


def _issue(said: Mapping[Key, Said], key: Key, other: Key, message: str, hint: str) -> Issue:
    """Return an issue about two keys, at the place of the first."""
    where = said[key].origin
    beside = f" of {key_text(other)} ({said[other].origin})"
    text = message.format(said[key].value, said[other].value) + beside
    return Issue(text, hint, file=where.file, line=where.line, key=key_text(key))
