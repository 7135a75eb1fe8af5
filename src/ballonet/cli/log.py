"""What `run` says as it goes: lines for people, JSON lines, or entries of the system's journal."""

import sys
from typing import Protocol

import typer

from ballonet.cli.context import Context
from ballonet.cli.run_options import LOGS
from ballonet.errors import BallonetError, UsageError
from ballonet.facts.happening import Happening, Kind
from ballonet.service.answers import event, whole
from ballonet.service.events import record_of
from ballonet.service.journald import SOCKET, Journald, Priority, is_journal
from ballonet.show.reasons import line
from ballonet.show.table import printable

_PRIORITIES = {Kind.FAILED: Priority.WARNING, Kind.BROKEN: Priority.ERROR}


class Log(Protocol):
    """Who hears what is done. Nothing is said of a tick in which nothing happens."""

    def happening(self, happening: Happening) -> None:
        """Say what happened."""

    def word(self, text: str, hint: str = "") -> None:
        """Say something of the service itself, and what to do about it."""

    def failure(self, error: BallonetError) -> None:
        """Say what went wrong where the rest goes on."""

    def remark(self, text: str) -> None:
        """Say what is done, beside what happens."""

    def summary(self, text: str) -> None:
        """Say what a run came to."""


def log_to(where: str, context: Context) -> Log:
    """Return the log of that name; raises UsageError where there is none, or no journal."""
    if where not in LOGS:
        raise UsageError(f"there is no log {where!r}", hint=f"logs: {', '.join(LOGS)}")
    if where == "json":
        return JsonLog(context)
    if where == "plain" or (where == "auto" and not is_journal(sys.stdout.fileno())):
        return PlainLog(context)
    try:
        return JournalLog(Journald(SOCKET))
    except OSError as error:
        if where == "auto":
            return PlainLog(context)
        raise UsageError(f"{SOCKET} cannot be reached: {error.strerror}", hint="use --log plain") from error


class PlainLog:
    """A line each on standard output, and what is about the service on standard error."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def happening(self, happening: Happening) -> None:
        """Print a line; a guest's name cannot break it."""
        typer.echo(printable(line(happening)))

    def word(self, text: str, hint: str = "") -> None:
        """Print a line, and one for the hint."""
        typer.echo(f"ballonet: {printable(text)}", err=True)
        if hint:
            typer.echo(f"hint: {printable(hint)}", err=True)

    def failure(self, error: BallonetError) -> None:
        """Print its two lines."""
        self.word(error.message, error.hint)

    def remark(self, text: str) -> None:
        """Print it for people."""
        self._context.remark(text)

    def summary(self, text: str) -> None:
        """Print it below the rest."""
        typer.echo(f"\n{text}")


class JsonLog(PlainLog):
    """The events of the API on standard output, one a line, without the number that they get when kept."""

    def happening(self, happening: Happening) -> None:
        """Print an event."""
        typer.echo(event(record_of(0, happening)).model_dump_json(exclude={"id"}))

    def summary(self, text: str) -> None:
        """Print it where it is in nobody's way."""
        typer.echo(text, err=True)


class JournalLog:
    """An entry each, with fields to search for: journalctl BALLONET_GUEST=web-1."""

    def __init__(self, journald: Journald) -> None:
        self._journald = journald

    def happening(self, happening: Happening) -> None:
        """Send an entry with the guest, its sizes and what happened."""
        _, _, message = printable(line(happening)).partition("  ")  # the journal has the time
        sizes = {
            "BALLONET_FROM_BYTES": whole(happening.from_bytes),
            "BALLONET_TO_BYTES": whole(happening.to_bytes),
        }
        fields = {
            "BALLONET_KIND": happening.kind.value,
            "BALLONET_GUEST": happening.name or None,
            "BALLONET_UUID": happening.uuid or None,
            **{name: None if size is None else str(size) for name, size in sizes.items()},
            "BALLONET_WRITTEN": "true" if happening.written else "false",
        }
        self._journald.send(message, _PRIORITIES.get(happening.kind, Priority.INFO), fields)

    def word(self, text: str, hint: str = "") -> None:
        """Send a warning, its hint in the same entry."""
        said = f"{text}; hint: {hint}" if hint else text
        self._journald.send(printable(said), Priority.WARNING, {})

    def failure(self, error: BallonetError) -> None:
        """Send it as a warning: the rest goes on."""
        self.word(error.message, error.hint)

    def remark(self, text: str) -> None:
        """Send an entry."""
        self._journald.send(printable(text), Priority.INFO, {})

    def summary(self, text: str) -> None:
        """Send it as one entry of several lines."""
        self._journald.send(text, Priority.INFO, {})
