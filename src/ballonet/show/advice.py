"""Advice on sizes for people and programs: what each step costs, with the command that takes it."""

import shlex
from collections.abc import Sequence
from typing import Any

from ballonet.facts.guest import Guest
from ballonet.policy.advise import Advice
from ballonet.policy.floors import reserve_bytes
from ballonet.show.table import UNKNOWN, paragraph, table
from ballonet.show.words import size
from ballonet.units import MIB, exact_size, format_duration, format_size

_HEADER = ("GUEST", "ACTUAL", "NO COST", "CACHE", "SWAP", "FLOOR", "NEEDS")
_LEGEND = "What can be taken: at no cost; on top at the cost of cache; beyond that by making it swap."
_LACKS = {
    "exhausted": "less than its reserve is usable",
    "swapping": "it swaps",
    "faulting": "its page faults read from disk",
}


def advice_table(advices: Sequence[Advice], columns: int | None = None) -> str:
    """Return one row a guest, and a sentence for each that needs more or of which nothing is known."""
    text = table(_HEADER, [_row(advice) for advice in advices], right=_HEADER[1:])
    remarks = [f"{advice.guest.name}: {_remark(advice)}" for advice in advices if _remark(advice)]
    return "\n".join([text, *(paragraph(line, columns) for line in [*remarks, _LEGEND] if advices)])


def advice_details(advice: Advice, columns: int | None = None) -> str:
    """Return the reckoning of one guest in sentences, and commands that stand alone, to be pasted."""
    if advice.unknown:
        name = advice.guest.name
        lines = [
            f"What can be taken from {name} is unknown: {advice.unknown}.",
            _command("doctor", advice.guest),
        ]
    else:
        lines = [_has(advice), *_wants(advice), *_takes(advice), _seen(advice), _resident(advice.guest)]
    return "\n".join(line if line.startswith(" ") else paragraph(line, columns) for line in lines if line)


def advice_fields(advice: Advice) -> dict[str, Any]:
    """Return the fields of an advice for programs."""
    rates = advice.rates
    return {
        "name": advice.guest.name,
        "uuid": advice.guest.uuid,
        "maximum_bytes": advice.guest.maximum_bytes,
        "actual_bytes": advice.guest.actual_bytes,
        "floor_bytes": advice.floor_bytes,
        "ceiling_bytes": advice.ceiling_bytes,
        "free_bytes": advice.free_bytes,
        "cache_bytes": advice.cache_bytes,
        "swap_bytes": advice.swap_bytes,
        "more_bytes": advice.more_bytes,
        "lacks": list(advice.lacks),
        "swap_in_bytes_per_second": rates.swap_in_bytes if rates else None,
        "swap_out_bytes_per_second": rates.swap_out_bytes if rates else None,
        "major_faults_per_second": rates.major_faults if rates else None,
        "unknown": advice.unknown or None,
    }


def _row(advice: Advice) -> tuple[str, ...]:
    taken = (advice.free_bytes, advice.cache_bytes, advice.swap_bytes)
    sizes = map(size, (advice.guest.actual_bytes, *taken, advice.floor_bytes))
    return (advice.guest.name, *sizes, _needs(advice))


def _needs(advice: Advice) -> str:
    if advice.more_bytes is None:
        return UNKNOWN
    if not advice.lacks:
        return "enough"
    full = "above ceiling" if _is_limited(advice) else "above max"
    return f"+{format_size(advice.more_bytes)}" if advice.more_bytes else full


def _is_limited(advice: Advice) -> bool:
    """Return whether an administrator allows a guest less than its maximum."""
    return (advice.ceiling_bytes or 0) < (advice.guest.maximum_bytes or 0)


def _remark(advice: Advice) -> str:
    """Return why a guest needs more, or why nothing is known of it."""
    if advice.unknown:
        return f"unknown, {advice.unknown}"
    return f"needs more, {_reasons(advice)}" if advice.lacks else ""


def _reasons(advice: Advice) -> str:
    return ", and ".join(_LACKS[lack] for lack in advice.lacks)


def _has(advice: Advice) -> str:
    """Return what a guest has, and what of it is not in use."""
    guest, statistics = advice.guest, advice.guest.statistics
    return (
        f"{guest.name} has {size(guest.actual_bytes)} of its {size(guest.maximum_bytes)}: "
        f"{size(statistics.usable_bytes)} are usable, {size(statistics.unused_bytes)} of these unused. "
        f"It keeps {format_size(reserve_bytes(guest.maximum_bytes or 0))} as its kernel's reserve."
    )


def _wants(advice: Advice) -> list[str]:
    """Return what shows that a guest needs more, and the command that gives it."""
    guest = advice.guest
    if not advice.lacks:
        return []
    need = f"It needs more: {_reasons(advice)}."
    if advice.more_bytes:
        return [need, _command("set", guest, (guest.actual_bytes or 0) + advice.more_bytes)]
    if _is_limited(advice):
        ceiling = f"its ceiling of {size(advice.ceiling_bytes)}"
        return [
            f"{need} It has all that {ceiling} allows; who says so:",
            _command("config show --origin", guest),
        ]
    # Half as much again is a guess that the next advice corrects.
    larger = (guest.maximum_bytes or 0) * 3 // 2
    return [
        f"{need} It has all of its maximum; a larger one, from its next start:",
        f"{_command('set-max', guest, larger)} --config",
    ]


def _takes(advice: Advice) -> list[str]:
    """Return what can be taken, dearer step by step, each with its command."""
    if advice.lacks:
        return ["Nothing can be taken from it."]
    guest, actual = advice.guest, advice.guest.actual_bytes or 0
    free, cache = advice.free_bytes or 0, advice.cache_bytes or 0
    lines = []
    if free:
        lines += [f"{format_size(free)} can be taken at no cost:", _command("set", guest, actual - free)]
    if cache:
        price = "at the cost of its cache, which is read again from disk where it is needed:"
        lines += [
            f"{format_size(cache)} {'more ' if free else ''}can be taken {price}",
            _command("set", guest, actual - free - cache),
        ]
    if not lines:
        lines.append("Nothing can be taken without making it swap.")
    floor = f"its floor of {size(advice.floor_bytes)}"
    if not advice.swap_bytes:
        return [*lines, f"That is as far as {floor} lets it go."]
    return [*lines, f"Taking {format_size(advice.swap_bytes)} more, down to {floor}, would make it swap."]


def _seen(advice: Advice) -> str:
    """Return what the counters did between the two samples."""
    rates = advice.rates
    if rates is None:
        return "Whether it swaps now is unknown: no second sample of its counters came in time."
    faults = UNKNOWN if rates.major_faults is None else f"{rates.major_faults:.1f}"
    return (
        f"In the last {format_duration(rates.seconds)} it swapped in {size(rates.swap_in_bytes)}/s and out "
        f"{size(rates.swap_out_bytes)}/s, and had {faults} major faults/s."
    )


def _resident(guest: Guest) -> str:
    """Return what the guest costs the host, where that limits what the host can win."""
    resident, actual = guest.statistics.rss_bytes, guest.actual_bytes
    if resident is None or actual is None or resident >= actual:
        return ""
    return (
        f"Its process holds {format_size(resident)} on the host: taking memory that it never touched "
        "frees nothing there."
    )


def _command(command: str, guest: Guest, size_bytes: int | None = None) -> str:
    """Return a command on a line of its own, its size rounded up to what people write."""
    words = ["  ballonet", command, shlex.quote(guest.name)]
    return " ".join(words if size_bytes is None else [*words, exact_size(-(-size_bytes // MIB) * MIB)])
