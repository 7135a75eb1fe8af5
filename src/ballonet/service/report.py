"""What guests' histories come to: sums, and what should be set otherwise; nothing here asks or remembers."""

import shlex
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from ballonet.facts.plan import PlanRow
from ballonet.facts.snapshot import Floats
from ballonet.service import models
from ballonet.service.answers import moment, verdict_of
from ballonet.service.history import Past, Subject
from ballonet.service.samples import Cells
from ballonet.service.span import Span
from ballonet.units import MIB, exact_size, format_duration, format_size

# A maximum is called too large only of a guest that was watched for most of a day: nightly jobs need memory.
LONG_ENOUGH_SECONDS: Final = 20 * 3600.0
SPARE_RATIO, SPARE_BYTES = 0.25, 256 * MIB  # less of its maximum than this is not worth a restart
PINCHED_SECONDS: Final = 10.0  # what is shorter is the reaction to a burst
_STEP_BYTES: Final = 64 * MIB  # sizes that are advised are whole multiples


def whole(
    span: Span,
    host: Past,
    guests: Sequence[models.GuestReport],
    there: Iterable[PlanRow],
    *,
    writes: bool,
) -> models.Report:
    """Return the report on guests, and on those of them that are there now."""
    managed = {guest.uuid for guest in guests if guest.totals.managed_seconds}
    return models.Report(
        asked_since=moment(span.since),
        since=moment(host.since),
        until=moment(span.until),
        observed_seconds=_sum(host.column("seconds")),
        writes=writes,
        totals=_together([guest.totals for guest in guests]),
        guests=list(guests),
        sizing=sizing(guests),
        left_alone=[
            models.LeftAlone(name=row.name, uuid=row.uuid, verdict=verdict_of(row.verdict, row.name))
            for row in there
            if row.uuid not in managed and not row.verdict.managed
        ],
    )


def guest_report(guest: Subject, past: Past) -> models.GuestReport:
    """Return one guest's part, from its history."""
    return models.GuestReport(
        name=guest.name,
        uuid=guest.uuid,
        maximum_bytes=_last(past.column("maximum_bytes")),
        floor_bytes=_last(past.column("floor_bytes")),
        highest_need_bytes=_most(past.column("most_need_bytes")),
        highest_wanted_bytes=_most(past.column("most_wanted_bytes")),
        totals=_totals(past),
    )


def _totals(past: Past) -> models.Totals:
    maximum, actual, rss, managed = (
        past.column(name).astype(np.float64)
        for name in ("maximum_bytes", "actual_bytes", "rss_bytes", "managed_seconds")
    )
    given_back = np.maximum(maximum - actual, 0.0)
    unheld = np.maximum(maximum - rss, 0.0)  # NaN where the resident memory is unknown
    return models.Totals(
        managed_seconds=_sum(managed),
        given_back_byte_seconds=_sum(given_back * managed),
        compared_byte_seconds=_sum(np.where(np.isnan(unheld), np.nan, given_back) * managed),
        seen_byte_seconds=_sum(np.minimum(given_back, unheld) * managed),
        unheld_byte_seconds=_sum(unheld * managed),
        swap_in_bytes=round(_sum(past.column("swap_in_bytes"))),
        swap_out_bytes=round(_sum(past.column("swap_out_bytes"))),
        major_faults=round(_sum(past.column("major_faults"))),
        distress_seconds=_sum(past.column("distress_seconds")),
        pinched_seconds=_sum(past.column("pinched_seconds")),
        changes=round(_sum(past.column("changes"))),
        bursts=round(_sum(past.column("bursts"))),
    )


def _together(parts: Sequence[models.Totals]) -> models.Totals:
    """Return the sums of all."""
    return models.Totals(
        **{name: sum(getattr(part, name) for part in parts) for name in models.Totals.model_fields}
    )


def sizing(guests: Iterable[models.GuestReport]) -> list[models.Sizing]:
    """Return what should be set otherwise: maxima that nobody needs, floors that leave guests too little."""
    advice = [found for guest in guests for found in (_maximum(guest), _floor(guest))]
    return [found for found in advice if found is not None]


def _maximum(guest: models.GuestReport) -> models.Sizing | None:
    totals, now, wanted = guest.totals, guest.maximum_bytes, guest.highest_wanted_bytes
    if totals.managed_seconds < LONG_ENOUGH_SECONDS or now is None or wanted is None:
        return None
    better = max(_rounded_up(wanted), guest.floor_bytes or 0)
    if now - better < max(SPARE_RATIO * now, SPARE_BYTES):
        return None
    return models.Sizing(
        name=guest.name,
        uuid=guest.uuid,
        kind="maximum",
        now_bytes=now,
        better_bytes=better,
        sentence=f"with its cushion it needed {format_size(wanted)} at most, of a maximum of "
        f"{format_size(now)}, in {format_duration(totals.managed_seconds)}; less cache may fit in",
        remedy=f"ballonet set-max {shlex.quote(guest.name)} {exact_size(better)} --config",
    )


def _floor(guest: models.GuestReport) -> models.Sizing | None:
    seconds, now, need = guest.totals.pinched_seconds, guest.floor_bytes, guest.highest_need_bytes
    if seconds < PINCHED_SECONDS or now is None or need is None:
        return None
    better = min(_rounded_up(max(need, now + 1)), guest.maximum_bytes or need)
    if better <= now:
        return None
    return models.Sizing(
        name=guest.name,
        uuid=guest.uuid,
        kind="floor",
        now_bytes=now,
        better_bytes=better,
        sentence=f"it lacked memory for {format_duration(seconds)} while it had no more than its floor of "
        f"{format_size(now)}, and needed {format_size(need)} at most",
        remedy=f'in the settings, [guest."{guest.uuid}"]: floor = "{exact_size(better)}"',
    )


def _rounded_up(size_bytes: int) -> int:
    return -(-size_bytes // _STEP_BYTES) * _STEP_BYTES


def _sum(column: Floats | Cells) -> float:
    """Return the sum of what is known."""
    return float(np.nansum(column, dtype=np.float64))


def _last(column: Cells) -> int | None:
    known = column[np.isfinite(column)]
    return round(float(known[-1])) if len(known) else None


def _most(column: Cells) -> int | None:
    known = column[np.isfinite(column)]
    return round(float(known.max())) if len(known) else None
