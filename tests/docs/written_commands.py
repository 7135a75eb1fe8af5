"""docs/commands.md, from the command line's own help and the tree of errors."""

import re
from typing import Any

import typer
from written import NOTE, page, table

import ballonet.errors
from ballonet.cli import app
from ballonet.cli.group import COMMANDS, load
from ballonet.errors import BallonetError

HEAD = f"""\
# Commands

{NOTE}

`ballonet --help`, and `--help` after each command, say the same. [How to use those by hand](by-hand.md).

A guest is named by name, UUID or id. Sizes have units (`1500M`, `1.5GiB`, `2GB`), as durations do (`500ms`,
`10s`, `2h30m`): a bare number is refused, because it means KiB in virsh, bytes in QMP and MiB in Proxmox."""
COMMON = """\
## Options of all commands

They are taken before and after each command."""
CODES = """\
## Exit codes

Every failure is a line that says what is wrong and a line `hint:` that says what to do."""
# What a failure of each kind means; what is said of the base class is said of all that share its code.
MEANINGS = {
    0: "done",
    1: "failed: no hypervisor, no answer, a problem that `doctor` found",
    2: "malformed size, duration, URI, option or setting",
    3: "no service answers",
    4: "no such guest",
    5: "refused by a safety rule",
    6: "not reached in time",
    7: "no permission",
}


def commands_page() -> str:
    """Return the page."""
    root = typer.main.get_command(app)
    sections = dict.fromkeys(entry.section for entry in COMMANDS.values())
    parts = [HEAD, COMMON, _options(root, "ballonet")]
    for section in sections:
        parts.append(f"## {section}")
        parts += [
            part
            for name, entry in COMMANDS.items()
            if entry.section == section
            for part in _command(load(name, entry), f"ballonet {name}")
        ]
    codes = sorted({0} | {kind.exit_code for kind in all_errors()})
    return page(
        *parts, CODES, table(("exit code", "meaning"), [(f"{code}", MEANINGS[code]) for code in codes])
    )


def all_errors() -> list[type[BallonetError]]:
    """Return every kind of failure."""
    kinds = [kind for kind in vars(ballonet.errors).values() if isinstance(kind, type)]
    return [kind for kind in kinds if issubclass(kind, BallonetError)]


def _command(command: Any, name: str, level: int = 3) -> list[str]:
    """Return a command's own part, and those of what stands below it."""
    if getattr(command, "hidden", False):
        return []
    about = _plain(command.help or "")
    parts = [f"{'#' * level} {name}", about]
    if hasattr(command, "commands"):
        for below, found in command.commands.items():
            parts += _command(found, f"{name} {below}", level + 1)
        return parts
    return [*parts, f"```text\n{_usage(command, name)}\n```", _options(command, name)]


def _usage(command: Any, name: str) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    return re.sub(r"\s+", " ", command.get_usage(context).removeprefix("Usage: "))


def _options(command: Any, name: str) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    found = [each.get_help_record(context) for each in command.get_params(context)]
    rows = [record for record in found if record and "--help" not in record[0]]
    return table(("option", "what it does"), [(f"`{_typed(names)}`", _plain(about)) for names, about in rows])


def _typed(names: str) -> str:
    """Return how an option is typed, without what tells that a word is a word, and no bar: it ends a cell."""
    plain = re.sub(r"<(int|float) range>", "N", re.sub(r" <(str|path)>", "", names))
    return re.sub(r"[<>]", "", plain).replace("|", "/")


def _plain(text: str) -> str:
    """Return a help text whose placeholders no browser takes for tags."""
    return text.replace("<", "&lt;").replace("*", r"\*").strip()
