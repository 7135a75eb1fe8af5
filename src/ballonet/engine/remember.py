"""The memory of guests across ticks in which they come, go and change places, and across restarts."""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import TypeAlias

import numpy as np

from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Floats

# What was learned of a guest and is worth knowing after a restart; the second are times.
LEARNED = (
    "counted",
    "growth",
    "margin",
    "swap_debt",
    "kept",
    "usual_reads",
    "read_seconds",
    "hold_seconds",
    "stuck_seconds",
)
LEARNED_TIMES = (
    "born_at",
    "grew_at",
    "bitten_at",
    "hold_until",
    "streams_until",
    "foreign_until",
    "stuck_until",
)
# What is remembered of what it was told last.
TOLD = ("target", "changed_at", "progress_at", "arrived")
PAGE = 4096
# By what those times are reckoned: the epoch time of the monotonic second 0 as they were written.
ZERO = "zero_at"
# What a guest was told is under way for so long: a restart within it goes on waiting for its arrival.
UNDER_WAY_SECONDS = 10.0


Learned: TypeAlias = Mapping[str, Mapping[str, float]]
"""What was learned of guests, by UUID."""
Targets: TypeAlias = Mapping[str, tuple[int, float, int | None]]
"""What guests were told last, by UUID: bytes, epoch seconds, and what they had before that (bytes; None: it
is known what became of it)."""


class Remembered:
    """Keeps what is known of each guest by its UUID, and lays it out in the order of a snapshot."""

    def __init__(self) -> None:
        self.uuids: tuple[str, ...] = ()
        self.memory = Memory.blank(0)
        self._recalled: dict[str, dict[str, float]] = {}  # of guests not seen yet, times monotonic
        self._had: dict[str, int] = {}  # what those of them had whose last change may never have been sent

    def align(self, uuids: tuple[str, ...], actual: Floats | None = None) -> Memory:
        """Return the memory in this order: guests not seen before are blank, those gone are forgotten.

        Of what was recalled, a change that was perhaps never sent is left out where `actual` (bytes) is still
        what it was before it: that a guest does not have that size is nobody else's doing.
        """
        if uuids == self.uuids:
            return self.memory
        known = {uuid: row for row, uuid in enumerate(self.uuids)}
        unknown = len(self.uuids)  # one blank row, behind the known ones
        extended = _join(self.memory, Memory.blank(1))
        self.memory = extended.take(np.array([known.get(uuid, unknown) for uuid in uuids], dtype=np.intp))
        self.uuids = uuids
        new = {row: uuid for row, uuid in enumerate(uuids) if uuid not in known}
        had = {row: self._had.pop(uuid) for row, uuid in new.items() if uuid in self._had}
        for row, size_bytes in had.items():
            if actual is not None and abs(actual[row] - size_bytes) < PAGE:
                told = self._recalled[uuids[row]]
                self._recalled[uuids[row]] = {name: told[name] for name in told if name not in TOLD}
                self._recalled[uuids[row]]["changed_at"] = told["changed_at"]  # but it may have been sent
        self._overlay(new)
        return self.memory

    def learned(self, epoch_seconds: float) -> dict[str, dict[str, float]]:
        """Return what is worth keeping of each guest by UUID, times as epoch seconds, unknowns left out.

        `epoch_seconds` is the epoch time of the monotonic second 0.
        """
        names = LEARNED + LEARNED_TIMES
        table = np.array([getattr(self.memory, name) for name in names], dtype=np.float64)
        table[len(LEARNED) :] += epoch_seconds
        return {
            uuid: {ZERO: epoch_seconds}
            | {name: value for name, value in zip(names, values, strict=True) if isfinite(value)}
            for uuid, values in zip(self.uuids, table.T.tolist(), strict=True)
        }

    def recall(self, learned: Learned, targets: Targets, epoch_seconds: float, now: float) -> None:
        """Know again what was learned (`by_this_clock`), and what guests were told last.

        A guest that has another size than it was told, and is not on its way there, was changed by somebody;
        unless it has what it had before, and nobody knows what became of that change: it was never sent.
        """
        for uuid, values in learned.items():
            self._recalled[uuid] = {name: values[name] for name in LEARNED + LEARNED_TIMES if name in values}
        for uuid, (size_bytes, at, had) in targets.items():
            told_at = at - epoch_seconds
            had_bytes = None if had is None or abs(had - size_bytes) < PAGE else had  # it stays: it is there
            under_way = had_bytes is not None and now - told_at < UNDER_WAY_SECONDS
            told = dict(zip(TOLD, (float(size_bytes), told_at, now, float(not under_way)), strict=True))
            self._recalled.setdefault(uuid, {}).update(told)
            if had_bytes is not None and not under_way:
                self._had[uuid] = had_bytes

    def _overlay(self, rows: Mapping[int, str]) -> None:
        """Lay what is known again of guests over their blank rows."""
        recalled = {row: self._recalled.pop(uuid) for row, uuid in rows.items() if uuid in self._recalled}
        for name in {name for values in recalled.values() for name in values}:
            column = getattr(self.memory, name).copy()
            for row, values in recalled.items():
                column[row] = values.get(name, column[row])
            self.memory = replace(self.memory, **{name: column})


def by_this_clock(learned: Learned, epoch_seconds: float, *, same_boot: bool) -> dict[str, dict[str, float]]:
    """Return what was kept of guests with its times in monotonic seconds of now, whose second 0 that is.

    While the host was not booted anew they go on from what they were, however the wall clock was set since.
    """
    found = {}
    for uuid, values in learned.items():
        zero = values.get(ZERO, epoch_seconds) if same_boot else epoch_seconds
        found[uuid] = {
            name: value - zero if name in LEARNED_TIMES else value for name, value in values.items()
        }
    return found


def _join(first: Memory, second: Memory) -> Memory:
    """Return the rows of both."""
    columns = {
        name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in Memory.columns()
    }
    return Memory(host=first.host, **columns)
