"""`completion`: what a shell reads to complete commands, options and names of guests."""

import os
from typing import Annotated

import typer

from ballonet.errors import UsageError

SHELLS = ("bash", "zsh", "fish")
_ASKS = "_BALLONET_COMPLETE"  # in the environment while a shell asks what comes next
# zsh runs the file itself when it is asked for the first time, and again only for what it defines.
_FIRST_TIME = '\nif [ "$funcstack[1]" = "_ballonet" ]; then\n  _ballonet_completion "$@"\nfi'


def completion(
    shell: Annotated[
        str,
        typer.Argument(metavar="SHELL", help="bash, zsh or fish.", autocompletion=lambda: list(SHELLS)),
    ],
) -> None:
    """Print what completes commands, options and names of guests in a shell.

    For bash: ballonet completion bash > ~/.local/share/bash-completion/completions/ballonet
    """
    if shell not in SHELLS:
        raise UsageError(f"there is no completion for {shell!r}", hint=f"shells: {', '.join(SHELLS)}")
    from typer._completion_shared import get_completion_script  # noqa: PLC0415 - no other command needs it

    script = get_completion_script(prog_name="ballonet", complete_var=_ASKS, shell=shell)
    typer.echo(script + (_FIRST_TIME if shell == "zsh" else ""))


def prepare() -> None:
    """Have the command line answer shells, where one asks."""
    if _ASKS in os.environ:
        from typer._completion_classes import completion_init  # noqa: PLC0415 - no command needs it

        completion_init()
