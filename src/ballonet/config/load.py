"""All settings files as one: later ones override earlier ones key by key, and each value keeps its place.

Whole or not at all: what is wrong anywhere is found and told together, and then nothing is loaded.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ballonet.config.check import contradictions
from ballonet.config.model import GuestSettings, HostSettings, ServiceSettings, Settings
from ballonet.config.places import Places
from ballonet.config.read import Layer, Origin, Said, read_layer
from ballonet.errors import Issue, SettingsError


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings in force, where each was said, and the files that were read."""

    settings: Settings
    said: Mapping[tuple[str, ...], Said]  # by key, in the order in which they were said last
    files: tuple[Path, ...] = ()

    def origin(self, *key: str) -> Origin:
        """Return where a value was said."""
        return self.said[key].origin if key in self.said else Origin()


def load(places: Places | None = None, options: Sequence[Layer] = ()) -> Loaded:
    """Return the settings of a system, or those of other places; options override all files.

    An option is what `checked` returns for its value, and the option's name as the file.

    Raises SettingsError with everything that is wrong.
    """
    return load_files((places or Places.usual()).files(), options)


def load_files(files: Sequence[Path], options: Sequence[Layer] = ()) -> Loaded:
    """Return the settings of these files, in this order; raises SettingsError with everything wrong."""
    layers, issues = list[Layer](), list[Issue]()
    for path in files:
        try:
            layers.append(read_layer(path))
        except SettingsError as error:
            issues += error.issues
    said = overlaid([*layers, *options])
    issues += contradictions(said)
    if issues:
        raise SettingsError(issues)
    return Loaded(composed(said), said, tuple(files))


def overlaid(layers: Iterable[Layer]) -> Layer:
    """Return what layers say together: a key is where, and what, it was said last."""
    together: Layer = {}
    for layer in layers:
        for key, said in layer.items():
            together.pop(key, None)
            together[key] = said
    return together


def composed(said: Layer) -> Settings:
    """Return the settings that these values make; they were checked before."""
    tables: dict[tuple[str, ...], dict[str, object]] = {("host",): {}, ("service",): {}}
    for (*way, key), each in said.items():
        tables.setdefault(tuple(way), {})[key] = each.value
    host, service = tables.pop(("host",)), tables.pop(("service",))
    guests = {way[1]: GuestSettings.model_construct(None, **table) for way, table in tables.items()}
    return Settings.model_construct(
        host=HostSettings.model_construct(None, **host),
        service=ServiceSettings.model_construct(None, **service),
        guest=guests,
    )
