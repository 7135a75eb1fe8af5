"""Guests live on in long steps where nothing happens in between, and come to the same."""

from collections.abc import Sequence

import numpy as np
import pytest

from ballonet.simulator import guests as model
from ballonet.simulator.life import STEP_SECONDS, Life
from ballonet.simulator.schedule import Step, steps
from ballonet.simulator.timetable import WANTS, Rows, Steps, Timetable
from ballonet.units import MIB

REST = "at 0 anon_mib=40 hot_mib=40 rate=50 touches=32"
LOADS = {
    "rests": REST,
    "bursts": f"{REST}\nat 7.33 anon_mib=330 hot_mib=330 grow_mib_s=300\nat 14 anon_mib=40 hot_mib=40",
    "ramps": f"{REST}\nat 3 anon_mib=240 hot_mib=240 grow_mib_s=25",
    "reads": "at 0 anon_mib=20 hot_mib=20 file_mib=200 rate=50 touches=16 reads=8",
    "thrashes": "at 0 anon_mib=450 hot_mib=450 rate=20 touches=32",
}


class Counting(Life):
    """Counts the steps that were reckoned."""

    steps = 0

    def _step(self, rows: Rows, length: Steps) -> None:
        self.steps += 1
        super()._step(rows, length)


def life(loads: Sequence[str], *, reports_free: bool = True) -> Counting:
    rows = len(loads)
    make = model.Make.of(
        maximum=np.full(rows, 512.0 * MIB),
        swap=np.full(rows, 512.0 * MIB),
        requests=np.full(rows, 1000.0),
        vcpus=np.full(rows, 2.0),
        deflates=np.zeros(rows, dtype=np.bool_),
        reports_free=np.full(rows, reports_free),
        recent=np.zeros(rows, dtype=np.bool_),
    )
    return Counting(make, Timetable([steps(load) for load in loads], STEP_SECONDS))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """Return guests that took the shortest steps all the time."""
    with monkeypatch.context() as patch:
        patch.setattr("ballonet.simulator.life.LONGEST", 1.0)
        return lived(1)


def lived(look_steps: int, seconds: float = 20.0) -> Counting:
    """Return guests that are squeezed to 300 MiB after five seconds, looked at every so many steps."""
    ours = life(list(LOADS.values()))
    for at in range(0, round(seconds / STEP_SECONDS), look_steps):
        if at == 100:
            ours.resize(np.arange(len(LOADS)), np.full(len(LOADS), 300.0 * MIB))
        ours.live(at + look_steps)
    return ours


def test_long_steps_come_to_the_same_as_short_ones(short: Counting) -> None:
    """But for what leaves the host by and by: that is a curve, and long steps are its chords."""
    long = lived(20)
    assert long.steps < 0.8 * short.steps

    for name in model.State.__dataclass_fields__:
        fine, coarse = getattr(short.state(), name), getattr(long.state(), name)
        within = 8 * MIB if name == "resident" else 3 * MIB
        counter = name in {"swap_in", "swap_out", "major_faults", "disk_reads", "oom_kills"}
        assert coarse == pytest.approx(fine, rel=0.03, abs=200 if counter else within), name


def test_requests_are_answered_however_long_the_steps(short: Counting) -> None:
    fine, coarse = short.answers(), lived(20).answers()

    assert fine.answered == pytest.approx(coarse.answered, rel=0.01)
    assert fine.seconds == pytest.approx(coarse.seconds, rel=0.05)


def test_looks_change_nothing_and_cost_next_to_no_steps() -> None:
    often, seldom = lived(1), lived(20)

    assert often.steps < 1.2 * seldom.steps  # fewer guests at once, now and then
    for name in model.State.__dataclass_fields__:
        assert getattr(often.state(), name) == pytest.approx(getattr(seldom.state(), name), rel=1e-9), name


def test_guests_in_which_nothing_moves_are_not_reckoned() -> None:
    quiet = life([REST] * 3)
    quiet.live(100)
    before = quiet.steps
    quiet.live(100_000)

    assert before == quiet.steps
    assert [50 * 100_000 * STEP_SECONDS] * 3 == pytest.approx(quiet.answers().answered)


def test_a_guest_told_a_size_or_with_something_new_to_do_moves_at_once() -> None:
    guests = life([REST, f"{REST}\nat 60 anon_mib=100 hot_mib=100"])
    guests.live(1000)
    assert 200 == guests.next_turn() - guests.now
    guests.resize(np.array([0]), np.array([400.0 * MIB]))
    guests.live(1010)
    assert 400 * MIB == guests.state().actual[0]
    guests.live(1202)
    assert 100 * MIB == guests.state().hot[1]


def test_growth_ahead_is_known_until_it_changes() -> None:
    guests = life([f"{REST}\nat 2 anon_mib=340 hot_mib=340 grow_mib_s=100"])
    guests.live(20)
    assert 0 == guests.rise()[0]
    guests.live(60)
    assert 100 * MIB == pytest.approx(guests.rise()[0])
    guests.live(120)
    assert 0 == guests.rise()[0]


def test_growth_within_what_it_touched_before_is_known_ahead_too() -> None:
    """Without free page reporting that stays resident: growth beyond it follows, though none shows yet."""
    burst = "anon_mib=340 hot_mib=340 grow_mib_s=100"
    guests = life([f"{REST}\nat 2 {burst}\nat 6 anon_mib=40 hot_mib=40\nat 8 {burst}"], reports_free=False)
    guests.live(140)
    assert 0 == guests.rise()[0]
    before = guests.resident()[0]
    guests.live(180)
    assert before == guests.resident()[0]
    assert 100 * MIB == pytest.approx(guests.rise()[0])


def test_schedules_lie_side_by_side() -> None:
    table = Timetable([[Step(0.0, anon_mib=1.0), Step(1.0, anon_mib=2.0)], [Step(0.52, rate=3.0)]], 0.05)
    rows = np.arange(2)

    def at(step: int, key: str) -> list[float]:
        table.turn(rows, step)
        return list(table.wants(rows)[key])

    assert set(WANTS) == set(table.wants(rows))
    assert [1.0 * MIB, 0.0] == at(0, "anon")
    assert [20, 11] == table.next_at.tolist()  # 0.52 s is within the eleventh step: from the next one on
    assert [0.0, 0.0] == at(10, "rate")
    assert [0.0, 3.0] == at(11, "rate")
    assert [2.0 * MIB, 0.0] == at(20, "anon")
    assert [] == table.turn(rows, 1000).tolist()
