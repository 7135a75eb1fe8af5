"""What is written down of changes after they were sent: whether they arrived, and if not, why."""

from dataclasses import replace

import numpy as np
from columns import snapshot
from kept import MemoryJournal

from ballonet.engine.summary import Summary
from ballonet.engine.tell import Teller
from ballonet.engine.write_ahead import ADOPTED, WriteAhead
from ballonet.facts.act import Outcome
from ballonet.facts.memory import Memory
from ballonet.simulator.virtual import VirtualClock
from ballonet.units import MIB


class Noon(VirtualClock):
    """A clock that stands."""

    def monotonic(self) -> float:
        return 100.0


def test_a_change_arrives_or_is_given_up_or_somebody_else_moves_it_away() -> None:
    clock, journal = Noon(), MemoryJournal()
    before = replace(Memory.blank(3), arrived=np.full(3, False), target=np.full(3, 600.0 * MIB))  # noqa: FBT003
    after = replace(
        before,
        arrived=np.full(3, True),  # noqa: FBT003
        target=np.array([600.0, 900.0, 600.0]) * MIB,
        foreign_until=np.array([-np.inf, 160.0, -np.inf]),
        stuck_until=np.array([-np.inf, -np.inf, 120.0]),
    )
    table = snapshot(3, actual=np.array([600.0, 900.0, 800.0]) * MIB)
    WriteAhead(journal, Teller(clock, lambda _: None, Summary()), clock).follow(before, after, table)
    outcomes = [Outcome.REACHED, Outcome.FOREIGN, Outcome.STUCK]
    assert list(zip(table.uuids, outcomes, strict=True)) == journal.outcomes
    assert [(ADOPTED, 900 * MIB)] == [(act.cause, act.to_bytes) for act in journal.acts]
