"""What can be seen from outside of what a service promises: sizes, its journal, its process, its words."""

import itertools
import os
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from journal import FILE, copied

from ballonet.lab.report import Report
from ballonet.units import KIB, MIB

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SETTLED_BYTES = 2 * MIB  # the driver moves 1 MiB at a time
AT_REST_LOOKS = 3
LAG_LOOKS = 2  # of a second: libvirt tells of a size up to 1.1 s late
# A guest that gets this much back from swap, with next to nothing free, for so long, lacks memory badly.
STORM_PAGES_PER_SECOND = 200.0
STORM_FREE_KIB = 48 * KIB
STORM_SECONDS = 30.0
# What Python and SQLite take for themselves in a life; the rest is a leak.
MOST_RSS_BYTES = 128 * MIB
MOST_FILES = 64
COMPARED_SECONDS = 60.0  # after its start a service is compared with those before it
ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the journal."""

    id: int
    at: float
    name: str
    from_bytes: int
    to_bytes: int
    cause: str


@dataclass
class Watcher:
    """Looks again and again; `broken` are the promises that were, in words."""

    budget_bytes: int
    floor_bytes: int
    maxima: Mapping[str, int]
    moving: frozenset[str] = frozenset()  # guests that may change their sizes by themselves
    broken: list[str] = field(default_factory=list)
    least_bytes: int = 1 << 62
    over_seconds: float = 0.0
    looks: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    most_rss_bytes: int = 0
    most_files: int = 0
    rss_bytes: list[int] = field(default_factory=list)  # one a life, a minute after its start

    def __post_init__(self) -> None:
        self._last: dict[str, deque[Act]] = {name: deque(maxlen=3) for name in self.maxima}
        self._sizes: dict[str, deque[int]] = {
            name: deque(maxlen=AT_REST_LOOKS + LAG_LOOKS) for name in self.maxima
        }
        self._given: dict[str, set[int]] = {name: {size} for name, size in self.maxima.items()}
        self._grown: dict[str, int] = {}  # number of looks before the service's last growth
        self._storms: dict[str, float] = {}
        self._looked_at = time.monotonic()
        self._growths: list[tuple[int, Act]] = []  # with the number of looks before
        self._last_act = self._compared = 0

    @property
    def last_act_at(self) -> float:
        """Return when the service last changed a size: epoch seconds, 0 for never."""
        return max((acts[-1].at for acts in self._last.values() if acts), default=0.0)

    def held_bytes(self) -> int:
        """Return what all guests had at the last look."""
        return sum(sizes[-1] for sizes in self._sizes.values() if sizes)

    def given(self, name: str, size_bytes: int) -> None:
        """Take in that somebody else asks for this size."""
        self._given[name].add(size_bytes)

    # --- sizes --------------------------------------------------------------------------------------

    def see(self, sizes: Mapping[str, int]) -> None:
        """Take in the sizes that libvirt tells: bytes."""
        now, self.looks = time.monotonic(), self.looks + 1
        if sum(sizes.values()) > self.budget_bytes + SETTLED_BYTES:
            self.over_seconds += now - self._looked_at
        self._looked_at = now
        for name, size in sizes.items():
            self.least_bytes = min(self.least_bytes, size)
            if not self.floor_bytes - MIB <= size <= self.maxima[name]:
                self._breaks(f"{name} has {size} bytes, outside of floor and maximum")
            self._sizes[name].append(size)
            self._explain(name)
        self._weigh_growths()

    def _explain(self, name: str) -> None:
        """Hold a size at which a guest rests against all that was written down or asked for."""
        seen = [*self._sizes[name]][-AT_REST_LOOKS:]
        if name in self.moving or len(seen) < AT_REST_LOOKS or max(seen) - min(seen) > 0:
            return
        size = seen[-1]
        known = any(abs(size - given) <= SETTLED_BYTES for given in self._given[name])
        # On its way, or left there because it could not follow.
        known |= any(
            min(act.from_bytes, act.to_bytes) - SETTLED_BYTES
            <= size
            <= max(act.from_bytes, act.to_bytes) + SETTLED_BYTES
            for act in self._last[name]
        )
        if not known:
            self._breaks(f"S4: {name} rests at {size} bytes, which nobody wrote down")
            self._given[name].add(size)  # said once

    # --- the journal --------------------------------------------------------------------------------

    def read(self, state: Path) -> None:
        """Take in what was written down since the last look."""
        if not (state / FILE).exists():
            return
        with copied(state) as store:
            for name, acts in self._last.items():  # their outcomes may be known by now
                known = store.execute(
                    f"{_ACTS} WHERE name = ? AND id <= ? ORDER BY id DESC LIMIT 3", [name, self._last_act]
                ).fetchall()
                acts.extend(Act(*row) for row in reversed(known))
            for row in store.execute(f"{_ACTS} WHERE id > ? ORDER BY id", [self._last_act]).fetchall():
                self._take(Act(*row))
            told = store.execute("SELECT sentence FROM events WHERE kind = 'broken'").fetchall()
        self._breaks(*(f"the service itself says: {sentence}" for (sentence,) in told))

    def _take(self, act: Act) -> None:
        self._last_act = act.id
        self.acts[act.cause] += 1
        if act.cause != ADOPTED:
            if not self.floor_bytes - PAGE_BYTES <= act.to_bytes <= self.maxima[act.name]:
                self._breaks(f"G1, G2: {act} is outside of floor and maximum")
            if act.to_bytes > act.from_bytes:
                self._growths.append((self.looks, act))
                self._grown[act.name] = self.looks
        self._last[act.name].append(act)

    def _weigh_growths(self) -> None:
        """Hold growths against the budget, beside the least that the others had about then.

        What they gave up is to be seen before it is handed on; libvirt's figures lag by up to 1.1 s.
        """
        due = [each for each in self._growths if self.looks - each[0] >= AT_REST_LOOKS - 1]
        self._growths = [each for each in self._growths if each not in due]
        for number, act in due:
            others = sum(self._least(name, number) for name in self._sizes if name != act.name)
            if act.to_bytes + others > self.budget_bytes + SETTLED_BYTES:
                self._breaks(f"H1: {act} makes {act.to_bytes + others} bytes of {self.budget_bytes}")

    def _least(self, name: str, number: int) -> int:
        """Return the least that a guest had about that look, as far as the service could know.

        What it took as its driver was unloaded, or was given by somebody else, it is told of late.
        """
        grown = self._grown.get(name, -LAG_LOOKS - 1) >= number - LAG_LOOKS
        return min([*self._sizes[name]][-AT_REST_LOOKS if grown else 0 :], default=0)

    # --- guests, and the process --------------------------------------------------------------------

    def feel(self, name: str, reports: list[Report], size_bytes: int, free_bytes: int) -> None:
        """Take in how a guest does that nobody interferes with, beside what could be handed out."""
        now = time.monotonic()
        pairs = itertools.pairwise(reports[-4:])
        rates = [(b.pswpin - a.pswpin) / max(b.uptime - a.uptime, 1.0) for a, b in pairs]
        storm = len(rates) == 3 and min(rates) > STORM_PAGES_PER_SECOND
        storm &= reports[-1].free_kib < STORM_FREE_KIB if reports else False
        room = min(free_bytes, self.maxima[name] - size_bytes)
        if not storm or room < 32 * MIB:
            self._storms.pop(name, None)
        elif now - self._storms.setdefault(name, now) > STORM_SECONDS:
            self._breaks(f"{name} swaps at {rates[-1]:.0f} pages/s beside {free_bytes} free bytes")
            del self._storms[name]

    def weigh(self, process: int, age_seconds: float) -> None:
        """Take in what the service's process holds, and once a life how much it was after a minute."""
        place = Path("/proc") / str(process)
        rss = int((place / "statm").read_text().split()[1]) * PAGE_BYTES
        files = len(list((place / "fd").iterdir()))
        self.most_rss_bytes, self.most_files = max(self.most_rss_bytes, rss), max(self.most_files, files)
        if rss > MOST_RSS_BYTES or files > MOST_FILES:
            self._breaks(f"the service holds {rss / MIB:.0f} MiB and {files} files")
        if age_seconds > COMPARED_SECONDS and self._compared != process:
            self._compared = process
            self.rss_bytes.append(rss)

    def _breaks(self, *what: str) -> None:
        self.broken += what


_ACTS = "SELECT id, at, name, from_bytes, to_bytes, cause FROM acts"
