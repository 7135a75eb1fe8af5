"""What the page shows, ready to be drawn: texts, and places of bars in percent of their whole.

`static/guests.js` and `static/host.js` do the same each tick; a test holds them to the same words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from ballonet.facts.happening import ACTS
from ballonet.service.models import Event, GuestRow, HostMemory, HypervisorStatus, Overview
from ballonet.show.words import age, size

SHOWN_EVENTS = 100  # beside the guests; /events has more
WAITED_FOR: Final = frozenset({"booting", "no data"})  # states of guests that may yet tell their statistics
STATES: Final = ("plenty", "comfort", "tight", "hard", "emergency")  # of a host, the worst last
PARTS: Final = (  # of a host's memory, in the bar's order: the field of its size, and its name
    ("own", "host itself"),
    ("guests", "guests"),
    ("leased", "leased"),
    ("reserve", "reserve"),
    ("headroom", "free"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the host's bar."""

    key: str
    name: str
    size: str
    start: str  # percent
    width: str


@dataclass(frozen=True, slots=True)
class GuestView:
    """A guest's row. Places are percent of its maximum; empty: unknown, and not drawn."""

    uuid: str = ""
    name: str = ""
    state: str = ""
    actual: str = ""
    maximum: str = ""
    usable: str = ""
    age: str = ""
    sentence: str = ""
    bar: str = ""  # the bar in words
    has: str = "0"
    met: str = "0"  # the part of its need that it has
    lacks: str = "0"  # the part that it lacks
    floor: str = ""
    ceiling: str = ""
    target: str = ""

    @property
    def href(self) -> str:
        """Return where it is explained."""
        return guest_href(self.uuid)

    @property
    def allowed(self) -> str:
        """Return how wide the range from floor to ceiling is."""
        if not (self.floor and self.ceiling):
            return "0"
        return f"{max(0.0, float(self.ceiling) - float(self.floor)):.2f}"


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next for a guest."""

    uuid: str
    name: str
    start: str
    end: str
    sentence: str

    @property
    def href(self) -> str:
        """Return where it is explained."""
        return guest_href(self.uuid)


def guest_href(uuid: str) -> str:
    """Return the path of a guest's own page; an UUID says nothing that a path could misread."""
    return f"/guest/{quote(uuid, safe='')}"


def host_parts(host: HostMemory) -> list[Part]:
    """Return the parts of the host's memory; those that are unknown take no place."""
    parts, start = [], 0.0
    for key, name in PARTS:
        part: int | None = getattr(host, f"{key}_bytes")
        width = 100.0 * (part or 0) / max(1, host.total_bytes)
        parts.append(Part(key, name, size(part), f"{start:.2f}", f"{width:.2f}"))
        start += width
    return parts


def worst(hypervisors: Sequence[HypervisorStatus]) -> HypervisorStatus | None:
    """Return the hypervisor whose state says most about the host; None: none was looked at."""
    seen = [each for each in hypervisors if each.state is not None]
    return max(seen, key=lambda each: STATES.index(each.state or STATES[0]), default=None)


def guest_view(row: GuestRow) -> GuestView:
    """Return a guest's row."""
    actual, need = row.actual_bytes, row.need_bytes

    def place(part: int | None) -> str:
        whole = row.maximum_bytes
        return "" if part is None or not whole else f"{100.0 * min(max(part, 0), whole) / whole:.2f}"

    return GuestView(
        uuid=row.uuid,
        name=row.name,
        state=row.state,
        actual=size(actual),
        maximum=size(row.maximum_bytes),
        usable=_usable(row),
        age=age(row.stats_age_seconds),
        sentence=row.sentence,
        bar=_said(row),
        has=place(actual) or "0",
        met=place(None if need is None or actual is None else min(need, actual)) or "0",
        lacks=place(None if need is None or actual is None else max(0, need - actual)) or "0",
        floor=place(row.floor_bytes),
        ceiling=place(row.ceiling_bytes),
        target=place(aim(row)),
    )


def aim(row: GuestRow) -> int | None:
    """Return the size that a guest is on its way to; None: it stays as it is."""
    on_its_way = row.state in {"growing", "shrinking"}
    return row.told_bytes if row.target_bytes is None and on_its_way else row.target_bytes


def _usable(row: GuestRow) -> str:
    if row.usable_bytes is None and row.stats_age_seconds is None and row.state in WAITED_FOR:
        return "waiting"
    return size(row.usable_bytes)


def _said(row: GuestRow) -> str:
    """Return the bar in words, for those who do not see it and for those who point at it."""
    target = "stays" if aim(row) is None else f"next {size(aim(row))}"
    return (
        f"floor {size(row.floor_bytes)}, needs {size(row.need_bytes)}, has {size(row.actual_bytes)}, "
        f"{target}, ceiling {size(row.ceiling_bytes)}"
    )


def next_steps(overview: Overview) -> list[Step]:
    """Return what comes next, a step a guest that is to change."""
    return [
        Step(row.uuid, row.name, size(row.actual_bytes), size(aim(row)), row.sentence)
        for row in overview.guests
        if aim(row) is not None
    ]


def observed_only(event: Event) -> bool:
    """Return whether an event says what would have been done."""
    return not event.written and event.kind in ACTS


def step_and_reason(sentence: str) -> tuple[str, str]:
    """Return "512 MiB → 384 MiB" and why; of what is no change, nothing and what happened."""
    step, _, reason = sentence.partition("  ")
    return (step, reason) if reason else ("", sentence)
