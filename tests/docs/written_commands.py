"""docs/commands.md, from the command line's own help and the tree of errors."""

import re
from itertools import groupby

from written import NOTE, page, table

import ballonet.errors
from ballonet.cli.manual import Described, described
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
    root, *rest = described()
    parts = [HEAD, COMMON, _options(root)]
    for section, found in groupby(rest, key=lambda each: each.section):
        parts += [f"## {section}", *(part for each in found for part in _command(each))]
    codes = sorted({0} | {kind.exit_code for kind in all_errors()})
    return page(
        *parts, CODES, table(("exit code", "meaning"), [(f"{code}", MEANINGS[code]) for code in codes])
    )


def all_errors() -> list[type[BallonetError]]:
    """Return every kind of failure."""
    kinds = [kind for kind in vars(ballonet.errors).values() if isinstance(kind, type)]
    return [kind for kind in kinds if issubclass(kind, BallonetError)]


def _command(command: Described) -> list[str]:
    """Return the part about a command, as deep as it stands below `ballonet`."""
    head = [f"##{'#' * command.path.count(' ')} {command.path}", _plain(command.about)]
    return head if command.holds_others else [*head, f"```text\n{command.usage}\n```", _options(command)]


def _options(command: Described) -> str:
    rows = [(f"`{_typed(names)}`", _plain(about)) for names, about in command.parameters]
    return table(("option", "what it does"), rows)


def _typed(names: str) -> str:
    """Return how an option is typed, without what tells that a word is a word, and no bar: it ends a cell."""
    plain = re.sub(r"<(int|float) range>", "N", re.sub(r" <(str|path)>", "", names))
    return re.sub(r"[<>]", "", plain).replace("|", "/")


def _plain(text: str) -> str:
    """Return a help text whose placeholders no browser takes for tags."""
    return text.replace("<", "&lt;").replace("*", r"\*").strip()
