"""What it came to, in words: memory given back, what that cost, and what could be set better."""

from ballonet.service.models import Report, Totals
from ballonet.show.table import UNKNOWN, pairs, paragraph, printable, table
from ballonet.show.words import moment, share, size
from ballonet.units import GIB, format_duration

_HOUR_SECONDS = 3600.0
_ONLY_SEEN = (
    "Only what is seen is free memory: what a guest gave back and its process still holds serves nobody."
)


def report_text(report: Report, columns: int | None = None) -> str:
    """Return it in paragraphs, wrapped to so many columns."""
    parts = [_time(report), pairs(_whole(report), columns)]
    if report.totals.compared_byte_seconds:
        parts.append(paragraph(_ONLY_SEEN, columns))
    if report.guests:
        parts.append(_guests(report))
    if report.sizing:
        rows = [(each.name, f"{each.sentence}: {each.remedy}") for each in report.sizing]
        parts.append(f"Better set otherwise\n{pairs(rows, columns)}")
    if report.left_alone:
        rows = [(each.name, _reason(each.verdict.reason, each.verdict.remedy)) for each in report.left_alone]
        parts.append(f"Never managed\n{pairs(rows, columns)}")
    return "\n\n".join(parts)


def _time(report: Report) -> str:
    asked = (report.until - report.asked_since).total_seconds()
    seen = report.observed_seconds
    text = f"{moment(report.since)} to {moment(report.until)}"
    if report.since > report.asked_since:
        text += f": history begins then (asked for: {format_duration(asked)})"
    elif seen < 0.99 * asked:
        text += f": observed for {format_duration(seen)} of {format_duration(asked)}"
    mode = "" if report.writes else "Nothing is written now: the service only observes, or is paused.\n"
    return mode + text


def _whole(report: Report) -> list[tuple[str, str]]:
    totals = report.totals
    rows = [("given back", _given_back(report))]
    if totals.compared_byte_seconds:
        rows += [
            ("seen", _seen(totals)),
            ("not held", f"{_gib_hours(totals.unheld_byte_seconds)}, what guests never touched included"),
        ]
    elif totals.given_back_byte_seconds:
        rows.append(("seen", f"{UNKNOWN}: the resident memory of the guests' processes cannot be read"))
    return [
        *rows,
        ("cost", _cost(totals)),
        ("changes", f"{totals.changes}, {totals.bursts} of them for bursts"),
    ]


def _given_back(report: Report) -> str:
    given, seen = report.totals.given_back_byte_seconds, report.observed_seconds
    mean = f", {size(given / seen)} on average" if seen else ""
    return f"{_gib_hours(given)} (maximum less actual){mean}"


def _seen(totals: Totals) -> str:
    ratio = totals.seen_byte_seconds / totals.compared_byte_seconds
    missing = totals.given_back_byte_seconds - totals.compared_byte_seconds
    unknown = (
        f"; of {_gib_hours(missing)} it is unknown" if missing > 0.01 * totals.given_back_byte_seconds else ""
    )
    return (
        f"{_gib_hours(totals.seen_byte_seconds)} of it, {share(ratio)}, "
        f"is not held by the guests' processes (RSS){unknown}"
    )


def _cost(totals: Totals) -> str:
    seconds = totals.distress_seconds
    lacked = f"guests lacked memory for {format_duration(seconds)}" if seconds else "no guest lacked memory"
    return (
        f"{size(totals.swap_in_bytes)} swapped in, {size(totals.swap_out_bytes)} out, "
        f"{totals.major_faults:,} major faults; {lacked}"
    )


def _guests(report: Report) -> str:
    header = ("GUEST", "MAXIMUM", "HIGHEST NEED", "GIVEN BACK", "SEEN", "SWAPPED", "LACKED", "CHANGES")
    rows = [
        (
            guest.name,
            size(guest.maximum_bytes),
            size(guest.highest_need_bytes),
            _gib_hours(guest.totals.given_back_byte_seconds),
            _gib_hours(guest.totals.seen_byte_seconds) if guest.totals.compared_byte_seconds else UNKNOWN,
            size(guest.totals.swap_in_bytes + guest.totals.swap_out_bytes),
            format_duration(guest.totals.distress_seconds),
            str(guest.totals.changes),
        )
        for guest in report.guests
        if guest.totals.managed_seconds
    ]
    return table(header, rows, right=header[1:])


def _gib_hours(byte_seconds: float) -> str:
    return f"{byte_seconds / GIB / _HOUR_SECONDS:.3g} GiB·h"


def _reason(reason: str, remedy: str | None) -> str:
    return printable(f"{reason}: {remedy}" if remedy else reason)
