"""The options of `run`; where one has a place in the settings, it goes before that."""

from pathlib import Path
from typing import Annotated

import typer

LOGS = ("plain", "json", "journal", "auto")

Enforce = Annotated[
    bool | None,
    typer.Option(
        "--enforce/--observe",
        help="Resize guests, or only say what would be done.",
        show_default="settings, else observe",
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="What all guests together may hold: 12GiB, 90%, auto.",
        show_default="settings, else 90%",
    ),
]
Reserve = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Host memory that is never handed out.",
        show_default="settings, else 1GiB",
    ),
]
Floor = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="The least that guests keep for which the settings have no other floor.",
        show_default="settings, else 25% of its maximum, 256MiB at least",
    ),
]
AllowSwap = Annotated[
    bool | None,
    typer.Option(
        "--allow-swap/--no-allow-swap",
        help="Where needs exceed the budget, shrink guests into their swap rather than exceed it.",
        show_default="settings, else no",
    ),
]
Interval = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="Time between two decisions.", show_default="settings, else 2s"),
]
For = Annotated[str | None, typer.Option("--for", metavar="DURATION", help="End after this long.")]
Record = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="FILE",
        help="Write all that is seen and sent to a new file, too: for `sim replay`. CSV, or *.parquet.",
    ),
]
Socket = Annotated[
    Path | None,
    typer.Option(
        "--socket",
        metavar="PATH",
        envvar="BALLONET_SOCKET",
        help="Answer `ballonet status` and the like there.",
        show_default="/run/ballonet/ballonet.sock, where it can be made",
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="Keep the journal, events and what is learned there, over restarts.",
        show_default="$STATE_DIRECTORY, or settings, where it can be written",
    ),
]
SocketGroup = Annotated[
    str | None,
    typer.Option(
        "--socket-group",
        metavar="NAME",
        help="Whose members may ask and have things done.",
        show_default="the group that this runs as",
    ),
]
Web = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Serve the web page, the API and metrics on this host: 127.0.0.1:9779, or off.",
        show_default="settings, else off",
    ),
]
CompatMetrics = Annotated[
    bool | None,
    typer.Option(
        "--compat-libvirt-metrics/--no-compat-libvirt-metrics",
        help="Serve metrics by the names of other libvirt exporters, too.",
        show_default="settings, else no",
    ),
]
LogTo = Annotated[
    str,
    typer.Option(
        "--log",
        metavar="plain|json|journal|auto",
        help="How to say what happens: lines for people, JSON lines, or entries of the system's journal; "
        "auto is the journal where that is what the output leads to.",
        autocompletion=lambda: list(LOGS),
    ),
]
BootGrace = Annotated[str, typer.Option(hidden=True)]
NoReflex = Annotated[bool, typer.Option("--no-reflex", hidden=True)]
