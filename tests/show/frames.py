"""What the terminal view is tested with: frames that are always the same, and a source that shows them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ballonet.errors import BallonetError, RefusedError
from ballonet.service.models import (
    Asked,
    Event,
    GuestCounts,
    GuestHistory,
    GuestRow,
    Hold,
    HostMemory,
    HypervisorStatus,
    LastTick,
    Overview,
    SettingsReload,
    Sparklines,
    Status,
    Verdict,
    Why,
)
from ballonet.show.terminal.source import Kept
from ballonet.units import GIB, MIB

AT = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
MANAGED = Verdict(code="managed", managed=True, reason="managed", remedy=None)
HELD = Verdict(code="held", managed=False, reason="held: somebody asked", remedy="ballonet resume web")
SILENT = Verdict(code="silent", managed=False, reason="its balloon driver is silent", remedy="modprobe")

# A terminal's escape, markup of two kinds, text that runs backward, and one that is long.
HOSTILE = (
    "\x1b[2Jclear",
    "[red]markup[/red]",
    "[@click=app.quit]quit[/]",
    "a\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "<script>alert(1)</script>",
    "new\nline\tand tab",
    "\N{CJK UNIFIED IDEOGRAPH-8A18}\N{CJK UNIFIED IDEOGRAPH-61B6}\N{CJK UNIFIED IDEOGRAPH-9AD4}",
    "a-name-that-is-much-longer-than-any-column-of-the-table",
)


def row(name: str, actual_mib: int | None = 512, **differs: Any) -> GuestRow:
    """Return a guest of 1 GiB that is steady unless it is said otherwise."""
    actual = None if actual_mib is None else actual_mib * MIB
    return GuestRow.model_validate(
        {
            "name": name,
            "uuid": f"uuid-{name}",
            "hypervisor": "qemu:///system",
            "state": "steady",
            "verdict": MANAGED,
            "maximum_bytes": GIB,
            "floor_bytes": 256 * MIB,
            "ceiling_bytes": GIB,
            "actual_bytes": actual,
            "told_bytes": actual,
            "target_bytes": None,
            "need_bytes": None if actual is None else actual - 100 * MIB,
            "usable_bytes": 150 * MIB,
            "rss_bytes": actual,
            "swap_in_bytes_total": 0,
            "swap_out_bytes_total": 0,
            "major_faults_total": 0,
            "pressure_ratio": None,
            "stats_age_seconds": 1.0,
            "sentence": "it has what it should have: all of its need, all of its cushion",
            "held_until": None,
        }
        | differs
    )


GUESTS = (
    row("batch", 700, state="shrinking", target_bytes=620 * MIB, told_bytes=620 * MIB, need_bytes=400 * MIB,
        sentence="it gives a part now and is watched: all of its need, all of its cushion"),
    row("build-7", 1024, state="ignored", need_bytes=None, verdict=SILENT, floor_bytes=GIB,
        sentence="excluded by the administrator"),
    row("db", 800, state="swapping", need_bytes=860 * MIB, usable_bytes=20 * MIB, target_bytes=900 * MIB,
        swap_in_bytes_total=96 * MIB, sentence="it grows to all that is allotted to it: 92 % of its need"),
    row("idle", 256, state="at floor", need_bytes=200 * MIB),
    row("mail", None, state="no data", verdict=SILENT, usable_bytes=None, stats_age_seconds=None,
        sentence="its balloon driver is silent"),
    row("old", 640, state="no data", stats_age_seconds=95.0, sentence="its statistics stopped"),
    row("shop", 512, state="growing", target_bytes=640 * MIB, told_bytes=640 * MIB, need_bytes=500 * MIB,
        sentence="it grows to all that is allotted to it: all of its need, all of its cushion"),
    row("web", 480, need_bytes=390 * MIB),
)  # fmt: skip

HOST = HostMemory(
    total_bytes=16 * GIB,
    available_bytes=8 * GIB,
    own_bytes=3 * GIB,
    guests_bytes=5 * GIB,
    reserve_bytes=GIB,
    leased_bytes=512 * MIB,
    headroom_bytes=6 * GIB + 512 * MIB,
    swap_total_bytes=2 * GIB,
    swap_free_bytes=2 * GIB - 64 * MIB,
    pressure_some_ratio=0.023,
    pressure_full_ratio=0.0,
)


def hold(name: str | None = None, **differs: Any) -> Hold:
    """Return a hold of a guest, or everybody, for an hour."""
    return Hold.model_validate(
        {
            "id": "hold-1",
            "name": name,
            "uuid": None if name is None else f"uuid-{name}",
            "begun_at": AT,
            "until": AT + timedelta(hours=1),
            "who": "ann",
            "why": "an upgrade",
            "size_bytes": None,
        }
        | differs
    )


def overview(tick: int = 1, guests: Sequence[GuestRow] = GUESTS, **differs: Any) -> Overview:
    """Return the whole at a tick; what differs is of its status."""
    at = AT + timedelta(seconds=2 * tick)
    counts = GuestCounts(total=len(guests), managed=len(guests), by_verdict={"managed": len(guests)})
    hypervisor = HypervisorStatus(
        uri="qemu:///system",
        state="tight",
        sentence="the host is tight: cache is tried for, a little from many",
        budget_bytes=6 * GIB,
        held_bytes=5 * GIB,
        free_bytes=GIB,
        pool_bytes=256 * MIB,
        short_bytes=128 * MIB,
        given_back_bytes=3 * GIB,
        guests=counts,
        last_tick=LastTick(at=at, age_seconds=0.5, length_seconds=0.01),
    )
    status = Status.model_validate(
        {
            "version": "0.1.0",
            "started_at": AT,
            "mode": "enforce",
            "paused": None,
            "host": HOST,
            "hypervisors": [hypervisor],
            "holds": [],
            "leases": [],
            "leased_bytes": 0,
            "settings": SettingsReload(at=AT, succeeded=True, error=None, in_force_since=AT),
        }
        | differs
    )
    return Overview(at=at, tick=tick, status=status, guests=list(guests))


def event(number: int, name: str | None, sentence: str, **differs: Any) -> Event:
    """Return something that happened two seconds after what was before."""
    return Event.model_validate(
        {
            "id": number,
            "at": AT + timedelta(seconds=2 * number),
            "kind": "planned",
            "name": name,
            "uuid": None if name is None else f"uuid-{name}",
            "from_bytes": None,
            "to_bytes": None,
            "sentence": sentence,
            "written": True,
            "reasons": None,
        }
        | differs
    )


EVENTS = (
    event(1, None, "the host is tight: cache is tried for, a little from many", kind="state"),
    event(2, "shop", "512 MiB → 560 MiB  a burst of 120 MiB/s is in sight", kind="burst"),
    event(3, "batch", "760 MiB → 700 MiB  it gives a part now and is watched: all of its need"),
    event(4, "web", "ann has it left as it is for 1 h", kind="held"),
    event(5, "db", "resizing db: the guest did not answer", kind="failed"),
    event(
        6, "batch", "700 MiB → 620 MiB  it gives a part now and is watched: all of its need", written=False
    ),
)


class Scripted(Kept):
    """Shows frames one after the other; then it waits for more, or fails for ever."""

    title = "/run/ballonet/ballonet.sock"
    read_only = ""

    def __init__(
        self,
        frames: Sequence[Overview],
        events: Sequence[Event] = EVENTS,
        *,
        paced: bool = False,
        rest_seconds: float = 3600.0,
        then: BallonetError | None = None,
    ) -> None:
        """Name the frames; where they are paced so much time is between two besides: none comes by itself."""
        super().__init__()
        self.paced = paced
        self._rest_seconds = rest_seconds if paced else 0.0
        self.coming = list(frames)
        self.then = then
        self.asked: list[tuple[type[Asked], dict[str, object]]] = []
        self.explained: Why | None = None
        self._first = list(events)

    def at(self, number: int) -> float:
        return super().at(number) + number * self._rest_seconds

    async def next(self) -> Any:
        if self.coming:
            events, self._first = self._first, []
            return self.keep(self.coming.pop(0), events)
        if self.then is not None:
            raise self.then
        if self.paced:
            return None
        await asyncio.Event().wait()
        return None

    async def why(self, uuid: str) -> Why:
        if self.explained is None:
            raise RefusedError("nobody knows why", hint="ask somebody else")
        return self.explained

    async def history(self, uuid: str, seconds: float, points: int) -> GuestHistory | None:
        return None

    async def sparklines(self, seconds: float, points: int) -> Sparklines | None:
        return None

    async def act(self, kind: type[Asked], **fields: object) -> Sequence[Hold]:
        self.asked.append((kind, fields))
        return [hold("web")]

    async def close(self) -> None:
        pass


def run_of(count: int, guests: Sequence[GuestRow] = GUESTS) -> list[Overview]:
    """Return so many frames in which the guests' sizes rise and fall."""
    return [
        overview(
            tick,
            [
                each
                if each.actual_bytes is None
                else each.model_copy(update={"actual_bytes": each.actual_bytes - (tick * 7 % 5) * 16 * MIB})
                for each in guests
            ],
        )
        for tick in range(1, count + 1)
    ]
