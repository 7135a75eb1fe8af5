"""Manual pages, as Markdown: ballonet(1) from what `--help` says, ballonet.toml(5) from the settings.

A package makes pages for `man` of them (packaging/debian/rules).
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import typer
from typer.core import TyperGroup

from ballonet import __version__, errors
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


class Described(NamedTuple):
    """A command in the words of its help, which is plain text."""

    section: str  # of the help; empty: it is `ballonet` itself
    path: str  # "ballonet room drop"
    usage: str
    about: str
    parameters: tuple[tuple[str, str], ...]  # each argument and option as it is typed, and what it does
    holds_others: bool  # it runs nothing by itself


def described() -> Iterator[Described]:
    """Yield `ballonet` itself and all commands, in the order of the help; who holds others before them."""
    root = typer.main.get_command(app)
    assert isinstance(root, Group)  # noqa: S101 - as `app` is made
    ctx = root.context_class(root, info_name="ballonet")
    yield _described(root, ctx, "")
    for name, entry in COMMANDS.items():
        if command := root.get_command(ctx, name):
            yield from _walked(command, ctx, entry.section)


def _walked(command: "Command", above: "ClickContext", section: str) -> Iterator[Described]:
    if command.hidden:
        return
    ctx = command.context_class(command, info_name=command.name, parent=above)
    yield _described(command, ctx, section)
    for each in command.commands.values() if isinstance(command, TyperGroup) else ():
        yield from _walked(each, ctx, section)


def _described(command: "Command", ctx: "ClickContext", section: str) -> Described:
    records = (each.get_help_record(ctx) for each in command.get_params(ctx) if each.name != "help")
    return Described(
        section,
        ctx.command_path,
        " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)]),
        command.help or "",
        tuple(record for record in records if record),
        holds_others=isinstance(command, TyperGroup),
    )


def commands() -> str:
    """Return the page of all commands."""
    root, *rest = described()
    purpose, _, about = root.about.partition("\n\n")
    parts = [
        f"# NAME\n\nballonet - {_escaped(purpose[:1].lower() + purpose[1:].rstrip('.'))}",
        f"# SYNOPSIS\n\n`{root.usage}`",
        f"# DESCRIPTION\n\n{_escaped(about)}",
        f"# OPTIONS\n\n{_parameters(root)}",
    ]
    for section, found in groupby(rest, key=lambda each: each.section):
        parts.append(f"# {section.upper()}")
        for each in found:
            if not each.holds_others:
                parts += [f"## {each.path}", f"`{each.usage}`", _escaped(each.about), _parameters(each)]
    return "\n\n".join([*parts, f"# EXIT STATUS\n\n{_codes()}", _SEE_ALSO]) + "\n"


def _parameters(command: Described) -> str:
    """Return each argument and option, as a list of definitions."""
    return "\n\n".join(f"`{typed}`\n\n:   {_escaped(about)}" for typed, about in command.parameters)


def _codes() -> str:
    """Return each exit code with what it means, which is drawn at the top of the errors."""
    meanings = {0: "done"}
    for code, meaning in re.findall(r"Error +(\d)  (.*)", errors.__doc__ or ""):
        meanings.setdefault(int(code), meaning)
    return "\n\n".join(f"{code}\n\n:   {_escaped(meanings[code])}" for code in sorted(meanings))


def _escaped(text: str) -> str:
    """Return plain text so that Markdown takes it as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", text)
