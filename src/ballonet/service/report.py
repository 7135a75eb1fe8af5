"""What guests' histories come to: sums, and what should be set otherwise; nothing here asks or waits."""

import math
import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Floats, or_else
from ballonet.service import models
from ballonet.service.answers import verdict_of, whole
from ballonet.service.samples import Table
from ballonet.units import MIB, exact_size, format_duration, format_size

# A maximum is called too large only of a guest that was watched for most of a day: nightly jobs need memory.
LONG_ENOUGH_SECONDS: Final = 20 * 3600.0
SPARE_RATIO, SPARE_BYTES = 0.25, 256 * MIB  # less of its maximum than this is not worth a restart
PINCHED_SECONDS: Final = 10.0  # what is shorter is the reaction to a burst
_STEP_BYTES: Final = 64 * MIB  # sizes that are advised are whole multiples

_COUNTS: Final = ("swap_in_bytes", "swap_out_bytes", "major_faults", "changes", "bursts")
_SECONDS: Final = ("managed_seconds", "distress_seconds", "pinched_seconds")


class Reckoning:
    """Adds up the samples of all guests, part by part in the order of time."""

    def __init__(self) -> None:
        self._totals: dict[str, Counter[str]] = defaultdict(Counter)
        self._sizes: dict[str, dict[str, float]] = defaultdict(dict)

    def add(self, table: Table) -> None:
        """Take in a part."""
        rows = len(table.uuids)
        for name, column in _amounts(table).items():
            sums = np.bincount(table.guest, or_else(column), minlength=rows)
            for uuid, amount in zip(table.uuids, sums.tolist(), strict=True):
                self._totals[uuid][name] += amount
        for name in ("maximum_bytes", "floor_bytes"):
            last, column = np.full(rows, np.nan), table.column(name)
            known = np.isfinite(column)
            last[table.guest[known]] = column[known]  # of several the last stays
            self._take(table.uuids, name, last)
        for name in ("most_need_bytes", "most_wanted_bytes"):
            most = np.array([self._sizes[uuid].get(name, math.nan) for uuid in table.uuids])
            np.fmax.at(most, table.guest, table.column(name))
            self._take(table.uuids, name, most)

    def _take(self, uuids: Sequence[str], name: str, sizes: Floats) -> None:
        for uuid, size in zip(uuids, sizes.tolist(), strict=True):
            if math.isfinite(size):
                self._sizes[uuid][name] = size

    def guests(self, names: Mapping[str, str]) -> list[models.GuestReport]:
        """Return each guest's part; `names` are those of all guests, by UUID."""
        return [self._guest(uuid, name) for uuid, name in names.items() if uuid in self._totals]

    def _guest(self, uuid: str, name: str) -> models.GuestReport:
        sizes, totals = self._sizes[uuid], self._totals[uuid]
        return models.GuestReport(
            name=name,
            uuid=uuid,
            maximum_bytes=whole(sizes.get("maximum_bytes")),
            floor_bytes=whole(sizes.get("floor_bytes")),
            highest_need_bytes=whole(sizes.get("most_need_bytes")),
            highest_wanted_bytes=whole(sizes.get("most_wanted_bytes")),
            totals=models.Totals(
                **{name: round(amount) if name in _COUNTS else amount for name, amount in totals.items()}
            ),
        )


def _amounts(table: Table) -> dict[str, Floats]:
    """Return what each sample adds to the totals, NaN where that is unknown."""
    maximum, actual, rss, managed = (
        table.column(name) for name in ("maximum_bytes", "actual_bytes", "rss_bytes", "managed_seconds")
    )
    given_back = np.maximum(maximum - actual, 0.0)
    unheld = np.maximum(maximum - rss, 0.0)
    return {
        "given_back_byte_seconds": given_back * managed,
        "compared_byte_seconds": np.where(np.isnan(unheld), np.nan, given_back) * managed,
        "seen_byte_seconds": np.minimum(given_back, unheld) * managed,
        "unheld_byte_seconds": unheld * managed,
        **{name: table.column(name) for name in (*_COUNTS, *_SECONDS)},
    }


def of_guests(
    guests: Sequence[models.GuestReport], plans: Iterable[tuple[Plan, Callable[[str], str]]]
) -> dict[str, Any]:
    """Return the parts of a report that are about guests.

    Those in the plans are there now; beside each plan is what says by UUID which hypervisor has a guest.
    """
    names = models.Totals.model_fields
    managed = {guest.uuid for guest in guests if guest.totals.managed_seconds}
    there = [(row, uri_of) for plan, uri_of in plans for row in plan.rows(np.arange(len(plan.snapshot)))]
    return {
        "totals": models.Totals(
            **{name: sum(getattr(guest.totals, name) for guest in guests) for name in names}
        ),
        "guests": guests,
        "sizing": sizing(guests),
        "left_alone": [
            models.LeftAlone(
                name=row.name, uuid=row.uuid, verdict=verdict_of(row.verdict, row.name, uri_of(row.uuid))
            )
            for row, uri_of in there
            if row.uuid not in managed and not row.verdict.managed
        ],
    }


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
        sentence=f"in {format_duration(totals.managed_seconds)} it needed {format_size(wanted)} at most, its "
        f"cushion included, of a maximum of {format_size(now)}; with less there is less room for cache",
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
