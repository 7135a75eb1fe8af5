"""Which settings a guest gets: of each key the most exact table that has it."""

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from ballonet.config.load import Loaded
from ballonet.config.model import DEFAULT, GuestSettings, is_uuid, literals, matches
from ballonet.config.read import Origin
from ballonet.config.values import Amount

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Chosen(Generic[Value]):
    """A value, the table that it is from ("" is none: the default), and where that is."""

    value: Value
    table: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class ForGuest:
    """What the files say about one guest."""

    floor: Chosen[Amount]
    ceiling: Chosen[Amount]
    weight: Chosen[int]
    manage: Chosen[bool]
    agent: Chosen[bool]
    metadata_floor: Chosen[Amount]


def for_guest(loaded: Loaded, name: str, uuid: str) -> ForGuest:
    """Return a guest's settings: each key is from the most exact table that has it.

    That is the one of its UUID, then of its name, then the pattern with most characters that stand for
    themselves, of two alike the one whose key was said last, then the default.
    """
    found: dict[str, Chosen[Any]] = {}
    ranks: dict[str, _Rank] = {}
    for key, said in loaded.said.items():
        rank = _rank(key[1], name, uuid) if key[0] == "guest" else None
        if rank is not None and rank >= ranks.get(key[-1], _LEAST):
            ranks[key[-1]] = rank
            found[key[-1]] = Chosen(said.value, key[1], said.origin)
    return ForGuest(**{key: found.get(key, _DEFAULTS[key]) for key in _DEFAULTS})


_Rank: TypeAlias = tuple[int, int]
_LEAST: Final[_Rank] = (0, 0)
_DEFAULTS: Final[dict[str, Chosen[Any]]] = {
    key: Chosen(field.default, "", Origin()) for key, field in GuestSettings.model_fields.items()
}


def _rank(table: str, name: str, uuid: str) -> _Rank | None:
    """Return how exactly a table means a guest, None where it does not."""
    if table == DEFAULT:
        return _LEAST
    if is_uuid(table):
        return (3, 0) if table.lower() == uuid.lower() else None
    if table == name:
        return (2, 0)
    return (1, literals(table)) if matches(table, name) else None
