"""A hypervisor and a clock for engine tests: guests move at once or not at all, and time is told."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace

from ballonet.engine.ports import Event, HypervisorFacts, check_size
from ballonet.errors import HypervisorError
from ballonet.facts.guest import Device, Guest, State
from ballonet.facts.statistics import Statistics
from ballonet.units import GIB, MIB


def guest(name: str, *, maximum: int = GIB, actual: int | None = None, used: int = 300 * MIB) -> Guest:
    """Return a guest that uses `used` of what it has, and has no page cache."""
    size = maximum if actual is None else actual
    return reporting(
        Guest(
            name=name,
            uuid=f"uuid-{name}",
            id=1,
            state=State.RUNNING,
            read_at=0.0,
            maximum_bytes=maximum,
            actual_bytes=size,
            device=Device("virtio", autodeflate=False, free_page_reporting=True, period_seconds=1),
        ),
        used,
    )


def unasked(row: Guest) -> Guest:
    """Return the guest with its statistics switched off."""
    assert row.device
    return replace(row, device=replace(row.device, period_seconds=0))


def reporting(row: Guest, used: int) -> Guest:
    """Return the guest with statistics that say so."""
    size = row.actual_bytes or 0
    left = max(0, size - used)
    return replace(
        row,
        statistics=Statistics(
            unused_bytes=left,
            usable_bytes=left,
            available_bytes=size - 50 * MIB,
            rss_bytes=size,
            swap_in_bytes_total=0,
            swap_out_bytes_total=0,
            last_update=row.read_at,
        ),
    )


@dataclass
class PretendClock:
    now: float = 1000.0
    set_by: float = 0.0  # by how much somebody set the wall clock

    def time(self) -> float:
        return 1_700_000_000.0 + self.now + self.set_by

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class PretendResidents:
    resident: dict[str, int] = field(default_factory=dict)

    def follow(self, uuids: Iterable[str]) -> None:
        list(uuids)

    def read(self) -> dict[str, int]:
        return dict(self.resident)

    def started_at(self, uuid: str) -> float | None:
        return None


@dataclass
class PretendHypervisor:
    clock: PretendClock
    rows: dict[str, Guest] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)  # these never move
    silent: bool = False  # statistics stay as they are
    failing: dict[str, HypervisorError] = field(default_factory=dict)
    sent: list[tuple[str, int]] = field(default_factory=list)
    periods: list[tuple[str, int]] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)

    def add(self, row: Guest, used: int = 300 * MIB) -> None:
        self.rows[row.uuid] = row
        self.used[row.uuid] = used

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        if not self.silent:
            for uuid, row in self.rows.items():
                self.rows[uuid] = reporting(replace(row, read_at=self.clock.time()), self.used[uuid])
        return sorted(self.rows.values(), key=lambda row: row.name)

    async def guest(self, reference: str) -> Guest:
        return self.rows[reference]

    async def resize(
        self,
        uuid: str,
        size_bytes: int,
        *,
        live: bool = True,
        config: bool = False,
        from_bytes: int | None = None,
    ) -> None:
        assert (live, config) == (True, False)
        if from_bytes is not None:
            check_size(self.rows[uuid].name, self.rows[uuid].actual_bytes, from_bytes)
        if uuid in self.failing:
            raise self.failing[uuid]
        self.sent.append((uuid, size_bytes))
        if uuid not in self.deaf:
            self.rows[uuid] = replace(self.rows[uuid], actual_bytes=size_bytes)

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        raise AssertionError

    async def refresh(self, uuid: str) -> None:
        self.refreshed.append(uuid)

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        assert (live, config) == (True, False)
        self.periods.append((uuid, seconds))
        device = self.rows[uuid].device
        assert device
        self.rows[uuid] = replace(self.rows[uuid], device=replace(device, period_seconds=seconds))

    async def events(self) -> AsyncIterator[Event]:
        return
        yield

    async def facts(self) -> HypervisorFacts:
        return HypervisorFacts("pretend:", read_only=False, local=True)

    async def close(self) -> None:
        return
