"""Why one guest has the size that it has, in plain words: read off the service's answer."""

from ballonet.service.models import Change, Inputs, Learned, Tiers, Why
from ballonet.show.requests import hold_sentence
from ballonet.show.table import UNKNOWN, pairs, paragraph, printable, table
from ballonet.show.words import age, moment, rate, share, size
from ballonet.units import MIB, format_duration

_SETTLED_BYTES = 2 * MIB  # a balloon moves 1 MiB at a time


def why_text(why: Why, columns: int | None = None) -> str:
    """Return all that explains one guest's size, sentences wrapped to so many columns."""
    parts = [
        "\n".join(paragraph(printable(line), columns) for line in said(why)),
        f"{told(why.inputs)}\n{pairs(inputs(why.inputs), columns)}",
        table(("TIER", "WANTED", "GETS"), tiers(why.wanted, why.got), right={"WANTED", "GETS"}),
        f"What was learned of it:\n{pairs(learned(why.learned), columns)}",
        _changes(why.changes),
    ]
    return "\n\n".join(part for part in parts if part)


def said(why: Why) -> list[str]:
    """Return what is done with the guest, and which rule said so."""
    has = f"{why.name} has {size(why.inputs.actual_bytes)} of its {size(why.inputs.maximum_bytes)}"
    if why.told_bytes is not None and why.inputs.actual_bytes is not None:
        away = abs(why.told_bytes - why.inputs.actual_bytes) > _SETTLED_BYTES
        has += f", and was told to have {size(why.told_bytes)}" if away else ""
    lines = [f"{has}.", f"{_next(why)}: {why.sentence}."]
    if why.hold is not None:
        lines.append(f"{hold_sentence(why.hold)}.")
    if why.verdict.remedy:
        lines.append(f"What can be done: {why.verdict.remedy}")
    return lines


def _next(why: Why) -> str:
    if not why.verdict.managed:
        return "It is left alone"
    return "It stays so" if why.target_bytes is None else f"It is to have {size(why.target_bytes)}"


def told(inputs: Inputs) -> str:
    """Return how old what the guest itself reports was, as a title."""
    if inputs.stats_age_seconds is None:
        return "It never told its statistics; what is known:"
    return f"What was known, its own statistics {age(inputs.stats_age_seconds)} old:"


def inputs(inputs: Inputs) -> list[tuple[str, str]]:
    """Return the facts that were decided from, each with its name."""
    period = inputs.stats_period_seconds
    rows = [
        ("usable", size(inputs.usable_bytes)),
        ("unused", size(inputs.unused_bytes)),
        ("available", size(inputs.available_bytes)),
        ("resident", size(inputs.rss_bytes)),
        ("swapped", f"{size(inputs.swap_in_bytes_total)} in, {size(inputs.swap_out_bytes_total)} out"),
        ("major faults", UNKNOWN if inputs.major_faults_total is None else str(inputs.major_faults_total)),
        ("reports", UNKNOWN if period is None else f"every {format_duration(period)}" if period else "never"),
        ("floor", size(inputs.floor_bytes)),
        ("ceiling", size(inputs.ceiling_bytes)),
        ("weight", f"{inputs.weight:g}"),
    ]
    if inputs.agent_age_seconds is not None:
        rows.append(("its agent", agent(inputs)))
    elif inputs.pressure_ratio is not None:
        rows.append(("pressure", share(inputs.pressure_ratio)))
    return rows


def agent(inputs: Inputs) -> str:
    """Return what the guest's agent told, and when."""
    waited = UNKNOWN if inputs.pressure_ratio is None else share(inputs.pressure_ratio)
    swap = f"{size(inputs.swapped_bytes)} in swap, {size(inputs.swap_left_bytes)} left there"
    committed = f"{size(inputs.committed_bytes)} asked for"
    told = age(inputs.agent_age_seconds)
    return f"told {told} ago: {waited} of the time something waited for memory, {swap}, {committed}"


def tiers(wanted: Tiers, got: Tiers) -> list[tuple[str, str, str]]:
    """Return each tier with what was wanted of it and what is given."""
    return [
        (name, size(getattr(wanted, f"{name}_bytes")), size(getattr(got, f"{name}_bytes")))
        for name in ("need", "cushion", "cache", "surplus")
    ]


def learned(learned: Learned) -> list[tuple[str, str]]:
    """Return what was learned of a guest over time, each with its name."""
    rows = [
        ("used", size(learned.used_bytes)),
        ("cushion", size(learned.cushion_bytes)),
        ("growth", f"{rate(learned.growth_bytes_per_second)} at its fastest"),
        ("cache in use", size(learned.kept_bytes)),
        ("margin", f"{size(learned.margin_bytes)} usable were too little once"),
        ("swap debt", size(learned.swap_debt_bytes)),
        ("accounting", _accounting(learned)),
        ("reads", _reads(learned)),
    ]
    if not learned.margin_bytes:
        rows = [row for row in rows if row[0] != "margin"]
    if learned.distress:
        rows.append(("distress", "it lacks memory now: nothing is taken"))
    if learned.probed_again_at is not None:
        rows.append(
            ("after a bite", f"that hurt: nothing more is tried until {moment(learned.probed_again_at)}")
        )
    return rows


def _accounting(learned: Learned) -> str:
    if learned.balloon_counts_as_used:
        return "its kernel counts the balloon as used memory"
    return f"its kernel keeps {size(learned.overhead_bytes)} for itself"


def _reads(learned: Learned) -> str:
    if learned.reads_per_second is None:
        return UNKNOWN
    usual = UNKNOWN if learned.usual_reads_per_second is None else f"{learned.usual_reads_per_second:.3g}"
    lost = share(learned.lost_ratio)
    return f"{learned.reads_per_second:.3g}/s, usually {usual}/s; {lost} of its time lost to lacking cache"


def _changes(changes: list[Change]) -> str:
    """Return the last changes, each with its reason and what became of it."""
    if not changes:
        return "Nothing was changed of it lately."
    rows = [(moment(change.at), change.sentence, result(change)) for change in changes]
    return f"Its last changes:\n{table(('AT', 'CHANGE AND REASON', 'RESULT'), rows)}"


def result(change: Change) -> str:
    """Return what became of a change."""
    if not change.written:
        return "only observed"
    if change.then_bytes is None or change.to_bytes is None:
        return UNKNOWN
    there = abs(change.then_bytes - change.to_bytes) <= _SETTLED_BYTES
    return "reached" if there else f"came to {size(change.then_bytes)}"
