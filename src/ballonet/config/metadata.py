"""What a guest says about itself, in the metadata of its domain, which travel with it.

One element of the namespace `urn:ballonet:guest:1`, its settings as attributes, as libvirt stores it with

    virsh metadata web urn:ballonet:guest:1 --key ballonet --set '<guest floor="2 GiB" weight="50"/>'

It comes from whoever may define the guest, which need not be who runs the host: it may only tighten what the
host's files allow (see `limits.py`), and what is wrong with it costs that guest its metadata and no more.
"""

from dataclasses import replace
from typing import Final
from xml.parsers import expat

from ballonet.config.model import DEFAULT, GuestSettings
from ballonet.config.read import checked
from ballonet.errors import Issue, SettingsError

NAMESPACE: Final = "urn:ballonet:guest:1"
LARGEST_CHARACTERS: Final = 4096  # five attributes take a hundred
_HINT: Final = f'metadata look like <ballonet:guest xmlns:ballonet="{NAMESPACE}" floor="2 GiB"/>'
_SWITCHES: Final = {"yes": True, "no": False, "true": True, "false": False}


def read_metadata(xml: str) -> GuestSettings:
    """Return what an element says, only its keys set; raises SettingsError with all that is wrong."""
    said: dict[str, object] = dict(_attributes(xml))
    weight = said.get("weight")
    if isinstance(weight, str) and weight.isascii() and weight.isdecimal():
        said["weight"] = int(weight)
    for key in ("manage", "agent"):
        if isinstance(word := said.get(key), str):
            said[key] = _SWITCHES.get(word, word)
    if "metadata_floor" in said:
        raise SettingsError(
            [Issue("only the host's files can say it", "leave it out of the metadata", key="metadata_floor")]
        )
    try:
        layer = checked({"guest": {DEFAULT: said}}, "", {})
    except SettingsError as error:
        # An attribute has no table.
        raise SettingsError(
            [replace(issue, key=issue.key.rpartition(".")[2]) for issue in error.issues]
        ) from error
    return GuestSettings.model_construct(None, **{key[-1]: each.value for key, each in layer.items()})


def _attributes(xml: str) -> dict[str, str]:
    """Return the attributes of the one element; raises SettingsError for anything else."""
    elements: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: elements.append((name, attributes))
    parser.StartDoctypeDeclHandler = _refuse_declarations
    if len(xml) > LARGEST_CHARACTERS:
        raise _none(f"they are longer than {LARGEST_CHARACTERS} characters")
    try:
        parser.Parse(xml, True)  # noqa: FBT003 - it takes no keywords
    except (expat.ExpatError, UnicodeError) as error:
        raise _none(f"they are not XML: {error}") from error
    (name, attributes), *inside = elements
    # libvirt hands out the element without its namespace, and stores it with it.
    if name not in {"guest", f"{NAMESPACE} guest"} or inside:
        raise _none("they are not one element `guest`")
    return attributes


def _refuse_declarations(*_: object) -> None:
    # Entities could be declared there that grow without end.
    raise _none("they declare a document type")


def _none(message: str) -> SettingsError:
    return SettingsError([Issue(message, _HINT)])
