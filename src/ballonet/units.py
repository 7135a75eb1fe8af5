"""Sizes and durations: text in, text out; whole bytes and float seconds inside.

Sizes take virsh's suffixes (`b`, `KB` = 1000, `k` and `KiB` = 1024, ... up to `E`), fractions, and one space
before the suffix, in any case. A bare number is refused: it means another thing in each neighbouring tool.
"""

import re
from decimal import Decimal
from typing import Final

from ballonet.errors import UsageError

KIB: Final = 1 << 10
MIB: Final = 1 << 20
GIB: Final = 1 << 30

_PREFIXES = "kmgtpe"
_BYTES_BY_SUFFIX = {
    **dict.fromkeys(("b", "byte", "bytes"), 1),
    **{prefix: 1024**power for power, prefix in enumerate(_PREFIXES, 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate(_PREFIXES, 1)},
    **{f"{prefix}b": 1000**power for power, prefix in enumerate(_PREFIXES, 1)},
}
_SECONDS_BY_SUFFIX = {
    "ms": Decimal("0.001"),
    **dict.fromkeys(("s", "sec"), Decimal(1)),
    **dict.fromkeys(("m", "min"), Decimal(60)),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
_LARGEST_BYTES = 2**63 - 1  # a signed 64-bit number, which libvirt and QEMU take
_LONGEST_SECONDS = 2**31 - 1  # 68 years: more is a slip of the finger
_MOST_CHARACTERS = 10_000  # of a million digits arithmetic makes an overflow

_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_BARE = re.compile(_NUMBER)
_NEGATIVE = re.compile(r"[-\N{MINUS SIGN}] ?[.0-9].*", re.DOTALL)
_SIZE = re.compile(rf"({_NUMBER}) ?([a-zA-Z]+)")
_PART = re.compile(rf"({_NUMBER}) ?([a-zA-Z]+) ?")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")


def parse_size(text: str, *, zero: bool = False) -> int:
    """Return the bytes of a size like `1500M`, `1.5 GiB` or `2gb`, rounded to whole ones.

    Raises UsageError for anything else; for 0 unless `zero`.
    """
    text = text.strip()
    hint = "sizes look like 1500M, 1.5GiB or 2GB"
    _refuse_endless("size", text, hint)
    if _BARE.fullmatch(text):
        raise UsageError(
            f"size {text!r} has no unit",
            hint=f"write {text}M or so: a bare number means KiB in virsh, bytes in QMP, MiB in Proxmox",
        )
    _refuse_negative("size", text, hint)
    found = _SIZE.fullmatch(text)
    if not found:
        raise UsageError(f"{text!r} is not a size", hint=hint)
    number, suffix = found.groups()
    scale = _BYTES_BY_SUFFIX.get(suffix.lower())
    if scale is None:
        raise UsageError(
            f"size {text!r} has the unknown unit {suffix!r}", hint="units: b, KB, KiB, k, M, G, T, P, E"
        )
    size = (Decimal(number) * scale).to_integral_value()
    if size > _LARGEST_BYTES:
        raise UsageError(f"size {text!r} is too large", hint="the largest size is just below 8 EiB")
    _refuse_zero("size", text, bool(size) or zero, hint)
    return int(size)


def format_size(size_bytes: float) -> str:
    """Return a size for people: IEC units, three digits (`1.46 GiB`), four between 1000 and 1023."""
    value, unit = abs(float(size_bytes)), "B"
    for prefix in _PREFIXES.upper():
        if round(value) < 1024:
            break
        value, unit = value / 1024, f"{prefix}iB"
    sign = "-" if size_bytes < 0 else ""
    return f"{sign}{_three_digits(value) if unit != 'B' else round(value)} {unit}"


def exact_size(size_bytes: int) -> str:
    """Return a size to the byte, in the largest IEC unit that it is a whole number of: to be pasted."""
    for power in range(len(_PREFIXES), 0, -1):
        if size_bytes and size_bytes % 1024**power == 0:
            return f"{size_bytes // 1024**power}{_PREFIXES[power - 1].upper()}iB"
    return f"{size_bytes}b"


def parse_duration(text: str, *, zero: bool = False, bare_seconds: bool = False) -> float:
    """Return the seconds of a duration like `500ms`, `2s`, `1.5h` or `2h30m`.

    Raises UsageError for anything else; for 0 unless `zero`; for a number without a unit unless
    `bare_seconds`, for what is a count of seconds everywhere.
    """
    text = text.strip()
    hint = "durations look like 500ms, 30s, 10m or 2h30m"
    _refuse_endless("duration", text, hint)
    if _BARE.fullmatch(text):
        if not bare_seconds:
            raise UsageError(
                f"duration {text!r} has no unit", hint=f"write {text}s for seconds, {text}m for minutes"
            )
        text += "s"
    _refuse_negative("duration", text, hint)
    if not _DURATION.fullmatch(text):
        raise UsageError(f"{text!r} is not a duration", hint=hint)
    seconds = Decimal(0)
    for number, suffix in _PART.findall(text):
        scale = _SECONDS_BY_SUFFIX.get(suffix.lower())
        if scale is None:
            raise UsageError(
                f"duration {text!r} has the unknown unit {suffix!r}", hint="units: ms, s, m, h, d"
            )
        seconds += Decimal(number) * scale
    if seconds > _LONGEST_SECONDS:
        raise UsageError(f"duration {text!r} is too long", hint="the longest duration is 24855d")
    _refuse_zero("duration", text, bool(seconds) or zero, hint)
    return float(seconds)


def format_duration(seconds: float) -> str:
    """Return a duration for people in its two largest units: `250 ms`, `3 s`, `2 min 30 s`, `1 h 5 min`."""
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if 0 < seconds < 0.9995:
        return f"{_three_digits(seconds * 1000)} ms"
    if seconds < 9.95:
        return f"{round(seconds, 1):g} s"
    for large, large_unit, small, small_unit in _SCALES:
        # The smaller unit is what is rounded to, so that 59.9 s is 1 min.
        count = round(seconds / small)
        if count * small >= large:
            whole, rest = divmod(count, large // small)
            return f"{whole} {large_unit}" + (f" {rest} {small_unit}" if rest else "")
    return f"{round(seconds)} s"


def exact_duration(seconds: float) -> str:
    """Return a duration that `parse_duration` reads as the same, in its largest whole unit: `90s`, `30d`."""
    for unit, scale in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % scale == 0:
            return f"{int(seconds // scale)}{unit}"
    exact = Decimal(repr(seconds))
    return f"{(1000 * exact).normalize():f}ms" if 0 < seconds < 1 else f"{exact.normalize():f}s"


_SCALES = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def _three_digits(value: float) -> str:
    """Return a number from 0 on with three digits, all digits of what is before its point."""
    for limit, decimals in ((9.995, 2), (99.95, 1)):
        if value < limit:
            return f"{value:.{decimals}f}"
    return f"{value:.0f}"


def _refuse_endless(what: str, text: str, hint: str) -> None:
    if len(text) > _MOST_CHARACTERS:
        raise UsageError(f"{text[:20]!r}… is no {what}: it has {len(text)} characters", hint=hint)


def _refuse_negative(what: str, text: str, hint: str) -> None:
    if _NEGATIVE.fullmatch(text):
        raise UsageError(f"{what} {text!r} is negative", hint=hint)


def _refuse_zero(what: str, text: str, fine: bool, hint: str) -> None:  # noqa: FBT001
    if not fine:
        raise UsageError(f"{what} {text!r} is nothing", hint=hint)
