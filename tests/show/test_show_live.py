"""The live table and the comparison, drawn to text."""

import io

import pytest
from rich.console import Console

from ballonet.engine.summary import Summary
from ballonet.engine.table import Beside, Now, tabulate
from ballonet.facts.guest import Device, Guest, State
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.statistics import Statistics
from ballonet.policy.plan import plan
from ballonet.policy.settings import Settings
from ballonet.show.comparison import comparison
from ballonet.show.live import LiveTable
from ballonet.simulator.history import History
from ballonet.simulator.outcome import Outcome
from ballonet.units import GIB, MIB


def made() -> Plan:
    statistics = Statistics(unused_bytes=100 * MIB, usable_bytes=100 * MIB, last_update=99.0)
    device = Device("virtio", autodeflate=False, free_page_reporting=True, period_seconds=1)
    rows = [
        Guest(name, name, 1, State.RUNNING, 100.0, None, GIB, 512 * MIB, device, statistics=statistics)
        for name in ("web", "db")
    ]
    table = tabulate(rows, Now(100.0, 100.0), Beside())
    memory = Memory.blank(2)
    memory.used[:] = 300 * MIB
    return plan(table, memory, Settings(budget_bytes=2.0 * GIB))


def drawn(table: LiveTable) -> str:
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    console.print(table.draw())
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_it_shows_who_has_what_and_why() -> None:
    table = LiveTable("Balanced", 0.9 * GIB)
    table.take_plan(made())
    table.take_happening(Happening(0.0, Kind.BURST, "web", "web", 1.0 * MIB, 2.0 * MIB, rate_bytes=3.0 * MIB))

    text = drawn(table)

    for words in (
        "Balanced",
        "web",
        "db",
        "512 MiB",
        "a burst of 3.00 MiB/s",
        "Together 1.00 GiB",
        "above it",
    ):
        assert words in text


def test_it_is_empty_before_the_first_tick() -> None:
    assert "Together 0 B" in drawn(LiveTable("Balanced", None))


def outcome(mean_ms: float, held: float, over: float = 0.0) -> Outcome:
    summary = Summary(seconds=60.0, over_budget_byte_seconds=over, peak_held_bytes=held)
    figures = (1000, mean_ms, 20.0, "web", 2 * mean_ms, 290.0, 256, 0, held, held)
    return Outcome(summary, 1.0 * GIB, *figures, disk_reads=0, answers={}, history=History())


@pytest.mark.parametrize(("over", "words"), [(0.0, "never exceeded"), (60.0 * MIB, "exceeded by 1.00 MiB")])
def test_runs_stand_side_by_side(over: float, words: str) -> None:
    text = comparison(outcome(1.0, 2.0 * GIB), {"BALLONET": outcome(1.1, 1.0 * GIB, over)})

    assert "WITHOUT" in text
    assert "at 1.10 times the latency" in text
    assert "60 GiB·s" in text
    assert words in text
