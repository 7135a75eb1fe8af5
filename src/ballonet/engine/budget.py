"""What all guests together may hold: a size, or a share of the host's memory."""

import re

from ballonet.errors import UsageError
from ballonet.facts.host import HostMemory
from ballonet.units import format_size, parse_size

_HINT = "a budget is a size or a share of the host's memory: 12GiB, 90%"


def budget_bytes(text: str, host: HostMemory | None) -> float:
    """Return the bytes of a budget like `12GiB` or `90%`.

    Raises UsageError for anything else, for more than the host has, and for a share of a host whose
    memory cannot be read.
    """
    if re.fullmatch(r"\s*[0-9.]+ ?%\s*", text):
        return _share(text, host)
    if "%" in text:
        raise UsageError(f"{text!r} is not a share", hint=_HINT)
    size = parse_size(text)
    if host is not None and size > host.total_bytes:
        has = format_size(host.total_bytes)
        raise UsageError(f"the budget {format_size(size)} is more than the host has ({has})", hint=_HINT)
    return float(size)


def _share(text: str, host: HostMemory | None) -> float:
    try:
        share = float(text.strip().removesuffix("%"))
    except ValueError as error:
        raise UsageError(f"{text!r} is not a share", hint=_HINT) from error
    if not 0 < share <= 100:
        raise UsageError(f"the budget {text!r} is not between 0 % and 100 %", hint=_HINT)
    if host is None:
        raise UsageError(
            "a share needs the host's memory, and the guests run on another host",
            hint="give the budget as a size: --budget 12GiB",
        )
    return share / 100 * host.total_bytes
