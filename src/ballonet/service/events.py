"""What happened, as the store keeps it: rows of the table `events`, and the question that finds them."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ballonet.facts.happening import Happening
from ballonet.facts.plan import TIERS, PlanRow
from ballonet.service.database import Value
from ballonet.show.reasons import what

INSERT_EVENT = """
    INSERT INTO events (at, kind, name, uuid, from_bytes, to_bytes, sentence, written, reasons)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


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
    reasons: Mapping[str, Any] | None  # the plan's, where it had any: as `reasons_of` returns them


def row_of(happening: Happening) -> tuple[Value, ...]:
    """Return what INSERT_EVENT takes."""
    return (
        happening.at,
        happening.kind.value,
        happening.name,
        happening.uuid,
        whole(happening.from_bytes),
        whole(happening.to_bytes),
        what(happening),
        happening.written,
        None if happening.row is None else json.dumps(reasons_of(happening.row), separators=(",", ":")),
    )


def reasons_of(row: PlanRow) -> dict[str, Any]:
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


def record_of(row: tuple[Any, ...]) -> EventRecord:
    """Return the record of a row that `question` found."""
    *plain, written, reasons = row
    fields = (*plain, bool(written), None if reasons is None else json.loads(reasons))
    return EventRecord(*fields)


def question(
    *,
    since: float | None,
    until: float | None,
    uuid: str | None,
    name: str | None,
    kinds: Collection[str] | None,
    after_id: int | None,
    limit: int,
) -> tuple[str, list[Value]]:
    """Return the SQL, and its values, that finds the newest events; after an id, the next ones."""
    conditions: dict[str, Value] = {
        "at >= ?": since,
        "at < ?": until,
        "uuid = ?": uuid,
        "name = ?": name,
        "kind IN (SELECT value FROM json_each(?))": None if kinds is None else json.dumps([*kinds]),
        "id > ?": after_id,
    }
    asked = {condition: value for condition, value in conditions.items() if value is not None}
    sql = [
        "SELECT id, at, kind, name, uuid, from_bytes, to_bytes, sentence, written, reasons FROM events",
        "WHERE" if asked else "",
        " AND ".join(asked),
        # By time, so that the newest stand at the end of an index, whoever is asked for.
        "ORDER BY at DESC, id DESC" if after_id is None else "ORDER BY id",
        "LIMIT ?",
    ]
    return " ".join(sql), [*asked.values(), limit]
