"""What goes wrong beside what happens to guests: each kind, and which of them are on at a moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """One kind of trouble. Those of a guest name it; the others are of the whole."""

    # What a guest's statistics are like.
    ABSENT = "statistics absent"
    FROZEN = "statistics repeated"  # with their old stamp
    RESTAMPED = "statistics repeated as new"
    ABSURD = "statistics absurd"  # sentinels, negative numbers, more than there is
    FUTURE = "statistics from the future"
    LYING = "statistics lie"  # it claims to have much to spare
    SIZELESS = "size unknown"
    # What becomes of a resize.
    REFUSED = "resize refused"
    FAILED = "resize failed"
    BROKEN = "resize done, said to have failed"
    IGNORED = "resize ignored"
    PARTIAL = "resize done by half"
    CRAWLING = "balloon crawls"
    LOST = "resize done, answer lost"
    HUNG = "resize hung"
    LATE = "resize done after its deadline"
    CLAIMED = "a job takes the guest as it is resized"
    # What becomes of a guest beside what the simulated world has.
    HIDDEN = "guest not listed"
    RENEWED = "guest comes back with another UUID"
    SETMEM = "somebody else's setmem"
    UNSEEN = "resident memory unreadable"
    # The whole.
    DOWN = "libvirt down"
    STUCK = "libvirt hung"
    FILLED = "host memory filled"
    SET = "wall clock set"
    STOPPED = "process stopped for a while"
    FULL = "disk full"
    KILLED = "service killed"
    ENDED = "service restarted in order"


STATISTICS = (
    What.ABSENT,
    What.FROZEN,
    What.RESTAMPED,
    What.ABSURD,
    What.FUTURE,
    What.LYING,
    What.SIZELESS,
)
RESIZES = (
    What.REFUSED,
    What.FAILED,
    What.BROKEN,
    What.IGNORED,
    What.PARTIAL,
    What.CRAWLING,
    What.LOST,
    What.HUNG,
    What.LATE,
    What.CLAIMED,
)
OF_GUESTS = (What.HIDDEN, What.SETMEM, What.UNSEEN)
OF_HOST = (What.DOWN, What.STUCK, What.FILLED, What.SET, What.STOPPED, What.FULL, What.KILLED, What.ENDED)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong, `at` seconds after the run began, for so long."""

    at: float
    what: What
    guest: str = ""  # its name in the simulated world
    seconds: float = 0.0
    amount: float = 0.0  # of what it is: bytes, seconds, a share, or a choice 0..1


class Troubles:
    """Those that are on."""

    def __init__(self) -> None:
        self._on: dict[tuple[What, str], Trouble] = {}

    def begin(self, trouble: Trouble) -> None:
        """Switch one on; it takes the place of one of its kind."""
        self._on[trouble.what, trouble.guest] = trouble

    def end(self, trouble: Trouble) -> None:
        """Switch it off, unless another one took its place."""
        if self._on.get((trouble.what, trouble.guest)) is trouble:
            del self._on[trouble.what, trouble.guest]

    def of(self, what: What, guest: str = "") -> Trouble | None:
        """Return the one of this kind that is on."""
        return self._on.get((what, guest))

    def first(self, kinds: Iterable[What], guest: str = "") -> Trouble | None:
        """Return the first of these kinds that is on."""
        for what in kinds if self._on else ():
            if (what, guest) in self._on:
                return self._on[what, guest]
        return None

    def guests(self, what: What) -> set[str]:
        """Return of which guests this kind is on."""
        return {guest for kind, guest in self._on if kind is what}

    def clear(self) -> None:
        """Switch all off."""
        self._on.clear()
