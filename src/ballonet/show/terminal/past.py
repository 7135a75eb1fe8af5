"""What was before a frame: sizes for sparklines, what was swapped lately, and one guest over time."""

import math
from bisect import bisect_right
from collections.abc import Mapping

from ballonet.service.models import GuestHistory, GuestRow, Sparklines
from ballonet.show.terminal.chart import Moment
from ballonet.show.terminal.source import Frame, Source

SPARK_SECONDS = 120.0
SPARK_POINTS = 12
_STEP_SECONDS = SPARK_SECONDS / SPARK_POINTS


class Past:
    """Looks back from a frame, at frames that were seen, and before them at what a service kept."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._kept: Mapping[float, Mapping[str, int | None]] = {}

    def take(self, found: Sparklines) -> None:
        """Know what a service kept of the time before the first frame."""
        began = found.since.timestamp()
        ends = [
            began + found.step_seconds * (place + 1)
            for place in range(max((len(each.actual_bytes) for each in found.guests), default=0))
        ]
        self._kept = {
            end: {
                each.uuid: each.actual_bytes[place] for each in found.guests if place < len(each.actual_bytes)
            }
            for place, end in enumerate(ends)
        }

    def sparks(self, frame: Frame) -> Mapping[str, tuple[int | None, ...]]:
        """Return each guest's size at the ends of the last steps: whole ones, lest all of it moves."""
        last = math.ceil(frame.at / _STEP_SECONDS)
        ends = [(last - back) * _STEP_SECONDS for back in range(SPARK_POINTS - 1, 0, -1)]
        sizes = [self._sizes_at(end, frame) for end in ends]
        return {
            uuid: (*(each.get(uuid) for each in sizes), row.actual_bytes) for uuid, row in frame.rows.items()
        }

    def _sizes_at(self, end: float, frame: Frame) -> Mapping[str, int | None]:
        before = self._before(end, frame.number)
        if before is not None:
            return {uuid: row.actual_bytes for uuid, row in before.rows.items()}
        kept = [at for at in self._kept if end - _STEP_SECONDS < at <= end]
        return self._kept[max(kept)] if kept else {}

    def swapped(self, frame: Frame) -> Mapping[str, int]:
        """Return what each guest swapped in and out over that time, as far as frames go back."""
        numbers = self._source.numbers
        first = self._before(frame.at - SPARK_SECONDS, frame.number) or self._source.frame(numbers.start)
        found: dict[str, int] = {}
        for uuid, row in frame.rows.items():
            now, then = _swapped(row), _swapped(first.rows.get(uuid, row))
            if now is not None and then is not None:
                found[uuid] = max(0, now - then)
        return found

    def _before(self, at: float, newest: int) -> Frame | None:
        """Return the last frame up to this time, and none after the newest."""
        numbers = range(self._source.numbers.start, newest + 1)
        place = bisect_right(numbers, at, key=self._source.at)
        return self._source.frame(numbers[place - 1]) if place else None

    def moments(self, uuid: str, frame: Frame, kept: GuestHistory | None, most: int) -> list[Moment]:
        """Return a guest over time until a frame: what was kept, then frames, so many of them at most."""
        numbers = range(self._source.numbers.start, frame.number + 1)
        numbers = numbers[:: max(1, len(numbers) // most)]
        seen = [*map(self._source.frame, numbers)]
        if seen[-1].number != frame.number:
            seen.append(frame)
        found = [] if kept is None else _read(kept, seen[0].at)
        for each in seen:
            row = each.rows.get(uuid)
            if row is not None:
                found.append(Moment(each.at, row.actual_bytes, row.need_bytes, row.usable_bytes))
        return found


def _swapped(row: GuestRow) -> int | None:
    if row.swap_in_bytes_total is None or row.swap_out_bytes_total is None:
        return None
    return row.swap_in_bytes_total + row.swap_out_bytes_total


def _read(kept: GuestHistory, before: float) -> list[Moment]:
    columns = zip(kept.at_seconds, kept.actual_bytes, kept.need_bytes, kept.usable_bytes, strict=True)
    return [Moment(*values) for values in columns if values[0] < before]
