"""What happened lately, kept in memory: what `run` has to show where nothing is written to a disk."""

from collections import deque
from collections.abc import Collection, Sequence
from itertools import count
from typing import Protocol

from ballonet.facts.happening import Happening
from ballonet.service.events import EventRecord, reasons_of, whole
from ballonet.show.reasons import what

MOST_EVENTS = 2000  # an hour of a lively host, days of a settled one; about 1 KB each


class EventLog(Protocol):
    """What remembers what happened."""

    def events(
        self,
        *,
        since: float | None = None,
        until: float | None = None,
        uuid: str | None = None,
        name: str | None = None,
        kinds: Collection[str] | None = None,
        after_id: int | None = None,
        limit: int = 1000,
    ) -> Sequence[EventRecord]:
        """Return the newest events that fit, in their order; with `after_id`, the next ones after that.

        From `since` on, and before `until` (epoch seconds).
        """


class Recent:
    """The last events, gone with the process."""

    def __init__(self, most: int = MOST_EVENTS) -> None:
        self._records: deque[EventRecord] = deque(maxlen=most)
        self._ids = count(1)

    def tell(self, happening: Happening) -> None:
        """Keep what happened."""
        self._records.append(
            EventRecord(
                id=next(self._ids),
                at=happening.at,
                kind=happening.kind.value,
                name=happening.name,
                uuid=happening.uuid,
                from_bytes=whole(happening.from_bytes),
                to_bytes=whole(happening.to_bytes),
                sentence=what(happening),
                written=happening.written,
                reasons=None if happening.row is None else reasons_of(happening.row),
            )
        )

    def events(
        self,
        *,
        since: float | None = None,
        until: float | None = None,
        uuid: str | None = None,
        name: str | None = None,
        kinds: Collection[str] | None = None,
        after_id: int | None = None,
        limit: int = 1000,
    ) -> list[EventRecord]:
        """Return the newest events that fit, in their order; with `after_id`, the next ones after that."""
        found = [
            record
            for record in self._records
            if (since is None or record.at >= since)
            and (until is None or record.at < until)
            and uuid in {None, record.uuid}
            and name in {None, record.name}
            and (kinds is None or record.kind in kinds)
            and (after_id is None or record.id > after_id)
        ]
        return found[-limit:] if after_id is None else found[:limit]
