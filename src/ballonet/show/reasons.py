"""Decisions in words: the sentences are read off a plan's rows, nothing is reckoned again."""

import time

from ballonet.facts.happening import ACTS, Happening, Kind
from ballonet.facts.plan import TIERS, Bound, PlanRow
from ballonet.units import format_size

_BOUNDS = {
    Bound.NOTHING: "it has what it should have",
    Bound.GROWS: "it grows to all that is allotted to it",
    Bound.SHRINKS: "it gives what others get",
    # Of who is not managed the verdict itself is said.
    Bound.VERDICT: "what it needs is not known until its balloon is seen at rest",
    Bound.HOST_SHORT: "it waits for more, which nobody has free",
    Bound.BITE: "it gives a part now and is watched",
    Bound.DEADBAND: "the change is not worth making",
    Bound.DWELL: "it grew a moment ago",
    Bound.WAITS: "its last change has not arrived, or no statistics are newer",
    Bound.DISTRESS: "it swaps: nothing is taken",
}
_STEPS = {
    Kind.LENT: "its unused memory is called in for a burst",
    Kind.RELEASED: "it did not follow its last target, and is left alone for a while",
}
_SAID = {Kind.CAME: "is here", Kind.WENT: "is gone", Kind.REBOOTED: "was reset"}


def sentence(row: PlanRow) -> str:
    """Return why a guest is to have the size it is to have."""
    if not row.verdict.managed:
        return row.verdict.reason
    grows = row.bound is Bound.HOST_SHORT and row.target_bytes is not None
    rule, got = "it grows by as much as is free" if grows else _BOUNDS[row.bound], shares(row)
    return f"{rule}: {got}" if got else rule


def shares(row: PlanRow) -> str:
    """Return what the tiers gave: "all of its need, 62 % of its cushion, none of its cache, ...".

    Empty for who is not known to want anything.
    """
    parts = [
        f"{_share(got / wanted)} of its {tier}"
        for tier, wanted, got in zip(TIERS, row.wanted_bytes, row.got_bytes, strict=True)
        if wanted >= 1.0 and tier != "surplus"
    ]
    extra = row.got_bytes[TIERS.index("surplus")]
    if extra >= 1.0:
        parts.append(f"{format_size(int(extra))} of surplus")
    if not parts:
        return ""
    because = (
        f", because the budget is short by {format_size(int(row.short_bytes))}" if row.short_bytes else ""
    )
    return ", ".join(parts) + because


def line(happening: Happening) -> str:
    """Return one line for one thing that happened: when, who, from what to what, and why."""
    clock = time.strftime("%H:%M:%S", time.localtime(happening.at))
    would = "" if happening.written or happening.kind not in ACTS else "would: "
    return f"{clock}  {happening.name or '–':<12} {would}{what(happening)}"


def what(happening: Happening) -> str:
    """Return what happened, in words."""
    match happening.kind:
        case Kind.PLANNED if happening.row is not None:
            return f"{_step(happening)}  {sentence(happening.row)}"
        case Kind.BURST:
            rate = format_size(int(happening.rate_bytes or 0))
            return f"{_step(happening)}  a burst of {rate}/s is in sight"
        case Kind.ASKED:
            return f"{_step(happening)}  {happening.text or 'somebody'} asked for it"
        case kind if kind in _STEPS:
            return f"{_step(happening)}  {_STEPS[kind]}"
        case Kind.VERDICT if happening.row is not None:
            managed = happening.row.verdict.code == "managed"
            return "managed" if managed else f"left alone: {happening.row.verdict.reason}"
        case Kind.PERIOD:
            return f"statistics switched on, every {happening.text} s"
        case kind:
            return _SAID.get(kind, happening.text)


def _step(happening: Happening) -> str:
    """Return "512 MiB → 384 MiB"."""
    start, end = happening.from_bytes or 0, happening.to_bytes or 0
    return f"{format_size(int(start))} → {format_size(int(end))}"


def _share(ratio: float) -> str:
    """Return a share as people say it."""
    if ratio >= 0.995:
        return "all"
    if ratio < 0.005:
        return "none"
    return f"{ratio:.0%}".replace("%", " %")
