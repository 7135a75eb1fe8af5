"""The rows that screens show: read off plans and memory, one a guest."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from ballonet.engine.engine import Engine
from ballonet.facts.plan import Plan, PlanRow
from ballonet.facts.request import Hold
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
        verdict=verdict_of(row.verdict, row.name),
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
    """Return the one word for what a guest does, or what is done with it."""
    if not row.verdict.managed or row.verdict.code in _BY_VERDICT:
        return _BY_VERDICT.get(row.verdict.code, "ignored")
    if engine.memory.distress[index]:
        return "swapping"
    told = float(engine.memory.target[index])
    ahead = row.target_bytes if row.target_bytes is not None else told
    if abs(ahead - row.actual_bytes) > engine.settings.deadband_bytes:
        return "growing" if ahead > row.actual_bytes else "shrinking"
    at_floor = row.actual_bytes <= plan.snapshot.floor[index] + engine.settings.deadband_bytes
    return "at floor" if at_floor else "steady"
