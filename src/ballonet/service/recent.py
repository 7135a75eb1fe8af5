"""What happened lately, kept in memory: what `run` has to show where nothing is written to a disk."""

from collections import deque
from collections.abc import Sequence
from itertools import count
from typing import Protocol

from ballonet.facts.happening import Happening
from ballonet.service.events import ANY, EventRecord, Question, record_of

MOST_EVENTS = 2000  # an hour of a lively host, days of a settled one; about 1 KB each


class EventLog(Protocol):
    """What remembers what happened."""

    def events(self, question: Question = ANY) -> Sequence[EventRecord]:
        """Return the events that are asked for, in their order."""


class Recent:
    """The last events, gone with the process."""

    def __init__(self, most: int = MOST_EVENTS) -> None:
        self._records: deque[EventRecord] = deque(maxlen=most)
        self._ids = count(1)

    def tell(self, happening: Happening) -> None:
        """Keep what happened."""
        self._records.append(record_of(next(self._ids), happening))

    def events(self, question: Question = ANY) -> list[EventRecord]:
        """Return the events that are asked for, in their order."""
        found = [record for record in self._records if _fits(record, question)]
        return found[-question.limit :] if question.after_id is None else found[: question.limit]


def _fits(record: EventRecord, question: Question) -> bool:
    return (
        (question.since is None or record.at >= question.since)
        and (question.until is None or record.at < question.until)
        and question.uuid in {None, record.uuid}
        and question.name in {None, record.name}
        and (question.kinds is None or record.kind in question.kinds)
        and (question.after_id is None or record.id > question.after_id)
    )
