"""Bugs that the checker must find: each breaks the product in one place for a while."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ballonet.engine import act, engine, remember, sender, table, watch, write_ahead
from ballonet.engine.engine import Engine
from ballonet.engine.requests import Requests
from ballonet.facts.evolve import evolve
from ballonet.facts.verdict import CODES
from ballonet.hypervisor import readings
from ballonet.policy import motion, plan, room, sample, verdicts
from ballonet.service import keeping
from ballonet.service.daemon import Daemon

Plant = Callable[[pytest.MonkeyPatch], None]
BUGS: dict[str, Plant] = {}


def bug(plant: Plant) -> Plant:
    BUGS[plant.__name__] = plant
    return plant


def no_second_look(patch: pytest.MonkeyPatch) -> None:
    """Take away the assertions before sending, so that only the checker is left to see it."""
    patch.setattr(sender, "broken_promises", lambda changes: np.zeros(len(changes), dtype=np.int8))


def no_trust(patch: pytest.MonkeyPatch) -> None:
    """Take away those of them that are about what the service decides by itself."""
    patch.setattr(sender, "broken_trust", lambda changes, _: np.zeros(len(changes), dtype=np.int8))


def change_verdicts(patch: pytest.MonkeyPatch, *codes: str) -> None:
    """Have guests managed that must not be, for these reasons."""
    there, managed = verdicts.verdicts, CODES["managed"]
    ignored = [CODES[code] for code in codes]

    def blinder(*args: Any) -> Any:
        found = there(*args)
        return np.where(np.isin(found, ignored), managed, found).astype(np.int8)

    patch.setattr(plan, "verdicts", blinder)


@bug
def kib_for_bytes(patch: pytest.MonkeyPatch) -> None:
    no_second_look(patch)
    there = act.Changes.sizes
    patch.setattr(
        act.Changes, "sizes", lambda self: {uuid: size // 1024 for uuid, size in there(self).items()}
    )


@bug
def floor_missing(patch: pytest.MonkeyPatch) -> None:
    no_second_look(patch)
    _table_with(patch, lambda made: _with(made, floor=made.floor * 0.3))


@bug
def hard_floor_missing(patch: pytest.MonkeyPatch) -> None:
    """Floors of settings may lie below it."""
    no_second_look(patch)
    for room_of_it in (act, table):
        patch.setattr(room_of_it, "hard_floor_bytes", lambda maximum: maximum * 0.0)


@bug
def ceiling_ignored(patch: pytest.MonkeyPatch) -> None:
    no_second_look(patch)
    _table_with(patch, lambda made: _with(made, ceiling=made.maximum))


@bug
def stale_accepted(patch: pytest.MonkeyPatch) -> None:
    change_verdicts(patch, "stale")


@bug
def blind_accepted(patch: pytest.MonkeyPatch) -> None:
    no_trust(patch)
    change_verdicts(patch, "blind")


@bug
def booting_accepted(patch: pytest.MonkeyPatch) -> None:
    change_verdicts(patch, "booting")


@bug
def foreign_change_overridden(patch: pytest.MonkeyPatch) -> None:
    change_verdicts(patch, "foreign")


@bug
def job_ignored(patch: pytest.MonkeyPatch) -> None:
    change_verdicts(patch, "busy")


@bug
def unmanaged_guest_written(patch: pytest.MonkeyPatch) -> None:
    no_second_look(patch)
    change_verdicts(patch, "excluded")


@bug
def statistics_older_than_the_last_change_accepted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        sender.Sender, "_still_apply", lambda self, changes, cause: np.ones(len(changes), dtype=np.bool_)
    )
    _motion_with(patch, lambda memory: evolve(memory, changed_at=np.full_like(memory.changed_at, -np.inf)))


@bug
def no_wait_for_arrival(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        sender.Sender, "_still_apply", lambda self, changes, cause: np.ones(len(changes), dtype=np.bool_)
    )
    _motion_with(patch, lambda memory: evolve(memory, arrived=np.ones_like(memory.arrived)))


@bug
def distress_ignored(patch: pytest.MonkeyPatch) -> None:
    """Who swaps gives a bite as others do, also soon after it grew, and is thought to need its floor only."""
    no_trust(patch)
    patch.setattr(motion, "_dwell", lambda memory, settings: 0.0)
    _motion_with(patch, lambda memory: evolve(memory, distress=np.zeros_like(memory.distress)))
    wants, bite = vars(plan)["wants"], vars(motion)["bite"]
    swaps: list[Any] = []

    def modest(snapshot: Any, memory: Any, settings: Any) -> Any:
        swaps[:] = [memory.distress]
        wanted = wants(snapshot, memory, settings)
        wanted[:, memory.distress] = 0.0
        wanted[0] = np.where(memory.distress, snapshot.floor, wanted[0])
        return wanted

    def bites(snapshot: Any, memory: Any, settings: Any, urgency: Any, much: Any) -> Any:
        taken = bite(snapshot, memory, settings, urgency, much)
        return np.where(swaps[0], np.clip(much, 0.0, 0.05 * snapshot.actual), taken)

    patch.setattr(plan, "wants", modest)
    patch.setattr(motion, "bite", bites)


@bug
def unbounded_bites(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(motion, "bite", lambda snapshot, memory, settings, urgency, much: np.maximum(much, 0.0))


@bug
def grows_before_it_is_free(patch: pytest.MonkeyPatch) -> None:
    """What a shrink is to give is spent before it was seen."""
    there = room.room

    def eager(snapshot: Any, memory: Any, *rest: Any) -> Any:
        return there(snapshot, evolve(memory, arrived=np.ones_like(memory.arrived)), *rest)

    patch.setattr(plan, "room", eager)


@bug
def unbounded_growth(patch: pytest.MonkeyPatch) -> None:
    there = motion.grown
    patch.setattr(plan, "grown", lambda *args: there(*args) * 4.0)
    no_second_look(patch)


@bug
def reserve_ignored(patch: pytest.MonkeyPatch) -> None:
    there = room.host_free
    patch.setattr(room, "host_free", lambda snapshot, settings: there(snapshot, settings) + 2.0**40)


@bug
def lease_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Engine, "_law", lambda self: self._settings)


@bug
def hold_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Requests, "held", lambda self, uuids: np.zeros(len(uuids), dtype=np.bool_))


@bug
def pause_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Engine, "writes", property(lambda self: self._enforce))


@bug
def observing_writes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Engine, "writes", property(lambda self: self.requests.paused is None))


@bug
def journal_after_the_act(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(write_ahead.WriteAhead, "written", lambda self, changes, cause: True)


@bug
def full_disk_ignored(patch: pytest.MonkeyPatch) -> None:
    there = write_ahead.WriteAhead.written
    patch.setattr(
        write_ahead.WriteAhead, "written", lambda self, changes, cause: there(self, changes, cause) or True
    )


@bug
def gap_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Engine, "_after_a_gap", lambda self, now: False)


@bug
def sentinel_is_a_number(patch: pytest.MonkeyPatch) -> None:
    """And whoever decides takes it for one, too."""
    patch.setattr(readings, "_SENTINELS", frozenset())
    patch.setattr(readings, "_SLACK", 1e30)
    change_verdicts(patch, "absurd")


@bug
def reflex_takes_what_is_used(patch: pytest.MonkeyPatch) -> None:
    """Of whom it may take what is unused it takes all down to the floor."""
    no_trust(patch)
    there = watch.Watch.sight

    def greedy(self: Any, made: Any, memory: Any, settings: Any) -> Any:
        sight = there(self, made, memory, settings)
        if sight is None:
            return None
        beyond = np.maximum(sight.held - made.snapshot.floor, 0.0)
        return _with(sight, spare=np.where(sight.spare > 0.0, beyond, 0.0))

    patch.setattr(watch.Watch, "sight", greedy)


@bug
def what_people_were_granted_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """People's changes are paid from what was free at the tick, however often."""
    patch.setattr(Engine, "free_bytes", property(lambda self: self.plan.free))


@bug
def resets_forgotten_by_a_restart(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        remember, "LEARNED_TIMES", tuple(name for name in remember.LEARNED_TIMES if name != "born_at")
    )


@bug
def kills_forget_who_is_left_alone(patch: pytest.MonkeyPatch) -> None:
    """That somebody was reset, or moved by somebody else, is written with the rest once a minute."""
    patch.setattr(keeping, "_AT_ONCE", frozenset())
    patch.setattr(keeping.Keeper, "_moved", lambda self: False)


@bug
def holds_forgotten_by_a_restart(patch: pytest.MonkeyPatch) -> None:
    there = Requests.__init__
    patch.setattr(
        Requests,
        "__init__",
        lambda self, clock, journal=None, kept=(), **rest: there(self, clock, journal, **rest),
    )


@bug
def targets_forgotten_by_a_restart(patch: pytest.MonkeyPatch) -> None:
    there = remember.Remembered.recall
    patch.setattr(
        remember.Remembered, "recall", lambda self, learned, targets, *rest: there(self, learned, {}, *rest)
    )


@bug
def watchdog_fed_by_failures(patch: pytest.MonkeyPatch) -> None:
    there = Daemon._failed

    def failed(self: Any, error: Any) -> None:
        there(self, error)
        self._notifier.ticked("")

    patch.setattr(Daemon, "_failed", failed)


@bug
def tick_waits_for_a_hung_guest(patch: pytest.MonkeyPatch) -> None:
    there = act.Actor.__init__
    patch.setattr(act.Actor, "__init__", lambda self, hypervisor: there(self, hypervisor, 30.0))


@bug
def single_threshold(patch: pytest.MonkeyPatch) -> None:
    """Above one size a guest gives a bite, below it gets one: no room between, and no dwell."""
    patch.setattr(motion, "_dwell", lambda memory, settings: 0.0)
    patch.setattr(motion, "deadband", lambda snapshot, settings: np.zeros(len(snapshot)))
    more, less = vars(plan)["grown"], vars(motion)["excess"]

    def step(snapshot: Any) -> Any:
        return 0.05 * snapshot.actual

    def grown(snapshot: Any, memory: Any, share: Any, there: Any, settings: Any) -> Any:
        growth = more(snapshot, memory, share, there, settings)
        most = np.minimum(step(snapshot), snapshot.ceiling - there.held)
        wider = np.where(share.managed & (share.allotted > there.held), np.maximum(growth, most), growth)
        return wider if wider.sum() <= there.free else growth

    def excess(snapshot: Any, *rest: Any) -> Any:
        much = less(snapshot, *rest)
        most = np.minimum(step(snapshot), snapshot.actual - snapshot.floor)
        return np.where(much > 0.0, np.maximum(much, most), much)

    patch.setattr(plan, "grown", grown)
    patch.setattr(motion, "excess", excess)


@bug
def relief_merged_with_a_pending_shrink(patch: pytest.MonkeyPatch) -> None:
    """Who is to grow while it still gives memory is given that upon what it was told to get down to."""
    no_trust(patch)
    there = vars(plan)["motion"]

    def merged(snapshot: Any, memory: Any, *rest: Any) -> Any:
        target, bound = there(snapshot, memory, *rest)
        shrinks = ~memory.arrived & (memory.target < snapshot.actual) & (target > snapshot.actual)
        return np.where(shrinks, memory.target + target - snapshot.actual, target), bound

    patch.setattr(plan, "motion", merged)


@bug
def swap_debt_dropped(patch: pytest.MonkeyPatch) -> None:
    """What was swapped out is needed no more, and no distress that came of it leaves a margin."""
    patch.setattr(sample, "_debt", lambda memory, *rest: np.zeros_like(memory.swap_debt))
    patch.setattr(sample, "_margin", lambda memory, *rest: np.zeros_like(memory.margin))


@bug
def accounting_mode_wrong(patch: pytest.MonkeyPatch) -> None:
    """Whose kernel counts its balloon as used is taken for one whose does not."""
    patch.setattr(sample, "_counted", lambda memory, *rest: np.zeros_like(memory.counted))


@bug
def share_of_a_stuck_guest_given_away(patch: pytest.MonkeyPatch) -> None:
    """Who does not follow is taken to have given what it was told to."""
    there = vars(plan)["room"]

    def given(snapshot: Any, memory: Any, *rest: Any) -> Any:
        stuck = memory.stuck_until > snapshot.taken_at
        actual = np.where(stuck, np.fmin(memory.target, snapshot.actual), snapshot.actual)
        return there(_with(snapshot, actual=actual), memory, *rest)

    patch.setattr(plan, "room", given)


def _with(value: Any, **columns: Any) -> Any:
    return replace(value, **columns)


def _table_with(patch: pytest.MonkeyPatch, bend: Callable[[Any], Any]) -> None:
    there = vars(engine)["snapshot_of"]
    patch.setattr(engine, "snapshot_of", lambda *args: bend(there(*args)))


def _motion_with(patch: pytest.MonkeyPatch, bend: Callable[[Any], Any]) -> None:
    there = vars(plan)["motion"]
    patch.setattr(plan, "motion", lambda snapshot, memory, *rest: there(snapshot, bend(memory), *rest))
