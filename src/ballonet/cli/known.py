"""What settings files say to commands that only look: where guests are, and what each may have.

What reads the files takes as long to import as all else that `guests` does: where there are none, it is left.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Optional

from ballonet.cli.context import Context
from ballonet.config.places import Places
from ballonet.errors import BallonetError, SettingsError

if TYPE_CHECKING:
    from ballonet.config.load import Loaded
    from ballonet.engine.limits import LimitsOf
    from ballonet.facts.columns import Columns
    from ballonet.facts.guest import Guest
    from ballonet.facts.limits import Limits


def known(context: Context, missed: Callable[[BallonetError], None]) -> Optional["Loaded"]:
    """Return the settings of the files in force, None where there are none.

    Where they cannot be used, `missed` is called with why, and there are none.
    """
    places = Places.beside(context.config) if context.config else Places.usual()
    try:
        if not places.files():
            return None
        from ballonet.config.load import load  # noqa: PLC0415 - pydantic, see above

        return load(places)
    except SettingsError as error:
        text = f"the settings are left out, see ballonet config check: {error.message}"
        missed(BallonetError(text))
        return None


def located(context: Context, loaded: Optional["Loaded"]) -> Context:
    """Return the context with the hypervisors of the settings, unless others were named."""
    uris = context.uris if context.uri_given or loaded is None else loaded.settings.service.uri
    return replace(context, uris=uris, uri_given=True)


def asks_by(loaded: Optional["Loaded"]) -> Callable[["Guest"], bool]:
    """Return whose agent may be asked by the settings, and by the guest's own metadata."""
    if loaded is None:
        return lambda _: False
    from ballonet.config.limits import FileLimits  # noqa: PLC0415 - pydantic, see above

    return FileLimits(loaded, lambda _: None).asks


def limits_by(loaded: Optional["Loaded"]) -> "LimitsOf":
    """Return what each guest may have by the settings and by its own metadata."""

    def limits(guests: "Columns") -> "Limits":
        if loaded is None and not any(guests.metadata):
            from ballonet.engine.limits import usual  # noqa: PLC0415 - numpy, which no completion needs

            return usual(guests)
        from ballonet.config.limits import FileLimits  # noqa: PLC0415 - pydantic, see above
        from ballonet.config.load import load_files  # noqa: PLC0415

        return FileLimits(loaded or load_files([]), lambda _: None)(guests)

    return limits
