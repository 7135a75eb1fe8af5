"""From plans, memory and requests to the API's models: read off, nothing is reckoned again."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import numpy as np

from ballonet.engine.engine import Engine
from ballonet.facts import plan, request, verdict
from ballonet.facts.plan import TIERS
from ballonet.facts.verdict import CODES, VERDICTS
from ballonet.service import models
from ballonet.service.events import EventRecord
from ballonet.show.reasons import sentence

_NOT_RECKONED = (math.nan,) * len(TIERS)  # what a guest wants that is left alone


def moment(epoch_seconds: float) -> datetime:
    """Return epoch seconds as a time in UTC."""
    return datetime.fromtimestamp(epoch_seconds, UTC)


def whole(value: float | None) -> int | None:
    """Return a size as an integer; what is none is unknown."""
    return None if value is None or not math.isfinite(value) else round(value)


def known(value: float | None) -> float | None:
    """Return a number; what is none is unknown."""
    return None if value is None or not math.isfinite(value) else float(value)


# --- what people asked for -------------------------------------------------------------------------------


def hold(kept: request.Hold) -> models.Hold:
    """Return a hold."""
    return models.Hold(
        id=kept.id,
        name=kept.name or None,
        uuid=kept.uuid or None,
        begun_at=moment(kept.begun_at),
        until=None if kept.until is None else moment(kept.until),
        who=kept.who,
        why=kept.why,
        size_bytes=kept.size_bytes,
    )


def lease(kept: request.Lease) -> models.Lease:
    """Return a lease."""
    return models.Lease(
        id=kept.id,
        size_bytes=kept.size_bytes,
        begun_at=moment(kept.begun_at),
        until=moment(kept.until),
        who=kept.who,
        guest=kept.guest or None,
    )


# --- the whole -------------------------------------------------------------------------------------------


def hypervisor_status(uri: str, engine: Engine, unanswered: Sequence[str]) -> models.HypervisorStatus:
    """Return what is done with the guests of one hypervisor, or of several, of which some may not answer."""
    last, budget = engine.plan, round(engine.settings.budget_bytes)
    held = None if last is None else whole(np.nansum(last.snapshot.actual))
    return models.HypervisorStatus(
        uri=uri,
        unanswered=list(unanswered),
        state=None if last is None else last.state.name.lower(),
        sentence=None if last is None else last.state.sentence,
        budget_bytes=budget,
        held_bytes=held,
        free_bytes=None if last is None else whole(last.free),
        pool_bytes=None if last is None else whole(last.pool),
        short_bytes=None if last is None else whole(last.short),
        given_back_bytes=None if last is None else whole(engine.summary.given_back_bytes),
        guests=_counts(last),
        last_tick=None if last is None else last_tick(engine, last),
    )


def _counts(last: plan.Plan | None) -> models.GuestCounts:
    if last is None:
        return models.GuestCounts(total=0, managed=0, by_verdict={})
    counts = np.bincount(last.verdict, minlength=len(VERDICTS)).tolist()
    return models.GuestCounts(
        total=len(last.snapshot),
        managed=sum(counts[CODES["stale"] :]),
        by_verdict={each.code: count for each, count in zip(VERDICTS, counts, strict=True) if count},
    )


def last_tick(engine: Engine, last: plan.Plan) -> models.LastTick:
    """Return when all guests were last looked at."""
    age = engine.clock.monotonic() - last.snapshot.taken_at
    return models.LastTick(
        at=moment(engine.clock.time() - age), age_seconds=age, length_seconds=engine.tick_seconds
    )


def host_memory(engines: Iterable[Engine]) -> models.HostMemory | None:
    """Return the memory of the host as an engine saw it last; None: no engine sees it."""
    seen = ((engine, engine.plan.snapshot) for engine in engines if engine.plan is not None)
    found = next(((engine, table, table.host) for engine, table in seen if table.host is not None), None)
    if found is None:
        return None
    engine, table, memory = found
    rss = table.rss[np.isfinite(table.rss)]
    guests = round(float(rss.sum())) if len(rss) or not len(table) else None  # nobody's is known
    available = memory.available_bytes
    reserve = min(available, round(engine.settings.reserve_bytes))
    leased = min(available - reserve, engine.requests.leased_bytes)
    return models.HostMemory(
        total_bytes=memory.total_bytes,
        available_bytes=available,
        own_bytes=None if guests is None else max(0, memory.total_bytes - available - guests),
        guests_bytes=guests,
        reserve_bytes=reserve,
        leased_bytes=leased,
        headroom_bytes=available - reserve - leased,
        swap_total_bytes=memory.swap_total_bytes,
        swap_free_bytes=memory.swap_free_bytes,
        pressure_some_ratio=memory.pressure_some_ratio,
        pressure_full_ratio=memory.pressure_full_ratio,
    )


# --- the plan --------------------------------------------------------------------------------------------


def hypervisor_plan(
    uri: str, engine: Engine, last: plan.Plan, uri_of: Callable[[str], str]
) -> models.HypervisorPlan:
    """Return a plan, guest by guest; `uri_of` says by UUID which hypervisor has one."""
    rows = [last.row(index) for index in range(len(last.snapshot))]
    return models.HypervisorPlan(
        uri=uri,
        at=last_tick(engine, last).at,
        writes=engine.writes,
        state=last.state.name.lower(),
        budget_bytes=round(engine.settings.budget_bytes),
        pool_bytes=round(last.pool),
        free_bytes=round(last.free),
        short_bytes=round(last.short),
        guests=[_plan_row(row, uri_of(row.uuid)) for row in rows],
    )


def _plan_row(row: plan.PlanRow, uri: str) -> models.PlanRow:
    return models.PlanRow(
        name=row.name,
        uuid=row.uuid,
        hypervisor=uri,
        verdict=verdict_of(row.verdict, row.name, uri),
        actual_bytes=whole(row.actual_bytes),
        target_bytes=whole(row.target_bytes),
        allotted_bytes=whole(row.allotted_bytes),
        wanted=_tiers(row.wanted_bytes if row.verdict.managed else _NOT_RECKONED),
        got=_tiers(row.got_bytes if row.verdict.managed else _NOT_RECKONED),
        bound=row.bound.name.lower(),
        sentence=sentence(row),
        stats_age_seconds=row.stats_age_seconds,
    )


def verdict_of(found: verdict.Verdict, name: str, uri: str = "") -> models.Verdict:
    """Return whether a guest is managed, or why not."""
    said = verdict.spoken(found, name, uri)
    return models.Verdict(
        code=said.code, managed=said.managed, reason=said.reason, remedy=said.remedy or None
    )


def _tiers(sizes: Sequence[float]) -> models.Tiers:
    return models.Tiers(**{f"{tier}_bytes": whole(size) for tier, size in zip(TIERS, sizes, strict=True)})


# --- one guest -------------------------------------------------------------------------------------------


def why(
    uri: str,
    engine: Engine,
    last: plan.Plan,
    index: int,
    changes: Sequence[EventRecord],
    held: request.Hold | None,
) -> models.Why:
    """Return all that explains one guest's size; `changes` are its last ones, oldest first."""
    row = last.row(index)
    part = _plan_row(row, uri)
    return models.Why(
        name=part.name,
        uuid=part.uuid,
        hypervisor=uri,
        at=last_tick(engine, last).at,
        verdict=part.verdict,
        sentence=part.sentence,
        bound=part.bound,
        told_bytes=whole(engine.memory.target[index]),
        target_bytes=part.target_bytes,
        allotted_bytes=part.allotted_bytes,
        inputs=_inputs(last, index),
        wanted=part.wanted,
        got=part.got,
        learned=_learned(engine, index, part.wanted.cushion_bytes),
        changes=_changes(changes, row.actual_bytes),
        hold=None if held is None else hold(held),
    )


def _inputs(last: plan.Plan, index: int) -> models.Inputs:
    table = last.snapshot
    return models.Inputs(
        maximum_bytes=whole(table.maximum[index]),
        actual_bytes=whole(table.actual[index]),
        floor_bytes=whole(table.floor[index]),
        ceiling_bytes=whole(table.ceiling[index]),
        weight=float(table.weight[index]),
        usable_bytes=whole(table.usable[index]),
        unused_bytes=whole(table.unused[index]),
        available_bytes=whole(table.available[index]),
        rss_bytes=whole(table.rss[index]),
        swap_in_bytes_total=whole(table.swap_in[index]),
        swap_out_bytes_total=whole(table.swap_out[index]),
        major_faults_total=whole(table.major_faults[index]),
        pressure_ratio=known(table.pressure[index]),
        agent_age_seconds=known(table.taken_at - table.heard_at[index]),
        swapped_bytes=whole(table.swapped[index]),
        swap_left_bytes=whole(table.swap_left[index]),
        committed_bytes=whole(table.committed[index]),
        stats_age_seconds=known(table.stats_age[index]),
        stats_period_seconds=known(table.period[index]),
    )


def _learned(engine: Engine, index: int, cushion_bytes: int | None) -> models.Learned:
    memory, now = engine.memory, engine.clock.monotonic()
    hold_until = float(memory.hold_until[index])
    return models.Learned(
        used_bytes=whole(memory.used[index]),
        cushion_bytes=cushion_bytes,
        growth_bytes_per_second=known(memory.growth[index]),
        margin_bytes=whole(memory.margin[index]),
        kept_bytes=whole(memory.kept[index]),
        swap_debt_bytes=whole(memory.swap_debt[index]),
        balloon_counts_as_used=bool(memory.counted[index]),
        overhead_bytes=whole(memory.overhead[index]),
        reads_per_second=known(memory.read_rate[index]),
        usual_reads_per_second=known(memory.usual_reads[index]),
        lost_ratio=known(memory.lost[index]),
        distress=bool(memory.distress[index]),
        probed_again_at=moment(engine.clock.time() - now + hold_until) if hold_until > now else None,
    )


def _changes(records: Sequence[EventRecord], actual_bytes: float) -> list[models.Change]:
    """Return changes, each with the size that the guest had when the next one came."""
    later = [*(record.from_bytes for record in records[1:]), whole(actual_bytes)]
    return [
        models.Change(
            at=moment(record.at),
            kind=record.kind,
            from_bytes=record.from_bytes,
            to_bytes=record.to_bytes,
            then_bytes=then,
            sentence=record.sentence,
            written=record.written,
        )
        for record, then in zip(records, later[: len(records)], strict=True)
    ]


def event(record: EventRecord) -> models.Event:
    """Return one thing that happened."""
    return models.Event(
        id=record.id,
        at=moment(record.at),
        kind=record.kind,
        name=record.name or None,
        uuid=record.uuid or None,
        from_bytes=record.from_bytes,
        to_bytes=record.to_bytes,
        sentence=record.sentence,
        written=record.written,
        reasons=None if record.reasons is None else dict(record.reasons),
    )
