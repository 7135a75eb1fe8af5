"""What a shrink that nobody asked for must rest on, asserted once more where it is sent."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_engine_engine import Bench, four_guests

from ballonet.engine.act import PROMISES, Changes
from ballonet.engine.engine import Engine, World
from ballonet.facts.happening import Kind
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.plan import plan
from ballonet.policy.settings import Settings
from ballonet.units import GIB, MIB

SOUND: dict[str, Any] = {}


def for_all(values: dict[str, Any]) -> dict[str, Any]:
    return {name: np.full(4, value) for name, value in values.items()}


async def shrunk(
    by: int, *, columns: dict[str, Any] = SOUND, memory: dict[str, Any] = SOUND, cause: Kind = Kind.PLANNED
) -> tuple[list[tuple[str, int]], list[str]]:
    """Have one of four guests at rest shrunk by so much; return what was sent, and the promises broken."""
    bench = four_guests()
    await bench.ticks(10)
    made, sender = bench.engine.plan, bench.engine._sender
    assert made is not None
    bench.hypervisor.sent.clear()
    bench.told.clear()
    table = replace(made.snapshot, **for_all(columns))
    sender.remembered.memory = replace(sender.remembered.memory, **for_all(memory))
    sender._looked = table
    change = Changes.of(table, np.array([0]), table.actual[[0]] - by)
    await sender.send(change, cause, writes=True)
    return bench.hypervisor.sent, [told.text[:2] for told in bench.told if told.kind is Kind.BROKEN]


@pytest.mark.parametrize(
    ("by", "columns", "memory", "promise"),
    [
        (16 * MIB, {}, {}, None),
        (16 * MIB, {"stats_at": np.nan}, {}, "G3"),
        (16 * MIB, {"stats_at": 900.0}, {}, "G3"),
        (16 * MIB, {"stats_at": 2000.0}, {}, "G3"),
        (16 * MIB, {"stats_at": 1017.0}, {"changed_at": 1017.5}, "G3"),
        (16 * MIB, {}, {"distress": True}, "G4"),
        (100 * MIB, {"usable": 90.0 * MIB, "unused": 80.0 * MIB}, {}, "G5"),
        (100 * MIB, {"usable": np.nan, "unused": np.nan}, {}, "G5"),
        (16 * MIB, {}, {"arrived": False}, "G6"),
        (16 * MIB, {"busy": True}, {}, "G7"),
        (16 * MIB, {"excluded": True}, {}, "G7"),
    ],
)
@pytest.mark.parametrize("cause", [Kind.PLANNED, Kind.LENT])
async def test_a_shrink_that_must_not_be_is_not_sent_and_told(
    by: int, columns: dict[str, Any], memory: dict[str, Any], promise: str | None, cause: Kind
) -> None:
    sent, broken = await shrunk(by, columns=columns, memory=memory, cause=cause)

    assert ([] if promise is None else [promise]) == broken
    assert (promise is None) == bool(sent)


async def test_people_may_shrink_a_guest_that_tells_nothing() -> None:
    sent, broken = await shrunk(16 * MIB, columns={"stats_at": np.nan}, cause=Kind.ASKED)

    assert ([], 1) == (broken, len(sent))


async def test_nothing_that_the_law_decides_is_ever_stopped_there(four: Bench) -> None:
    await four.ticks(30)

    assert Kind.PLANNED in four.kinds()
    assert Kind.BROKEN not in four.kinds()


@pytest.fixture
def four() -> Bench:
    return four_guests()


async def test_somebody_elses_rule_is_held_to_limits_only() -> None:
    bench = four_guests()

    def rule(snapshot: Snapshot, memory: Memory, law: Settings) -> Plan:
        made = plan(snapshot, memory, law)
        return replace(made, target=np.full(4, 400.0 * MIB))

    world = World(bench.hypervisor, bench.clock)
    bench.engine = Engine(
        world, Settings(budget_bytes=2.0 * GIB), bench.told.append, enforce=True, decide=rule
    )
    await bench.ticks(1)

    assert {400 * MIB} == {size for _, size in bench.hypervisor.sent}
    assert PROMISES[0] == ""
