"""The command `ballonet` itself: commands are loaded when they run, common options may stand anywhere."""

from difflib import get_close_matches
from importlib import import_module
from inspect import ismethod
from typing import TYPE_CHECKING, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from ballonet.errors import UsageError

if TYPE_CHECKING:
    from typer._click import Command, HelpFormatter, Parameter
    from typer._click import Context as ClickContext
    from typer._click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """A command: its section in the help, where its function or Typer app is, and what it does."""

    section: str
    place: str
    help: str


# Help for a command that is not loaded yet must stand here: loading all would take longer than printing it.
COMMANDS: Final = {
    "guests": Entry("By hand", "guests:guests", "One row a guest: sizes, statistics, managed or why not."),
    "show": Entry("By hand", "guests:show", "Everything known of one guest."),
    "stats": Entry("By hand", "stats:stats", "A guest's balloon statistics, by any layer's names."),
    "names": Entry("By hand", "names:names", "What Linux, VirtIO, QEMU and libvirt call each statistic."),
    "set": Entry("By hand", "resize:set_size", "Grow or shrink a guest, now or from its next start."),
    "set-max": Entry("By hand", "resize:set_maximum", "Set what a guest gets at most, from its next start."),
    "period": Entry("By hand", "period:period", "Set how often a guest reports its statistics."),
    "advise": Entry("By hand", "advise:advise", "How much can be taken from guests, and who needs more."),
    "doctor": Entry(
        "By hand", "doctor:doctor", "What keeps ballooning from working or paying, and its remedy."
    ),
    "run": Entry(
        "Automatic", "run:run", "Balance the guests' memory until Ctrl-C; without --enforce, only look."
    ),
    "config": Entry("Automatic", "config:app", "Check, show and explain the settings."),
    "status": Entry("Automatic", "status:status", "What the service is doing."),
    "plan": Entry("Automatic", "status:plan", "What it decided last, guest by guest."),
    "why": Entry("Automatic", "status:why", "Why a guest has the size that it has."),
    "events": Entry("Automatic", "events:events", "What happened, and what happens."),
    "token": Entry("Automatic", "token:token", "What lets a browser change things, where --web is on."),
    "history": Entry("Automatic", "history:history", "What a guest, or the host, had over time."),
    "report": Entry("Automatic", "history:report", "What it came to: given back, its cost, better sizes."),
    "pause": Entry("Automatic", "holding:pause", "Leave a guest, or everybody, as it is."),
    "resume": Entry("Automatic", "holding:resume", "Go on with a guest, or everybody."),
    "release": Entry("Automatic", "holding:release", "Give memory back that was taken, and hold it so."),
    "make-room": Entry("Automatic", "room:make_room", "Free host memory for a guest about to start."),
    "room": Entry("Automatic", "room:app", "See and end what is kept free for guests to come."),
    "top": Entry("Automatic", "top:top", "The live view: the host, its guests, what happens and why."),
    "lab": Entry("Trying it", "lab:app", "Boot real guests to try things on, and load them."),
    "sim": Entry("Trying it", "sim:app", "Try policies on simulated hosts."),
    "demo": Entry("Trying it", "demo:demo", "Boot real guests and watch their memory being balanced."),
    "completion": Entry(
        "Setting it up", "completion:completion", "Print what completes commands and guests in a shell."
    ),
}

_VALUE_OPTIONS = ("-c", "--connect", "-o", "--output", "--config")
# For these --config is a switch: the change is stored for the guest's next start.
_WITH_OWN_CONFIG = frozenset({"set", "set-max", "period"})
_FLAGS = ("-v", "--verbose", "-r", "--read-only")
_EPILOG = "Options for all commands (-c, --config, -o, -r, -v) are taken here too: see ballonet --help."


class QuickCommand(TyperCommand):
    """A command whose arguments are read quickly."""

    def get_params(self, ctx: "ClickContext") -> "list[Parameter]":
        """Return the options and arguments, quick ones."""
        return [without_pydantic(parameter) for parameter in super().get_params(ctx)]


class Group(TyperGroup):
    """A group that knows its commands by a table, and loads only the one that runs."""

    def get_params(self, ctx: "ClickContext") -> "list[Parameter]":
        """Return the options, quick ones."""
        return [without_pydantic(parameter) for parameter in super().get_params(ctx)]

    def list_commands(self, ctx: "ClickContext") -> list[str]:  # noqa: ARG002
        """Return the names in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: "ClickContext", cmd_name: str) -> "Command | None":  # noqa: ARG002
        """Load a command."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else load(cmd_name, entry)

    def resolve_command(
        self, ctx: "ClickContext", args: list[str]
    ) -> "tuple[str | None, Command | None, list[str]]":
        """Find the command, or say which one may have been meant."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean: ballonet {near[0]}?" if near else "all commands: ballonet --help"
            raise UsageError(f"there is no command {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: "ClickContext", args: list[str]) -> list[str]:
        """Take the common options wherever they stand."""
        return super().parse_args(ctx, moved_to_front(args, strict=not ctx.resilient_parsing))

    def format_commands(self, ctx: "ClickContext", formatter: "HelpFormatter") -> None:  # noqa: ARG002
        """Write the commands by section, none of them loaded."""
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
            with formatter.section(section):
                formatter.write_dl(
                    [(name, entry.help) for name, entry in COMMANDS.items() if entry.section == section]
                )

    def shell_complete(self, ctx: "ClickContext", incomplete: str) -> "list[CompletionItem]":
        """Complete a command's name from the table, an option as usual."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        from typer._click.shell_completion import CompletionItem  # noqa: PLC0415 - only while completing

        return [
            CompletionItem(name, help=entry.help)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]


def load(name: str, entry: Entry) -> "Command":
    """Import a command's module and return the command."""
    module, _, attribute = entry.place.partition(":")
    target = getattr(import_module(f"ballonet.cli.{module}"), attribute)
    if not isinstance(target, typer.Typer):
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name, cls=QuickCommand, epilog=_EPILOG)(target)
        target = app
    target.rich_markup_mode = None
    command = typer.main.get_command(target)
    command.name = name
    return command


def without_pydantic(parameter: "Parameter") -> "Parameter":
    """Let a text, and an option that is not given, through as it is.

    Typer asks pydantic to turn a string into a string, and importing pydantic takes as long as all else
    that `ballonet names` does.
    """
    if not ismethod(parameter.process_value):
        return parameter  # it is ours already
    convert, callback = parameter.process_value, parameter.callback
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)

    def process_value(ctx: "ClickContext", value: object) -> object:
        if value is None and (ctx.resilient_parsing or not parameter.required):
            return callback(ctx, parameter, None) if callback else None
        if isinstance(value, str) and annotation is str and not callback:
            return value
        if isinstance(value, list | tuple) and annotation == list[str] and not callback:
            return list(value)
        return convert(ctx, value)

    parameter.process_value = process_value  # type: ignore[method-assign]
    return parameter


def moved_to_front(args: list[str], *, strict: bool = True) -> list[str]:
    """Return the arguments with the common options before the command.

    Raises UsageError where such an option lacks its value, unless not `strict` (while completing).
    """
    front: list[str] = []
    rest: list[str] = []
    queue = list(args)
    while queue:
        word = queue.pop(0)
        if word.startswith("--config") and rest and rest[0] in _WITH_OWN_CONFIG:
            rest.append(word)
            continue
        if word == "--":
            rest += [word, *queue]
            break
        if word in _VALUE_OPTIONS:
            if queue:
                front += [word, queue.pop(0)]
            elif strict:
                raise UsageError(f"option {word} needs a value", hint="see: ballonet --help")
        elif word in _FLAGS or _with_value(word):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def _with_value(word: str) -> bool:
    """Return whether a word is a common option and its value in one: `--output=json`, `-ojson`."""
    long = word.startswith(tuple(f"{option}=" for option in _VALUE_OPTIONS if option.startswith("--")))
    return long or (word[:2] in _VALUE_OPTIONS and not word.startswith("--"))
