"""What happened, as it is kept, and the question that finds it; both as the table `events` has them, too."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ballonet.facts.happening import Happening
from ballonet.facts.plan import TIERS, PlanRow
from ballonet.service.database import Value
from ballonet.show.reasons import what


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One thing that happened, as it was told then. Sizes are bytes."""

    id: int  # grows from record to record
    at: float  # epoch seconds
    kind: str  # a Kind, or what an older version called it
    name: str  # of the guest; empty: it is about the whole
    uuid: str
    from_bytes: int | None
    to_bytes: int | None
    sentence: str
    written: bool  # False: only observed, nothing was sent
    reasons: Mapping[str, Any] | None  # the plan's, where it had any: as `_reasons_of` returns them


@dataclass(frozen=True, slots=True)
class Question:
    """Which events are asked for: the newest that fit; with `after_id`, the next ones after that.

    To read all, or to follow, begin with `after_id` 0 and go on with the last one's id.
    """

    since: float | None = None  # epoch seconds: from then on
    until: float | None = None  # before then
    uuid: str | None = None
    name: str | None = None  # of the guest
    kinds: Collection[str] | None = None
    after_id: int | None = None
    limit: int = 1000


ANY: Final = Question()


def record_of(number: int, happening: Happening) -> EventRecord:
    """Return what is kept of a happening."""
    return EventRecord(
        id=number,
        at=happening.at,
        kind=happening.kind.value,
        name=happening.name,
        uuid=happening.uuid,
        from_bytes=whole(happening.from_bytes),
        to_bytes=whole(happening.to_bytes),
        sentence=what(happening),
        written=happening.written,
        reasons=None if happening.row is None else _reasons_of(happening.row),
    )


def _reasons_of(row: PlanRow) -> dict[str, Any]:
    """Return a plan's reasons for JSON: integer bytes, None for unknown."""
    return {
        "verdict": row.verdict.code,
        "bound": row.bound.name.lower(),
        "allotted_bytes": whole(row.allotted_bytes),
        "wanted_bytes": {tier: whole(size) for tier, size in zip(TIERS, row.wanted_bytes, strict=True)},
        "got_bytes": {tier: whole(size) for tier, size in zip(TIERS, row.got_bytes, strict=True)},
        "short_bytes": whole(row.short_bytes),
        "stats_age_seconds": row.stats_age_seconds,
    }


def whole(size: float | None) -> int | None:
    """Return a size as an integer that SQLite can hold; what is none, or beyond belief, is unknown."""
    if size is None or not math.isfinite(size) or abs(size) >= 2**63:
        return None
    return int(size)


# --- in the database -------------------------------------------------------------------------------------

INSERT_EVENT = """
    INSERT INTO events (at, kind, name, uuid, from_bytes, to_bytes, sentence, written, reasons)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def row_of(happening: Happening) -> tuple[Value, ...]:
    """Return what INSERT_EVENT takes."""
    kept = record_of(0, happening)
    sizes = (kept.from_bytes, kept.to_bytes)
    reasons = None if kept.reasons is None else json.dumps(kept.reasons, separators=(",", ":"))
    return (kept.at, kept.kind, kept.name, kept.uuid, *sizes, kept.sentence, kept.written, reasons)


def read_record(row: tuple[Any, ...]) -> EventRecord:
    """Return the record of a row that `select` found."""
    *plain, written, reasons = row
    fields = (*plain, bool(written), None if reasons is None else _document(reasons))
    return EventRecord(*fields)


def _document(text: str) -> Mapping[str, Any] | None:
    """Return reasons as they were kept; None where they were damaged."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def select(question: Question) -> tuple[str, list[Value]]:
    """Return the SQL, and its values, that answers a question; rows come in no order to rely on."""
    conditions: dict[str, Value] = {
        "id > ?": question.after_id,
        "at >= ?": question.since,
        "at < ?": question.until,
        "uuid = ?": question.uuid,
        "name = ?": question.name,
        "kind IN (SELECT value FROM json_each(?))": (
            None if question.kinds is None else json.dumps([*question.kinds])
        ),
    }
    asked = {condition: value for condition, value in conditions.items() if value is not None}
    # What is newer than an id is found by that alone: a plus keeps SQLite from going through all of a guest.
    further = " AND " if question.after_id is None else " AND +"
    sql = [
        "SELECT id, at, kind, name, uuid, from_bytes, to_bytes, sentence, written, reasons FROM events",
        "WHERE" if asked else "",
        further.join(asked),
        # By time, so that the newest stand at the end of an index, whoever is asked for.
        "ORDER BY at DESC, id DESC" if question.after_id is None else "ORDER BY id",
        "LIMIT ?",
    ]
    return " ".join(sql), [*asked.values(), question.limit]
