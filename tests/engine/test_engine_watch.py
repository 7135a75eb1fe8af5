"""What the reflex sees: guests' resident memory beside what the last tick knew of them."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from columns import NOW, known, settings, snapshot

from ballonet.engine.residents import Followed
from ballonet.engine.watch import Watch
from ballonet.facts.memory import Memory
from ballonet.facts.sight import Sight
from ballonet.policy.learn import told
from ballonet.policy.plan import plan
from ballonet.units import MIB

LAW = settings(2)


class Grows:
    """Two guests, the first of which grows by 10 MiB between two looks."""

    def __init__(self) -> None:
        self._looks = 0

    def follow(self, uuids: Iterable[str]) -> None:
        self._uuids = tuple(uuids)

    def read(self) -> dict[str, int]:
        self._looks += 1
        return dict(zip(self._uuids, (int((400 + 10 * self._looks) * MIB), int(400 * MIB)), strict=True))

    def started_at(self, uuid: str) -> float | None:
        return None


def sight(change: dict[int, float], later: float = 0.0) -> Sight:
    """Return what is seen of two guests of 512 MiB, 150 of them unused, after these rows were told MiB.

    They are looked at so many seconds after the tick.
    """
    table = snapshot(2, actual=512.0 * MIB, unused=150.0 * MIB, usable=150.0 * MIB, available=512.0 * MIB)
    memory: Memory = replace(known(table), overhead=np.zeros(2))
    rows = np.array(list(change), dtype=np.intp)
    memory = told(memory, rows, np.array(list(change.values())) * MIB, NOW + 0.01)
    followed = Followed(Grows())
    followed.follow(table.uuids)
    watch = Watch(followed)
    for step in range(5):
        watch.look(NOW + later + 0.1 * step)
    seen = watch.sight(plan(table, memory, LAW), memory, LAW)
    assert seen is not None
    return seen


def test_growth_is_seen_over_a_quarter_of_a_second() -> None:
    seen = sight({})
    assert [30.0 * MIB, 0.0] == (seen.rss - seen.before).tolist()
    assert 0.3 == pytest.approx(seen.seconds)


def test_what_a_guest_is_given_is_room_and_what_is_taken_is_none() -> None:
    given, taken, as_it_was = (sight(change).room[0] / MIB for change in ({0: 542.0}, {0: 482.0}, {}))
    assert (30.0, -30.0) == pytest.approx((given - as_it_was, taken - as_it_was))


def test_a_guest_that_is_being_shrunk_may_burst() -> None:
    assert [True, True] == sight({0: 482.0}).cut.tolist()


def test_nothing_is_called_in_on_statistics_that_grew_old_since_the_tick() -> None:
    """G3: the next tick may be a minute away, or may not reach the hypervisor."""
    assert all(sight({}).spare > 0.0)
    assert all(sight({}, later=13.0).spare > 0.0)
    assert not any(sight({}, later=15.0).spare)
