"""What would have happened: guests with the demand that a trace shows, simulated under a policy.

A trace tells what was used, not what was wanted: see LIMITS.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.limits import LimitsOf, usual
from ballonet.engine.loop import run
from ballonet.engine.remember import Remembered
from ballonet.errors import UsageError
from ballonet.facts.columns import Columns
from ballonet.facts.limits import Limits
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Floats
from ballonet.policy.learn import learn
from ballonet.policy.settings import Settings
from ballonet.simulator import virtual
from ballonet.simulator.kernel import SLAB, overhead, watermarks
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.simulator.trace import Trace
from ballonet.simulator.trial import OURS, POLICIES
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

LIMITS = (
    "Demand that was never met is not in the trace.",
    "Cache that was never read again is not told from cache that was: all of it is wanted.",
    "All program memory is taken to be in use: swap-ins are the most that there would be.",
    "Between two samples nothing is known: growth is taken to be even, shorter bursts are lost.",
)
NEEDED = ("usable_bytes", "unused_bytes", "available_bytes", "statistics_at")
# How guests' programs use their memory is not in a trace: pages touched a second.
REQUESTS, TOUCHES = 20.0, 8.0
SETTLE_SECONDS = 45.0  # guests start at their maxima: the slowest rule takes four rounds of ten seconds


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """What a guest wanted over time, as its samples show it. Columns of one length; sizes are bytes."""

    name: str
    maximum_bytes: float
    at: Floats  # seconds since the trace began
    need: Floats  # what it used, its kernel's part included, and what it had in swap
    anon: Floats  # what of that were its programs'
    cache: Floats
    reads: Floats  # disk requests a second until the next sample

    def schedule(self) -> list[Step]:
        """Return a schedule that makes a simulated guest want the same."""
        after = np.append(self.anon[1:], self.anon[-1])
        seconds = np.append(np.diff(self.at), 1.0)
        return [
            Step(
                at=at,
                anon_mib=wanted,
                hot_mib=wanted,
                file_mib=file,
                rate=REQUESTS,
                touches=TOUCHES,
                reads=reads,
                grow_mib_s=grow,
            )
            for at, wanted, file, reads, grow in zip(
                self.at.tolist(),
                (np.maximum(self.anon, after) / MIB).tolist(),
                (self.cache / MIB).tolist(),
                (self.reads / REQUESTS).tolist(),
                (np.maximum(after - self.anon, 0.0) / seconds / MIB).tolist(),
                strict=True,
            )
        ]


@dataclass(frozen=True, slots=True)
class Came:
    """What guests held, and what they lacked, over a trace or its replay."""

    seconds: float
    held_bytes: float  # mean of the sum of actual
    given_back_bytes: float  # mean of the maxima less that
    peak_held_bytes: float
    unmet_byte_seconds: float  # need above actual, over time
    swapped_in_bytes: float
    over_budget_byte_seconds: float


def demands(trace: Trace) -> list[Demand]:
    """Return each guest's demand, by name; raises UsageError where a column is missing, or all is unknown."""
    for name in NEEDED:
        if name not in trace.numbers:
            raise UsageError(
                f"the trace has no column {name!r}, which every policy needs",
                hint="record it again: ballonet run --record FILE",
            )
    samples = _samples(trace)
    found = [_demand(name, rows, float(trace.time[0])) for name, rows in sorted(samples.items())]
    if not found:
        raise UsageError("no guest of the trace ever reported its statistics", hint="ballonet doctor")
    return found


def _samples(trace: Trace) -> dict[str, list[tuple[float, ...]]]:
    """Return each guest's samples by name: (time, need, droppable cache, disk reads, maximum)."""
    remembered, settings = Remembered(), Settings(budget_bytes=0.0)
    samples: dict[str, list[tuple[float, ...]]] = {}
    for rows in trace.ticks():
        snapshot = trace.snapshot(rows)
        memory = remembered.memory = learn(remembered.align(snapshot.uuids), snapshot, settings)
        columns = (
            memory.need_at,
            memory.used + memory.swap_debt,
            snapshot.usable - snapshot.unused,
            snapshot.disk_reads,
            snapshot.maximum,
        )
        for name, *sample in zip(snapshot.names, *(column.tolist() for column in columns), strict=True):
            kept = samples.setdefault(name, [])
            if not np.isnan(sample[:3]).any() and (not kept or sample[0] > kept[-1][0]):
                kept.append(tuple(sample))
    return {name: kept for name, kept in samples.items() if kept}


def _demand(name: str, rows: Sequence[tuple[float, ...]], began: float) -> Demand:
    """Return what a guest's samples say, by the simulated kernel's own reckoning turned round."""
    at, need, droppable, reads, maximum = np.array(rows, dtype=np.float64).T
    _, low, high = watermarks(maximum)
    # MemAvailable is what is free above the high mark, and the cache less its half or the low mark.
    dropped = np.maximum(droppable + high, 0.0)
    cache = np.where(dropped < low, 2 * dropped, dropped + low)
    anon = need - overhead(maximum) - SLAB - high - np.minimum(cache / 2, low)
    rate = np.append(np.diff(reads) / np.diff(at), 0.0)
    return Demand(
        name,
        float(maximum[-1]),
        np.maximum(at - began, 0.0),
        need,
        np.maximum(anon, 0.0),
        cache,
        np.maximum(np.nan_to_num(rate), 0.0),
    )


def limits_in(trace: Trace) -> LimitsOf:
    """Return each guest's limits as the recorded run had them last; the usual ones where it does not say."""
    rows_of = {name: row for row, name in enumerate(trace.names)}

    def limits(guests: Columns) -> Limits:
        rows, otherwise = [rows_of[name] for name in guests.names], usual(guests)

        def column(name: str, unknown: Floats) -> Floats:
            found = trace.numbers[name][rows] if name in trace.numbers else unknown
            return np.where(np.isnan(found), unknown, found)

        return Limits(
            floor=column("floor_bytes", otherwise.floor),
            ceiling=column("ceiling_bytes", otherwise.ceiling),
            weight=column("weight", otherwise.weight),
            excluded=column("excluded", np.zeros(len(rows))) != 0.0,
        )

    return limits


def recorded(trace: Trace, wanted: Sequence[Demand], budget_bytes: float) -> Came:
    """Return what the trace itself came to."""
    ticks = list(trace.ticks())
    at = np.array([trace.time[rows.start] for rows in ticks]) - trace.time[0]
    rows_of = {demand.name: row for row, demand in enumerate(wanted)}
    actual, swap_in = (np.full((len(ticks), len(wanted)), np.nan) for _ in range(2))
    swapped = trace.numbers.get("swap_in_bytes_total", np.full(len(trace), np.nan))
    for tick, rows in enumerate(ticks):
        for row in range(rows.start, rows.stop):
            place = rows_of.get(trace.names[row])
            if place is not None:
                actual[tick, place] = trace.numbers["actual_bytes"][row]
                swap_in[tick, place] = swapped[row]
    return _came(at, actual, swap_in, wanted, budget_bytes)


def replayed(
    wanted: Sequence[Demand], seconds: float, policy: str, budget_bytes: float, limits: LimitsOf = usual
) -> Came:
    """Return what comes of these guests under a policy; the same always comes to the same."""
    return virtual.run(_replayed(wanted, seconds, policy, budget_bytes, limits))


async def _replayed(
    wanted: Sequence[Demand], seconds: float, policy: str, budget_bytes: float, limits: LimitsOf
) -> Came:
    clock = virtual.VirtualClock()
    specs = [Spec(demand.name, int(demand.maximum_bytes), _settled(demand.schedule())) for demand in wanted]
    # The budget is what limits guests here, not the host.
    host_bytes = int(budget_bytes + sum(demand.maximum_bytes for demand in wanted)) + 4 * GIB
    world = World(specs, clock=clock, host_bytes=host_bytes, detail=False)
    ports = Ports(world, clock, world, world)
    settings = Settings(
        budget_bytes=budget_bytes, reserve_bytes=0.0, boot_grace_seconds=0.0, reflex=policy == OURS
    )
    engine = Engine(
        ports,
        settings,
        lambda _: None,
        enforce=policy != "none",
        limits=limits,
        decide=POLICIES[policy],
    )
    await run(engine, ports, seconds=SETTLE_SECONDS)
    at: list[float] = []
    looks: list[tuple[Floats, Floats]] = []

    def look(plan: Plan) -> None:
        at.append(plan.snapshot.taken_at - SETTLE_SECONDS)
        looks.append((plan.snapshot.actual, plan.snapshot.swap_in))

    await run(engine, ports, seconds=seconds, after_tick=look)
    actual, swap_in = (np.array(column) for column in zip(*looks, strict=True))
    return _came(np.array(at), actual, swap_in, wanted, budget_bytes)


def _settled(schedule: list[Step]) -> list[Step]:
    """Return the schedule after a time at its beginning in which the policy comes to rest."""
    first = schedule[0]
    return [
        Step(**{**_keys(first), "at": 0.0, "grow_mib_s": 0.0}),
        *(Step(**{**_keys(step), "at": step.at + SETTLE_SECONDS}) for step in schedule),
    ]


def _keys(step: Step) -> dict[str, float]:
    return {key: getattr(step, key) for key in Step.__dataclass_fields__}


def _came(at: Floats, actual: Floats, swap_in: Floats, wanted: Sequence[Demand], budget: float) -> Came:
    """Return the figures of looks (rows) at guests (columns); each look holds until the next."""
    seconds = np.append(np.diff(at), 0.0)
    whole = max(float(seconds.sum()), 1e-9)
    need = np.stack([np.interp(at, demand.at, demand.need) for demand in wanted], axis=1)
    held = np.nansum(actual, axis=1)
    maxima = np.where(np.isnan(actual), 0.0, [demand.maximum_bytes for demand in wanted]).sum(axis=1)
    rises = np.nan_to_num(np.maximum(np.diff(swap_in, axis=0), 0.0))
    return Came(
        seconds=whole,
        held_bytes=float(held @ seconds) / whole,
        given_back_bytes=float((maxima - held) @ seconds) / whole,
        peak_held_bytes=float(held.max()),
        unmet_byte_seconds=float(np.nansum(np.maximum(need - actual, 0.0), axis=1) @ seconds),
        swapped_in_bytes=float(rises.sum()),
        over_budget_byte_seconds=float(np.maximum(held - budget, 0.0) @ seconds),
    )
