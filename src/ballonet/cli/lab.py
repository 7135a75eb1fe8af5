"""`lab`: real guests to try things on, left running for a while, in a directory of their own."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from ballonet.cli.demo import bench
from ballonet.cli.validate import validate
from ballonet.errors import BallonetError, UsageError
from ballonet.facts.uri import check_uris, sockets_of
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab import reaper
from ballonet.lab.directory import embedded_uri, is_lab
from ballonet.lab.domain import GuestSpec
from ballonet.lab.lab import Lab, PlainStarter, Starter, guest_names, names, report_file, send_schedule
from ballonet.lab.plain import PlainQemu
from ballonet.lab.report import Report
from ballonet.show.document import document
from ballonet.show.table import UNKNOWN, table
from ballonet.units import format_duration, parse_duration, parse_size

KIB = 1024
MIB = 1024 * KIB
HEADER = ("Guest", "Anonymous", "File", "Available", "Swapped", "Requests/s", "Mean ms", "OOM kills")

app = typer.Typer(help="Boot real guests to try things on, and load them.", add_completion=False)
Directory = Annotated[
    str,
    typer.Option("--directory", metavar="DIR", help="Where the lab is; by default below the temporary one."),
]


def default_directory() -> Path:
    """Return this user's place for a lab."""
    return Path(tempfile.gettempdir()) / f"ballonet-lab-{os.getuid()}"


@app.command()
def up(
    ctx: typer.Context,
    guests: Annotated[int, typer.Option(metavar="N", help="How many.", min=1, max=200)] = 2,
    memory: Annotated[str, typer.Option(metavar="SIZE", help="Each one's maximum.")] = "512M",
    directory: Directory = "",
    duration: Annotated[str, typer.Option("--for", metavar="DURATION", help="Their life.")] = "1h",
    free_page_reporting: Annotated[bool, typer.Option(help="What they free is the host's at once.")] = True,
) -> None:
    """Boot guests and leave them running; they end by themselves."""
    seconds = parse_duration(duration)
    size = parse_size(memory)
    specs = [
        GuestSpec(
            name,
            memory_bytes=size,
            life_seconds=int(seconds) + 60,
            free_page_reporting=free_page_reporting,
        )
        for name in names(guests)
    ]
    place = Path(directory) if directory else default_directory()
    uri = asyncio.run(_up(_given_uri(ctx), place.absolute(), specs, seconds))
    option = f" --directory {place}" if directory else ""
    ctx.obj.show(
        lambda: (
            f"{guests} guests run for {format_duration(seconds)}.\n"
            f"look at them:  ballonet guests -c '{uri}'\n"
            f"load them:     echo 'at 0 anon_mib=200 rate=50' | ballonet lab load guest-1 -{option}\n"
            f"end them:      ballonet lab down{option}"
        ),
        lambda: document(
            uri=uri, directory=str(place), guests=[spec.name for spec in specs], seconds=seconds
        ),
    )


def _given_uri(ctx: typer.Context) -> str:
    """Return the URI that the command line names; empty if it names none: the lab needs no daemon."""
    source = ctx.find_root().get_parameter_source("connect")
    if source is None or source.name != "COMMANDLINE":
        return ""
    check_uris(ctx.obj.uris)
    uri, *others = ctx.obj.uris
    if others:
        raise UsageError("guests are booted on one hypervisor", hint="name one by -c, or none")
    return str(uri)


async def _up(uri: str, directory: Path, specs: list[GuestSpec], seconds: float) -> str:
    async def boot(starter: Starter | PlainStarter) -> None:
        async with Lab(directory, starter) as lab:
            await lab.boot(specs)
            await lab.leave(seconds)

    uri = uri or embedded_uri(directory)
    if sockets_of(uri) is not None:
        await boot(PlainQemu(uri))
        return uri
    hypervisor = await LibvirtHypervisor.open(uri)
    try:
        await boot(hypervisor)
    finally:
        await hypervisor.close()
    return uri


@app.command("list")
def list_guests(ctx: typer.Context, directory: Directory = "") -> None:
    """Show what the guests report of themselves."""
    place = _existing(directory)
    latest = {name: report_file(place, name).read()[-1:] for name in guest_names(place)}
    ctx.obj.show(
        lambda: table(HEADER, [_row(name, *reports) for name, reports in latest.items()], right=HEADER[1:]),
        lambda: document(
            guests=[
                {"name": name, "report": r.document() if (r := _only(found)) else None}
                for name, found in latest.items()
            ]
        ),
    )


def _only(reports: list[Report]) -> Report | None:
    return reports[0] if reports else None


def _row(name: str, report: Report | None = None) -> list[str]:
    if report is None:
        return [name, *[UNKNOWN] * (len(HEADER) - 1)]
    sizes = (
        report.anon_mib,
        report.file_mib,
        report.available_kib / KIB,
        (report.swap_total_kib - report.swap_free_kib) / KIB,
    )
    mean = UNKNOWN if report.mean_ms is None else f"{report.mean_ms:.1f}"
    return [name, *(f"{size:.0f} MiB" for size in sizes), str(report.requests), mean, str(report.oom_kill)]


@app.command()
def load(
    ctx: typer.Context,
    guest: Annotated[str, typer.Argument(metavar="GUEST", help="Its name.")],
    schedule: Annotated[str, typer.Argument(metavar="FILE", help="Its schedule; -: standard input.")],
    directory: Directory = "",
) -> None:
    """Give a guest a schedule of lines such as: at 0 anon_mib=200 hot_mib=200 rate=50 touches=8."""
    place = _existing(directory)
    asyncio.run(send_schedule(place, guest, _text(schedule), report_file(place, guest)))
    ctx.obj.show(lambda: f"{guest}: the schedule has begun", lambda: document(guest=guest, loaded=True))


def _text(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text()
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"the schedule {name} cannot be read: {error}", hint="give a text file, or -"
        ) from error


@app.command()
def down(ctx: typer.Context, directory: Directory = "") -> None:
    """End the guests at once and remove their directory."""
    place = _existing(directory)
    ended = guest_names(place)
    reaper.end(place)
    ctx.obj.show(lambda: f"{len(ended)} guests ended, {place} removed", lambda: document(guests=ended))


app.command()(bench)
app.command()(validate)


def _existing(directory: str) -> Path:
    place = Path(directory).absolute() if directory else default_directory()
    if not is_lab(place):
        raise BallonetError(f"there is no lab in {place}", hint="boot one: ballonet lab up")
    return place
