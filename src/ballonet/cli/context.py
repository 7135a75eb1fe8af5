"""What the options that every command takes say, and how every command prints."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer

from ballonet.errors import NotPermittedError

DEFAULT_URIS = ("qemu:///system",)


@dataclass(frozen=True, slots=True)
class Context:
    """The options taken before and after each command; every command finds them as `ctx.obj`."""

    uris: tuple[str, ...]
    output: str  # "table" or "json"; "csv" of history
    verbose: bool
    read_only: bool = False
    config: Path | None = None  # the settings file, instead of those of the system
    uri_given: bool = True  # False: it is the default, and settings may say another

    def show(self, table: Callable[[], str], json: Callable[[], str]) -> None:
        """Print the one that was asked for; only that one is made."""
        typer.echo(json() if self.output == "json" else table())

    def check_writes(self) -> None:
        """Raise NotPermittedError where nothing may be changed."""
        if self.read_only:
            raise NotPermittedError("nothing is changed with --read-only", hint="leave -r")

    def remark(self, text: str) -> None:
        """Say something beside the data: to standard error, and not to programs."""
        if self.output == "table":
            typer.echo(text, err=True)


def columns() -> int | None:
    """Return the width of the terminal; `None` where the output goes elsewhere and nothing is wrapped."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
