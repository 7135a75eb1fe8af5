"""Manual pages, as Markdown: ballonet(1) from what `--help` says, ballonet.toml(5) from the settings.

A package makes pages for `man` of them (packaging/debian/rules).
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import typer
from typer.core import TyperGroup

from ballonet import __version__
from ballonet.cli import app
from ballonet.cli.group import COMMANDS, Group
from ballonet.config.reference import manual

if TYPE_CHECKING:
    from typer._click import Command
    from typer._click import Context as ClickContext

_SEE_ALSO: Final = "# SEE ALSO\n\nballonet.toml(5), virsh(1), systemctl(1)"


def page(name: str, date: str) -> str:
    """Return the page `ballonet` or `ballonet.toml`, with what its head says; the date as YYYY-MM-DD."""
    section, text = {"ballonet": (1, commands), "ballonet.toml": (5, manual)}[name]
    head = f"title: {name}\nsection: {section}\ndate: {date}\nsource: ballonet {__version__}"
    return f"{head}\n\n{text()}"


def commands() -> str:
    """Return the page of all commands."""
    root = typer.main.get_command(app)
    assert isinstance(root, Group)  # noqa: S101 - as `app` is made
    ctx = root.context_class(root, info_name="ballonet")
    purpose, _, about = (root.help or "").partition("\n\n")
    parts = [
        f"# NAME\n\nballonet - {_escaped(purpose[:1].lower() + purpose[1:].rstrip('.'))}",
        f"# SYNOPSIS\n\n{_usage(root, ctx)}",
        f"# DESCRIPTION\n\n{_escaped(about)}",
        f"# OPTIONS\n\n{_parameters(root, ctx)}",
    ]
    for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
        parts.append(f"# {section.upper()}")
        for name, entry in COMMANDS.items():
            command = root.get_command(ctx, name) if entry.section == section else None
            parts += _described(command, ctx) if command else ()
    return "\n\n".join([*parts, _SEE_ALSO]) + "\n"


def _described(command: "Command", above: "ClickContext") -> Iterator[str]:
    """Yield the parts about a command; of a group about each of its own."""
    ctx = command.context_class(command, info_name=command.name, parent=above)
    if isinstance(command, TyperGroup):
        for each in command.commands.values():
            if not each.hidden:
                yield from _described(each, ctx)
        return
    yield f"## {ctx.command_path}"
    yield _usage(command, ctx)
    yield _escaped(command.help or "")
    yield _parameters(command, ctx)


def _usage(command: "Command", ctx: "ClickContext") -> str:
    return f"`{' '.join([ctx.command_path, *command.collect_usage_pieces(ctx)])}`"


def _parameters(command: "Command", ctx: "ClickContext") -> str:
    """Return each argument and option, as a list of definitions."""
    records = (parameter.get_help_record(ctx) for parameter in command.get_params(ctx))
    return "\n\n".join(
        f"`{record[0]}`\n\n:   {_escaped(record[1])}"
        for record in records
        if record and not record[0].startswith("--help")
    )


def _escaped(text: str) -> str:
    """Return plain text so that Markdown takes it as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", text)
