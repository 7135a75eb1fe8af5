"""From settings files and options to the settings in force."""

from collections.abc import Mapping
from typing import Any

from ballonet.cli.context import Context
from ballonet.config.load import Loaded, load
from ballonet.config.places import Places
from ballonet.config.read import Layer, checked


def settings_of(context: Context, options: Mapping[str, tuple[str, object]] | None = None) -> Loaded:
    """Return the settings of the files in force, and of options: by name, their dotted key and value.

    An option whose value is None was not given. Raises SettingsError with everything that is wrong.
    """
    given = [_layer(name, key, value) for name, (key, value) in (options or {}).items() if value is not None]
    return load(Places.beside(context.config) if context.config else None, given)


def _layer(option: str, key: str, value: object) -> Layer:
    raw: Any = value
    for part in reversed(key.split(".")):
        raw = {part: raw}
    return checked(raw, option, {})
