"""What people asked for, beside what the law decides: guests held, and memory kept for a guest to come."""

import re
from dataclasses import dataclass

ALL = ""  # instead of a guest's UUID: everybody
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Hold:
    """A guest, or everybody, that is left as it is until a time, or until somebody ends it."""

    id: str
    uuid: str  # ALL: nothing is changed at all
    name: str
    begun_at: float  # epoch seconds
    until: float | None  # epoch seconds; None: until it is ended by hand
    who: str  # the user that asked for it
    why: str
    size_bytes: int | None = None  # what the guest was set to for that time


@dataclass(frozen=True, slots=True)
class Lease:
    """Host memory that is kept free for a guest about to start; it ends with its time, or when it is used."""

    id: str
    size_bytes: int
    begun_at: float  # epoch seconds
    until: float
    who: str
    guest: str  # the name of the guest that it is for; empty: whoever starts next


def number_of(request_id: str) -> int:
    """Return the number that a hold's or lease's id ends with; 0 if it has none."""
    number = request_id.rpartition("-")[2]
    return int(number) if _NUMBER.fullmatch(number) else 0
