"""The command line: one file a group of commands, with no logic of its own."""

import os
import re
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer

from ballonet import __version__
from ballonet.cli.completion import prepare
from ballonet.cli.context import DEFAULT_URIS, Context
from ballonet.cli.group import Group
from ballonet.errors import BallonetError, SettingsError, UsageError
from ballonet.show.table import printable

OUTPUTS = ("table", "json")
CSV, CSV_COMMAND = "csv", "history"
INTERRUPTED = 130  # 128 + SIGINT, as shells say it

app = typer.Typer(
    cls=Group,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
)


@app.callback()
def ballonet(
    ctx: typer.Context,
    connect: Annotated[
        list[str] | None,
        typer.Option(
            "-c",
            "--connect",
            metavar="URI",
            envvar="LIBVIRT_DEFAULT_URI",
            help="The hypervisor, as libvirt's URI, or qmp:PATH of QEMU's monitors; again for each other.",
            show_default="settings, else qemu:///system",
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            envvar="BALLONET_CONFIG",
            help="The settings, instead of /etc/ballonet/ballonet.toml.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="table|json",
            help="Tables for people, JSON for programs.",
            autocompletion=lambda: list(OUTPUTS),
        ),
    ] = "table",
    read_only: Annotated[
        bool, typer.Option("-r", "--read-only", help="Look, but never change anything.")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show where errors come from.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Memory ballooning for KVM guests: automatic, safe and explained.

    GUEST is a name, UUID or id. SIZE has a unit: 1500M, 1.5GiB, 2GB.
    The options below are taken before and after each command.
    """
    _check_output(output, ctx.invoked_subcommand)
    ctx.obj = Context(
        uris=tuple(connect or DEFAULT_URIS),
        output=output,
        verbose=verbose,
        read_only=read_only,
        config=Path(config) if config else None,
        uri_given=bool(connect),
    )
    if version:
        typer.echo(f"ballonet {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def _check_output(output: str, command: str | None) -> None:
    """Raise UsageError for what this command cannot print."""
    if output == CSV and command != CSV_COMMAND:
        raise UsageError("only history comes as CSV", hint="ballonet history -o csv; others: table, json")
    if output not in {*OUTPUTS, CSV}:
        raise UsageError(f"there is no output {output!r}", hint="outputs: table, json")


def main() -> None:
    """Run the command line: a failure is a line on what is wrong, one on what to do, and its exit code."""
    sys.excepthook = _unexpected
    code = run_line(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has had enough of it. Python flushes once more at exit: to nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run_line(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    prepare()
    try:
        result = typer.main.get_command(app).main(arguments, prog_name="ballonet", standalone_mode=False)
    except SettingsError as error:
        for issue in error.issues:
            _fail(issue.text, issue.hint)
        return error.exit_code
    except BallonetError as error:
        if _verbose():
            traceback.print_exception(error)
        _fail(error.message, error.hint)
        return error.exit_code
    except typer.TyperException as error:
        _fail(*_usage(error))
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    return result if isinstance(result, int) else 0


def _usage(error: typer.TyperException) -> tuple[str, str]:
    """Return what the parser of the command line found, as our own two lines."""
    message = error.format_message().replace("Value error, ", "").rstrip(".")
    negative = re.search(r"No such option: (-[0-9.])", message)
    if negative:
        return "a size or a duration cannot be negative", "sizes look like 1500M, durations like 30s"
    path = getattr(getattr(error, "ctx", None), "command_path", "ballonet")
    return message[:1].lower() + message[1:], f"see: {path} --help"


def _fail(message: str, hint: str) -> None:
    typer.echo(f"ballonet: {_one_line(message)}", err=True)
    if hint:
        typer.echo(f"hint: {_one_line(hint)}", err=True)


def _one_line(text: str) -> str:
    """Return text that may come from elsewhere, libvirt or a guest's name, as one harmless line."""
    return printable(" ".join(text.split()))


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Report what nobody foresaw: a defect of ours."""
    if _verbose():
        sys.__excepthook__(kind, error, trace)
        return
    _fail(
        f"this should not have happened: {kind.__name__}: {error}",
        "run it again with -v, and report what it prints",
    )


def _verbose() -> bool:
    return any(word in {"-v", "--verbose"} for word in sys.argv[1:])
