"""The rows that screens show: read off plans and memory, one a guest."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from ballonet.engine.engine import Engine
from ballonet.facts.plan import Plan, PlanRow
from ballonet.facts.request import Hold
from ballonet.facts.verdict import Verdict
from ballonet.service import models
from ballonet.service.answers import known, moment, verdict_of, whole
from ballonet.show.reasons import sentence

_BY_VERDICT: Final[Mapping[str, models.GuestState]] = {
    "held": "paused",
    "foreign": "paused",
    "booting": "booting",
    "busy": "no data",
    "unknown-size": "no data",
    "no-period": "no data",
    "silent": "no data",
    "blind": "no data",
    "no-usable": "no data",
    "absurd": "no data",
    "stale": "no data",
    "stuck": "stuck",
}


def guest_rows(engine: Engine, plan: Plan, uri_of: Callable[[str], str]) -> list[models.GuestRow]:
    """Return a row a guest; `uri_of` says by UUID which hypervisor has one."""
    holds = {hold.uuid: hold for hold in engine.requests.holds}
    rows = enumerate(plan.rows(np.arange(len(plan.snapshot))))
    return [_row(engine, plan, index, row, uri_of(row.uuid), holds.get(row.uuid)) for index, row in rows]


def _row(
    engine: Engine, plan: Plan, index: int, row: PlanRow, uri: str, hold: Hold | None
) -> models.GuestRow:
    table = plan.snapshot
    return models.GuestRow(
        name=row.name,
        uuid=row.uuid,
        hypervisor=uri,
        state=_state(engine, plan, index, row),
        verdict=verdict_of(row.verdict, row.name, uri),
        maximum_bytes=whole(table.maximum[index]),
        floor_bytes=whole(table.floor[index]),
        ceiling_bytes=whole(table.ceiling[index]),
        actual_bytes=whole(row.actual_bytes),
        told_bytes=whole(engine.memory.target[index]),
        target_bytes=whole(row.target_bytes),
        need_bytes=whole(row.wanted_bytes[0]) if row.verdict.managed else None,
        usable_bytes=whole(table.usable[index]),
        rss_bytes=whole(table.rss[index]),
        swap_in_bytes_total=whole(table.swap_in[index]),
        swap_out_bytes_total=whole(table.swap_out[index]),
        major_faults_total=whole(table.major_faults[index]),
        pressure_ratio=known(table.pressure[index]),
        stats_age_seconds=row.stats_age_seconds,
        sentence=sentence(row),
        held_until=None if hold is None or hold.until is None else moment(hold.until),
    )


def _state(engine: Engine, plan: Plan, index: int, row: PlanRow) -> models.GuestState:
    told = float(engine.memory.target[index])
    return state_word(
        row.verdict,
        distress=bool(engine.memory.distress[index]),
        actual_bytes=row.actual_bytes,
        ahead_bytes=row.target_bytes if row.target_bytes is not None else told,
        floor_bytes=float(plan.snapshot.floor[index]),
        near_bytes=engine.settings.deadband_bytes,
    )


def state_word(
    verdict: Verdict,
    *,
    distress: bool,
    actual_bytes: float,
    ahead_bytes: float,
    floor_bytes: float,
    near_bytes: float,
) -> models.GuestState:
    """Return the one word for what a guest does, or what is done with it; sizes may be NaN for unknown.

    `ahead_bytes` is where it is going, and `near_bytes` by how much sizes must differ to count as different.
    """
    if not verdict.managed or verdict.code in _BY_VERDICT:
        return _BY_VERDICT.get(verdict.code, "ignored")
    if distress:
        return "swapping"
    if abs(ahead_bytes - actual_bytes) > near_bytes:
        return "growing" if ahead_bytes > actual_bytes else "shrinking"
    return "at floor" if actual_bytes <= floor_bytes + near_bytes else "steady"
