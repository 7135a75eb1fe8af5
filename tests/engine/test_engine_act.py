"""The promises that are asserted again where changes are sent: whatever a policy says, these hold."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pretend import PretendClock, PretendHypervisor, guest

from ballonet.engine.act import PROMISES, Actor, Changes, broken_promises
from ballonet.engine.table import Beside, Now, tabulate
from ballonet.errors import HypervisorError
from ballonet.facts.guest import Obstacle, State
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.floors import floor_bytes, hard_floor_bytes
from ballonet.units import GIB, MIB


def table(**fields: Any) -> Snapshot:
    return tabulate([replace(guest("a"), **fields)], Now(0.0, 0.0), Beside())


def changes(snapshot: Snapshot, *target: float) -> Changes:
    return Changes.of(snapshot, np.arange(len(target)), np.array(target, dtype=np.float64))


def broken(target: int, **fields: Any) -> str:
    [code] = broken_promises(changes(table(**fields), target))
    return PROMISES[code][:2]


@pytest.mark.parametrize(
    ("target", "fields", "promise"),
    [
        (512 * MIB, {}, ""),
        (GIB, {}, ""),
        (floor_bytes(GIB), {}, ""),
        (floor_bytes(GIB) - MIB, {}, "G1"),
        (floor_bytes(GIB) - MIB - 28, {"actual_bytes": floor_bytes(GIB) - MIB}, ""),  # it stays where it is
        (floor_bytes(GIB) - MIB - 4096, {"actual_bytes": floor_bytes(GIB) - MIB}, "G1"),
        (hard_floor_bytes(GIB) - MIB, {"actual_bytes": MIB}, "G1"),
        (0, {}, "G1"),
        (1024, {}, "G1"),
        (GIB + 1, {}, "G2"),
        (512 * MIB, {"state": State.PAUSED}, "G7"),
        (512 * MIB, {"actual_bytes": None}, "G7"),
        (512 * MIB, {"device": None}, "G7"),
        (512 * MIB, {"obstacles": frozenset({Obstacle.LOCKED})}, "G7"),
        (512 * MIB, {"maximum_bytes": None}, "G1"),
    ],
)
def test_what_would_break_a_promise_is_named(target: int, fields: dict[str, Any], promise: str) -> None:
    assert promise == broken(target, **fields)


def test_of_many_changes_those_that_break_promises_are_told_apart() -> None:
    snapshot = tabulate([guest("a"), guest("b"), guest("c")], Now(0.0, 0.0), Beside())

    kept = changes(snapshot, GIB, 0, 512 * MIB)
    kept = kept.only(broken_promises(kept) == 0)

    assert {"uuid-a": GIB, "uuid-c": 512 * MIB} == kept.sizes()


async def test_a_guest_that_hangs_holds_up_no_other() -> None:
    """H4: the late answer is collected later, and the guest is not written meanwhile."""
    release = asyncio.Event()

    class Hanging(PretendHypervisor):
        async def resize(
            self,
            uuid: str,
            size_bytes: int,
            *,
            live: bool = True,
            config: bool = False,
            from_bytes: int | None = None,
        ) -> None:
            if uuid == "uuid-a":
                await release.wait()
                raise HypervisorError("too late")

    both = changes(tabulate([guest("a"), guest("b")], Now(0.0, 0.0), Beside()), GIB, GIB)
    actor = Actor(Hanging(PretendClock()), patience_seconds=0.01)
    assert {} == await actor.send(both, np.full(2, np.nan))
    assert not actor.is_free("uuid-a")
    assert {"uuid-b": GIB} == actor.freely(both).sizes()

    release.set()
    late = await actor.collect(["uuid-a"], 1.0)

    assert ["uuid-a"] == list(late)
    assert isinstance(late["uuid-a"], HypervisorError)
    assert actor.is_free("uuid-a")


def test_unknown_sizes_are_nan_never_zero() -> None:
    made = table(maximum_bytes=None, actual_bytes=None)

    assert np.isnan(made.maximum[0])
    assert np.isnan(made.actual[0])
