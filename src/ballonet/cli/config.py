"""`config`: the settings checked, shown with where each is from, and explained."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ballonet.cli.context import Context
from ballonet.errors import Issue, SettingsError

if TYPE_CHECKING:
    from ballonet.config.load import Loaded
    from ballonet.facts.guest import Guest

# What reads settings takes as long to import as all else: no help and no completion waits for it.
app = typer.Typer(help="Check, show and explain the settings.", add_completion=False)


@app.command()
def check(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="Read in this order, as if nothing else was there.",
            show_default="those in force",
        ),
    ] = None,
    guests: Annotated[
        bool, typer.Option("--guests", help="And with what guests say of themselves in their metadata.")
    ] = False,
) -> None:
    """Say all that is wrong with the settings, with file, line, key and remedy."""
    from ballonet.cli.settings import settings_of  # noqa: PLC0415 - see above
    from ballonet.config.law import law  # noqa: PLC0415
    from ballonet.config.load import load_files  # noqa: PLC0415
    from ballonet.host.memory import LinuxHost  # noqa: PLC0415
    from ballonet.show.settings import checked_document, checked_text  # noqa: PLC0415

    context: Context = ctx.obj
    try:
        if files:
            loaded = load_files(files)
        else:
            loaded = settings_of(context)
            law(loaded, LinuxHost().memory())
        if guests:
            _check_metadata(context, loaded)
    except SettingsError as error:
        if context.output == "table":
            raise
        typer.echo(checked_document(files or [], error.issues))
        raise typer.Exit(error.exit_code) from error
    context.show(lambda: checked_text(loaded.files), lambda: checked_document(loaded.files, []))


def _check_metadata(context: Context, loaded: "Loaded") -> None:
    """Raise SettingsError for all that guests ask for in vain."""
    import asyncio  # noqa: PLC0415 - see above

    from ballonet.cli.connect import connect  # noqa: PLC0415
    from ballonet.config.limits import FileLimits  # noqa: PLC0415
    from ballonet.engine.table import side_by_side  # noqa: PLC0415

    async def found() -> "list[Guest]":
        async with connect(context) as hypervisor:
            return await hypervisor.guests(inactive=True)

    issues = list[Issue]()
    FileLimits(loaded, issues.append)(side_by_side(asyncio.run(found())))
    if issues:
        raise SettingsError(issues)


@app.command()
def show(
    ctx: typer.Context,
    guest: Annotated[
        str | None, typer.Argument(metavar="GUEST", help="What a guest of this name, or UUID, gets.")
    ] = None,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value is from.")] = False,
) -> None:
    """Show the settings in force, or those of one guest."""
    from ballonet.cli.settings import settings_of  # noqa: PLC0415 - see above
    from ballonet.config.guest import for_guest  # noqa: PLC0415
    from ballonet.config.model import is_uuid  # noqa: PLC0415
    from ballonet.show.settings import (  # noqa: PLC0415
        all_rows,
        guest_rows,
        settings_document,
        settings_table,
    )

    context: Context = ctx.obj
    loaded = settings_of(context)
    rows = all_rows(loaded) if guest is None else guest_rows(for_guest(loaded, guest, guest))
    context.show(
        lambda: settings_table(rows, origin=origin), lambda: settings_document(rows, loaded.files, guest)
    )
    if guest is not None and not is_uuid(guest) and any(map(is_uuid, loaded.settings.guest)):
        context.remark("Some settings are for a UUID: to see them, give the guest's instead of its name.")


@app.command()
def sample() -> None:
    """Print a settings file with all settings and what they mean, in comments."""
    from ballonet.config.sample import sample as text  # noqa: PLC0415 - see above

    typer.echo(text(), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a settings file, for editors."""
    import json  # noqa: PLC0415 - see above

    from ballonet.config.schema import schema as document  # noqa: PLC0415

    typer.echo(json.dumps(document(), indent=2))
