"""Frames of a recorded run: what its trace tells, and no more.

A trace has facts and what guests were told, but neither reasons, nor the budget, nor what people asked for.
What a guest needed, and whether it could be managed, is reckoned from its facts by the law as it is now.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np

from ballonet import __version__
from ballonet.engine.remember import Remembered
from ballonet.errors import RefusedError
from ballonet.facts.happening import Kind
from ballonet.facts.snapshot import Bools, Codes, Floats, Snapshot
from ballonet.facts.verdict import VERDICTS
from ballonet.policy.learn import learn
from ballonet.policy.need import wants
from ballonet.policy.settings import Settings
from ballonet.policy.verdicts import verdicts
from ballonet.service import models
from ballonet.service.answers import known, moment, verdict_of, whole
from ballonet.service.overview import state_word
from ballonet.show.terminal.source import MOST_ROWS, Frame
from ballonet.simulator.trace import TARGET, Trace
from ballonet.units import format_size

# No budget is recorded, and none matters to what is reckoned here.
_LAW = Settings(budget_bytes=0.0, boot_grace_seconds=0.0)
_NO_REASONS = "a recording keeps no reasons"


class Recorded:
    """A recorded run, any frame of which can be shown at any time."""

    paced = True
    read_only = "this is a recording: nothing can be done in it"

    def __init__(self, trace: Trace, path: Path) -> None:
        self.title = str(path)
        self._trace = trace
        self._ticks = list(trace.ticks())
        self._told = trace.numbers.get(TARGET, np.full(len(trace), np.nan))
        self._need, self._verdict, self._distress = _reckoned(trace, self._ticks)
        self._changed = np.zeros(len(trace), dtype=np.bool_)  # rows of guests told another size than before
        self.events: Sequence[models.Event] = list(self._happened())
        most = max(2, MOST_ROWS // max(tick.stop - tick.start for tick in self._ticks))
        self._frame = lru_cache(most)(self._made)

    @property
    def numbers(self) -> range:
        """Return the numbers of all frames."""
        return range(len(self._ticks))

    def frame(self, number: int) -> Frame:
        """Return the frame of a tick."""
        frame: Frame = self._frame(number)
        return frame

    def at(self, number: int) -> float:
        """Return when that was, in epoch seconds."""
        return float(self._trace.time[self._ticks[number].start])

    async def next(self) -> Frame | None:
        """Return None: all frames are there."""
        return None

    async def why(self, uuid: str) -> models.Why:  # noqa: ARG002
        """Refuse it: there are none in a trace."""
        raise RefusedError(_NO_REASONS, hint="what would be decided now: ballonet sim replay FILE")

    async def history(self, uuid: str, seconds: float, points: int) -> None:
        """Return None: the frames are all that there is."""

    async def sparklines(self, seconds: float, points: int) -> None:
        """Return None likewise."""

    async def act(self, kind: type[models.Asked], **fields: object) -> Sequence[models.Hold]:  # noqa: ARG002
        """Refuse it."""
        raise RefusedError(self.read_only, hint="watch a service, or a simulated host: -c sim:SCENARIO")

    async def close(self) -> None:
        """Let go of nothing."""

    # --- frames -------------------------------------------------------------------------------------

    def _made(self, number: int) -> Frame:
        rows = self._ticks[number]
        table = self._trace.snapshot(rows)
        at = moment(table.taken_at)
        began = moment(float(self._trace.time[0]))
        status = models.Status(
            version=__version__,
            started_at=began,
            mode="recorded",
            paused=None,
            host=self._host(rows, table),
            hypervisors=[],
            holds=[],
            leases=[],
            leased_bytes=0,
            settings=models.SettingsReload(at=began, succeeded=True, error=None, in_force_since=began),
        )
        guests = [self._row(table, index, rows.start + index) for index in range(len(table))]
        return Frame.of(number, models.Overview(at=at, tick=number + 1, status=status, guests=guests))

    def _row(self, table: Snapshot, index: int, row: int) -> models.GuestRow:
        verdict, told = VERDICTS[self._verdict[row]], float(self._told[row])
        said = f"told to have {format_size(told)}; {_NO_REASONS}" if self._changed[row] else "left as it was"
        return models.GuestRow(
            name=table.names[index],
            uuid=table.uuids[index],
            hypervisor="",
            state=state_word(
                verdict,
                distress=bool(self._distress[row]),
                actual_bytes=float(table.actual[index]),
                ahead_bytes=told,
                floor_bytes=float(table.floor[index]),
                near_bytes=_LAW.deadband_bytes,
            ),
            verdict=verdict_of(verdict, table.names[index]),
            maximum_bytes=whole(table.maximum[index]),
            floor_bytes=whole(table.floor[index]),
            ceiling_bytes=whole(table.ceiling[index]),
            actual_bytes=whole(table.actual[index]),
            told_bytes=whole(told),
            target_bytes=whole(told) if self._changed[row] else None,
            need_bytes=whole(self._need[row]) if verdict.managed else None,
            usable_bytes=whole(table.usable[index]),
            rss_bytes=whole(table.rss[index]),
            swap_in_bytes_total=whole(table.swap_in[index]),
            swap_out_bytes_total=whole(table.swap_out[index]),
            major_faults_total=whole(table.major_faults[index]),
            pressure_ratio=known(table.pressure[index]),
            stats_age_seconds=known(table.stats_age[index]),
            sentence=said if verdict.managed else verdict.reason,
            held_until=None,
        )

    def _host(self, rows: slice, table: Snapshot) -> models.HostMemory | None:
        """Return the host's memory; what was kept free of it is not recorded, and counts as headroom."""

        def value(name: str) -> float:
            column = self._trace.numbers.get(f"host_{name}")
            return math.nan if column is None else float(column[rows.start])

        total, available = whole(value("total_bytes")), whole(value("available_bytes"))
        if total is None or available is None:
            return None
        guests = whole(np.nansum(table.rss)) if np.isfinite(table.rss).any() else None
        return models.HostMemory(
            total_bytes=total,
            available_bytes=available,
            own_bytes=None if guests is None else max(0, total - available - guests),
            guests_bytes=guests,
            reserve_bytes=0,
            leased_bytes=0,
            headroom_bytes=available,
            swap_total_bytes=whole(value("swap_total_bytes")) or 0,
            swap_free_bytes=whole(value("swap_free_bytes")) or 0,
            pressure_some_ratio=known(value("pressure_some_ratio")),
            pressure_full_ratio=known(value("pressure_full_ratio")),
        )

    # --- events -------------------------------------------------------------------------------------

    def _happened(self) -> Iterator[models.Event]:
        """Yield who came, went, and was told another size, and note the rows of the last."""
        trace, before, number = self._trace, dict[str, tuple[str, float]](), 0
        for tick, rows in enumerate(self._ticks):
            now = {trace.uuids[row]: row for row in range(rows.start, rows.stop)}
            at = moment(float(trace.time[rows.start]))
            found: list[models.Event] = []
            for uuid, row in now.items():
                name, told = trace.names[row], float(self._told[row])
                last = before.get(uuid, ("", math.nan))[1]
                if tick and uuid not in before:
                    found.append(_event(number + len(found), at, Kind.CAME, name, uuid, "is here"))
                if tick and not math.isnan(told) and told != last:
                    self._changed[row] = True
                    actual = trace.numbers["actual_bytes"][row]
                    said = f"{format_size(actual)} → {format_size(told)}  {_NO_REASONS}"
                    made = _event(number + len(found), at, Kind.PLANNED, name, uuid, said)
                    sizes = {"from_bytes": whole(actual), "to_bytes": whole(told)}
                    found.append(made.model_copy(update=sizes))
            for uuid in before.keys() - now.keys():
                found.append(_event(number + len(found), at, Kind.WENT, before[uuid][0], uuid, "is gone"))
            number += len(found)
            before = {uuid: (trace.names[row], float(self._told[row])) for uuid, row in now.items()}
            yield from found


def _event(number: int, at: datetime, kind: Kind, name: str, uuid: str, sentence: str) -> models.Event:
    return models.Event(
        id=number,
        at=at,
        kind=kind.value,
        name=name,
        uuid=uuid,
        from_bytes=None,
        to_bytes=None,
        sentence=sentence,
        written=True,
        reasons=None,
    )


def _reckoned(trace: Trace, ticks: Sequence[slice]) -> tuple[Floats, Codes, Bools]:
    """Return each row's need, verdict and distress, as the law reckons them from what came before."""
    need, distress = np.full(len(trace), np.nan), np.zeros(len(trace), dtype=np.bool_)
    found, remembered = np.zeros(len(trace), dtype=np.int8), Remembered()
    for rows in ticks:
        snapshot = trace.snapshot(rows)
        memory = remembered.memory = learn(remembered.align(snapshot.uuids), snapshot, _LAW)
        need[rows] = wants(snapshot, memory, _LAW)[0]
        distress[rows] = memory.distress
        found[rows] = verdicts(snapshot, memory, _LAW)
    return need, found, distress
