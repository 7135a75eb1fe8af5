"""What can be done from the view: each asks before it is done, and says what it would do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ballonet.service.models import Asked, GuestRow, Hold, PauseAsked, ReleaseAsked, ResumeAsked, SetAsked
from ballonet.show.requests import hold_sentence
from ballonet.show.table import printable
from ballonet.show.words import size
from ballonet.units import format_duration, parse_duration, parse_size

Values = Mapping[str, str]  # what was typed, by the fields' names
Fields = dict[str, object]  # of a request


@dataclass(frozen=True, slots=True)
class Blank:
    """Something to fill in."""

    name: str
    label: str
    value: str = ""
    hint: str = ""  # shown while it is empty


@dataclass(frozen=True, slots=True)
class Action:
    """Something to be done: what it is called, what it asks for, and what is made of the answers."""

    title: str
    kind: type[Asked]
    read: Callable[[Values], tuple[Fields, str]]  # the request's fields, and what it will do in words
    blanks: tuple[Blank, ...] = field(default=())


_FOR = Blank("for", "for", "1h", "1h, 30m; empty: until resumed")
_WHY = Blank("why", "why", "", "for who finds it so")


def pause_everybody() -> Action:
    """Return the pause of all balancing."""

    def read(values: Values) -> tuple[Fields, str]:
        seconds, until = _seconds(values["for"])
        fields: Fields = {"for_seconds": seconds, "why": values["why"]}
        return fields, f"Nothing is written to any guest {until}."

    return Action("Pause everybody?", PauseAsked, read, (_FOR, _WHY))


def resume_everybody(hold: Hold) -> Action:
    """Return the end of that."""
    return Action(
        "Resume everybody?",
        ResumeAsked,
        lambda _: ({}, f"Now {hold_sentence(hold)}. Balancing goes on."),
    )


def hold(row: GuestRow) -> Action:
    """Return the hold of one guest."""
    name = printable(row.name)

    def read(values: Values) -> tuple[Fields, str]:
        seconds, until = _seconds(values["for"])
        fields: Fields = {"guest": row.uuid, "for_seconds": seconds, "why": values["why"]}
        return fields, f"{name} stays at {size(row.actual_bytes)} {until}."

    return Action(f"Hold {name}?", PauseAsked, read, (_FOR, _WHY))


def resume(row: GuestRow, held: Hold) -> Action:
    """Return the end of a guest's hold."""
    name = printable(row.name)
    said = f"Now {hold_sentence(held)}. It is balanced again."
    return Action(f"Go on with {name}?", ResumeAsked, lambda _: ({"guest": row.uuid}, said))


def release(row: GuestRow) -> Action:
    """Return giving a guest all its memory back."""
    name = printable(row.name)

    def read(values: Values) -> tuple[Fields, str]:
        most = size(row.ceiling_bytes if row.ceiling_bytes is not None else row.maximum_bytes)
        said = f"{name} gets back what is free, {size(row.actual_bytes)} → {most} at most, until resumed."
        return {"guest": row.uuid, "why": values["why"]}, said

    return Action(f"Release {name}?", ReleaseAsked, read, (_WHY,))


def set_size(row: GuestRow) -> Action:
    """Return resizing a guest by hand."""
    name = printable(row.name)

    def read(values: Values) -> tuple[Fields, str]:
        wanted = parse_size(values["size"])
        seconds, until = _seconds(values["for"])
        fields: Fields = {
            "guest": row.uuid,
            "size_bytes": wanted,
            "for_seconds": seconds,
            "why": values["why"],
        }
        return fields, f"{name}: {size(row.actual_bytes)} → {size(wanted)}, and held there {until}."

    blanks = (Blank("size", "size", "", "1500M, 1.5GiB, 2GB"), _FOR, _WHY)
    return Action(f"Set the size of {name}?", SetAsked, read, blanks)


def _seconds(text: str) -> tuple[float | None, str]:
    """Return a duration and how it is said; nothing typed is until resumed."""
    if not text.strip():
        return None, "until resumed"
    seconds = parse_duration(text)
    return seconds, f"for {format_duration(seconds)}"
