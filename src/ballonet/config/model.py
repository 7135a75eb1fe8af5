"""Every setting there is, once: what it means, its unit, its default, and why that is the default.

Files are checked against these models, and the sample, the schema and the reference are written from them.
All of them are frozen: settings are replaced as a whole or not at all.
"""

import fnmatch
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from ballonet.config.values import (
    Amount,
    Budget,
    Seconds,
    Share,
    Size,
    read_amount,
    read_budget,
    read_seconds,
    read_size,
)
from ballonet.errors import UsageError
from ballonet.facts.address import read_address
from ballonet.facts.uri import check_uri, check_uris
from ballonet.units import GIB

OFF: Final = "off"
DEFAULT: Final = "default"  # the table of guests that no other says anything about
_CLASS = r"\[!?(?:\][^\]]*|[^\]!][^\]]*)\]"  # as fnmatch reads it
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = r"([0-9]+(\.[0-9]+)?|\.[0-9]+)"
_SIZE_PATTERN = rf"^\s*{_NUMBER} ?[A-Za-z]+\s*$"
_SECONDS_PATTERN = rf"^\s*({_NUMBER} ?[A-Za-z]+ ?)+\s*$"
_SHARE_PATTERN = rf"^\s*{_NUMBER} ?%\s*$"


def wrong(message: str, hint: str) -> PydanticCustomError:
    """Return what a validator raises: our two lines instead of pydantic's one."""
    return PydanticCustomError("setting", "{message}", {"message": message, "hint": hint})


def _text(read: Callable[[str], object], example: str) -> PlainValidator:
    """Return the validator of a value that is written as text with a unit."""

    def validate(value: object) -> object:
        if not isinstance(value, str):
            bare = isinstance(value, int | float) and not isinstance(value, bool)
            raise wrong(
                f"{value} has no unit" if bare else "it is not text",
                f'write it in quotes and with its unit, such as "{example}"',
            )
        try:
            return read(value)
        except UsageError as error:
            raise wrong(error.message, error.hint) from error

    return PlainValidator(validate)


def _between(low: float, high: float) -> AfterValidator:
    def validate(value: Seconds) -> Seconds:
        if low <= value <= high:
            return value
        range_ = f"{Seconds(low)} to {Seconds(high)}"
        raise wrong(f"{str(value)!r} is not within {range_}", f"choose a duration from {range_}")

    return AfterValidator(validate)


def _pattern(text: str) -> str:
    """Refuse what can match no guest, or not what it seems to."""
    if not text or not text.isprintable() or text != text.strip():
        raise wrong(f"{text!r} can be no guest's name", 'write a name, a pattern as "web-*", or a UUID')
    # What fnmatch takes for a plain bracket is more likely one that was not closed.
    if "[" in re.sub(_CLASS, "", text):
        raise wrong(f"the pattern {text!r} has a [ without its ]", "write [[] where a bracket is meant")
    return text


def _absolute(text: str) -> str:
    if not text.startswith("/") or not text.isprintable():
        raise wrong(
            f"{text!r} is no absolute path", "begin the path with /, and use letters that can be seen"
        )
    return text


def _uri(text: str) -> str:
    try:
        check_uri(text)
    except UsageError as error:
        raise wrong(error.message, error.hint) from error
    return text


def _web(text: str) -> str:
    try:
        return text if text == OFF else str(read_address(text))
    except UsageError as error:
        raise wrong(error.message, f'{error.hint}, or "{OFF}"') from error


def _one_or_several(value: object, several: ValidatorFunctionWrapHandler) -> tuple[str, ...]:
    """Read one text or a list of them; what is wrong with an element of a list has its line."""
    if isinstance(value, str):
        return (_uri(value),)
    if not isinstance(value, list | tuple) or not value:
        raise wrong("it names no hypervisor", 'write "qemu:///system", or several: ["...", "..."]')
    uris: tuple[str, ...] = several(tuple(value))
    try:
        check_uris(uris)
    except UsageError as error:
        raise wrong(error.message, error.hint) from error
    return uris


def _schema(*patterns: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": "|".join(patterns)})


def knob(default: object, means: str, *, unit: str, because: str) -> Any:  # noqa: ANN401 - as pydantic's
    """Return a field: its default, what it means, its unit, and why the default is what it is."""
    return Field(default=default, description=means, json_schema_extra={"x-unit": unit, "x-reason": because})


def _written(value: object) -> str:
    return str(value)


_AS_TEXT = PlainSerializer(_written)
SizeText: TypeAlias = Annotated[Size, _text(read_size, "512MiB"), _schema(_SIZE_PATTERN), _AS_TEXT]
AmountText: TypeAlias = Annotated[
    Amount, _text(read_amount, "512MiB"), _schema(_SIZE_PATTERN, _SHARE_PATTERN), _AS_TEXT
]
BudgetText: TypeAlias = Annotated[
    Budget, _text(read_budget, "12GiB"), _schema(_SIZE_PATTERN, _SHARE_PATTERN, r"^\s*auto\s*$"), _AS_TEXT
]
SecondsText: TypeAlias = Annotated[Seconds, _text(read_seconds, "2s"), _schema(_SECONDS_PATTERN), _AS_TEXT]
PathText: TypeAlias = Annotated[str, AfterValidator(_absolute), _schema("^/")]
_URI_PATTERN = "://|^qmp:."
UriText: TypeAlias = Annotated[str, AfterValidator(_uri), _schema(_URI_PATTERN)]
UrisText: TypeAlias = Annotated[
    tuple[UriText, ...],
    WrapValidator(_one_or_several),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _URI_PATTERN},
                {"type": "array", "items": {"type": "string", "pattern": _URI_PATTERN}, "minItems": 1},
            ]
        }
    ),
]
WebText: TypeAlias = Annotated[str, AfterValidator(_web), _schema("^off$", r":[0-9]{1,5}\s*$")]
PatternText: TypeAlias = Annotated[str, AfterValidator(_pattern)]


class Table(BaseModel):
    """A table of a settings file: keys that it does not know are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class HostSettings(Table):
    """What the guests of this host share."""

    budget: BudgetText = knob(
        Share(0.9),
        "What all guests together may hold. "
        '"auto" is what the host has left after its own use and the reserve.',
        unit='a size, a share of the host\'s memory, or "auto"',
        because="a tenth is room for the host's own programs, and for QEMU's memory beside the guests'",
    )
    reserve: SizeText = knob(
        Size(GIB),
        "Host memory that is never handed out: the host's own growth lives here.",
        unit="a size",
        because="a host that swaps slows all of its guests, and 1 GiB is more than its programs grow by "
        "between two ticks",
    )
    surplus: Literal["give", "keep"] = knob(
        "give",
        'Memory that no guest needs: "give" it to guests as room for cache, or "keep" it free on the host.',
        unit='"give" or "keep"',
        because="memory that lies idle serves nobody, and it is taken back before anybody lacks it",
    )
    allow_swap: bool = knob(
        default=False,
        means="Where the needs of all exceed the budget, shrink guests into their own swap rather than "
        "exceed it.",
        unit="true or false",
        because="only who knows the guests can tell whose slowness the budget is worth",
    )


class ServiceSettings(Table):
    """How ballonet runs on this host."""

    mode: Literal["observe", "enforce"] = knob(
        "observe",
        '"observe" plans, shows and writes nothing; "enforce" resizes guests.',
        unit='"observe" or "enforce"',
        because="what it would do should be seen before it does it",
    )
    interval: Annotated[SecondsText, _between(0.05, 60)] = knob(
        Seconds(2),
        "Time between two decisions. Bursts are answered between them.",
        unit="a duration from 50ms to 1m",
        because="guests report once a second at most, and a burst of builds grows by 1.1 GiB in two seconds",
    )
    on_stop: Literal["keep", "release"] = knob(
        "keep",
        'When the service stops: "keep" guests as they are, or "release" all memory back to them.',
        unit='"keep" or "release"',
        because="after a restart it goes on where it was, and releasing may not fit into the host",
    )
    uri: UrisText = knob(
        ("qemu:///system",),
        "The hypervisor, as libvirt's URI, or several of this host, whose guests share the budget: "
        '["qemu:///system", "xen:///system"]. "qmp:/run/vms/*.qmp" names the monitors of QEMUs without '
        "libvirt. -c and $LIBVIRT_DEFAULT_URI go before it.",
        unit="a URI, or a list of them",
        because="there are the guests of a host that has one libvirt",
    )
    socket: PathText = knob(
        "/run/ballonet/ballonet.sock",
        "Where commands reach the service.",
        unit="an absolute path",
        because="systemd makes this directory for the service, and removes it",
    )
    web: WebText = knob(
        OFF,
        "Where the web page, the API and metrics are served besides: an address of this host's own. Who "
        "changes anything there needs what `ballonet token` prints.",
        unit='"off", or an address and a port: "127.0.0.1:9779", "[::1]:9779"',
        because="the socket does for the commands, and every user of this host could read it",
    )
    compat_metrics: bool = knob(
        default=False,
        means="Whether metrics come by the names of other libvirt exporters, too.",
        unit="true or false",
        because="beside such an exporter they would be there twice",
    )
    state_directory: PathText = knob(
        "/var/lib/ballonet",
        "Where the journal and the history of events are kept.",
        unit="an absolute path",
        because="systemd makes this directory for the service, and keeps it",
    )
    event_retention: SecondsText = knob(
        Seconds(30 * 86400),
        "How long events are kept.",
        unit="a duration",
        because="a month shows what recurs with it, and takes some megabytes",
    )
    history_fine: Annotated[SecondsText, _between(60, 86400)] = knob(
        Seconds(3600),
        "How long history has every tick; what is older is summed up by the minute.",
        unit="a duration from 1m to 1d",
        because="what went wrong is looked into within the hour, and 100 guests take some 20 MiB for it",
    )
    history: Annotated[SecondsText, _between(3600, 400 * 86400)] = knob(
        Seconds(7 * 86400),
        "How long history is kept by the minute.",
        unit="a duration from 1h to 400d",
        because="a week shows what days have in common, and 100 guests take some 100 MiB for it",
    )
    history_size: SizeText = knob(
        Size(300 << 20),
        "The most that history may take on the disk; the oldest gives way.",
        unit="a size",
        because="a week of more than 200 guests fits into it",
    )


class GuestSettings(Table):
    """Three knobs a guest, whether it is to be touched at all, or its agent, and how far it may say so."""

    floor: AmountText = knob(
        Share(0.25),
        "The least that the guest keeps. A share is never under 256 MiB, and no floor is under what a kernel "
        "needs to live.",
        unit="a size, or a share of the guest's maximum",
        because="a quarter keeps a guest answering until its statistics have told what it needs",
    )
    ceiling: AmountText = knob(
        Share(1),
        "The most that the guest gets. What it has beyond that is taken bite by bite, as far as it need not "
        "swap for it.",
        unit="a size, or a share of the guest's maximum",
        because="the maximum is the limit that its owner set already",
    )
    weight: Annotated[int, Field(ge=1, le=10_000)] = knob(
        100,
        "Its weight against the other guests, when there is not enough: twice the weight gets twice as "
        "much of what is handed out, until it has enough.",
        unit="a whole number from 1 to 10000",
        because="it is in the middle, as in cgroups: others can be made lighter as well as heavier",
    )
    manage: bool = knob(
        default=True,
        means="Whether its memory is managed at all.",
        unit="true or false",
        because="what must not be touched is recognized by itself",
    )
    agent: bool = knob(
        default=False,
        means="Whether the agent in the guest (qemu-guest-agent) is asked how long its programs wait for "
        "memory, and what lies in its swap. Nothing waits for it, and nothing needs it.",
        unit="true or false",
        because="it reads files in the guest, which is for its owner to allow; docs/agent.md says what for",
    )
    metadata_floor: AmountText = knob(
        Share(1),
        "The highest floor that the guest's own metadata may ask for. Where that is less than its maximum, "
        "metadata cannot exclude the guest either.",
        unit="a size, or a share of the guest's maximum",
        because="whoever defines a guest knows best what it needs; lower it where they may not keep more "
        "than their part",
    )


class Settings(Table):
    """A settings file."""

    host: HostSettings = Field(default=HostSettings(), description=HostSettings.__doc__)
    service: ServiceSettings = Field(default=ServiceSettings(), description=ServiceSettings.__doc__)
    guest: dict[PatternText, GuestSettings] = Field(
        default={},
        description="Limits of guests: by UUID, by name, by pattern, and by default. Of each key the most "
        "exact table that has it wins; of two patterns the one with more literal characters, and of two "
        "alike the last.",
    )


TABLES: Final[Mapping[str, type[Table]]] = {
    "host": HostSettings,
    "service": ServiceSettings,
    f"guest.{DEFAULT}": GuestSettings,
}


def about(field: FieldInfo) -> tuple[str, str]:
    """Return a setting's unit and the reason of its default."""
    extra = cast("dict[str, str]", field.json_schema_extra)
    return extra["x-unit"], extra["x-reason"]


def is_uuid(text: str) -> bool:
    """Return whether a table's name is a UUID."""
    return _UUID.fullmatch(text) is not None


def literals(pattern: str) -> int:
    """Return how many characters of a pattern stand for themselves."""
    return len(re.sub(rf"{_CLASS}|[*?]", "", pattern))


def matches(pattern: str, name: str) -> bool:
    """Return whether a guest's name is like a shell's pattern: *, ?, [abc]; case counts."""
    return fnmatch.fnmatchcase(name, pattern)
