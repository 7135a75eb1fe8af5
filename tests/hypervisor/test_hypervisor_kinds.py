"""Guests of every kind: from what libvirt reports of each to what is decided, done and said.

The statistics are those that the drivers' sources and their users' reports describe; docs/guests.md has a
row of each kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pretend import PretendClock, PretendHypervisor
from test_hypervisor_rows import Domain

from ballonet.engine.by_hand import Asker, ByHand
from ballonet.engine.engine import Engine, World
from ballonet.errors import RefusedError
from ballonet.facts.guest import Guest
from ballonet.facts.happening import Happening
from ballonet.facts.statistics import Statistics
from ballonet.hypervisor.libvirt.definition import read_definition
from ballonet.hypervisor.libvirt.rows import from_record
from ballonet.policy.advise import advise
from ballonet.policy.diagnose import Finding, diagnose
from ballonet.policy.findings import Surroundings
from ballonet.policy.settings import Settings
from ballonet.units import GIB, KIB, MIB

MAXIMUM, USED, CACHE = 2 * GIB, 300 * MIB, 200 * MIB
DOCUMENT = Path(__file__).parents[2] / "docs/guests.md"
NOTED = {"autodeflate-off", "reporting-off"}  # said of each whose device has neither, if its driver may
MINUS_ONE_PAGE = (2**64 - 4096) // KIB  # what libvirt makes of Windows' -1 pages
FIRST_CAME = 100.0  # seconds before the test at which a guest's driver was loaded

Sample = Mapping[str, int]  # in libvirt's names; sizes are KiB


def counters() -> Sample:
    return {"swap_in": 0, "swap_out": 0, "major_fault": 900, "minor_fault": 90_000}


def linux(size: int) -> Sample:
    return {**linux_before_4_6(size), "usable": (size - USED) // KIB, "disk_caches": CACHE // KIB}


def linux_before_4_6(size: int) -> Sample:
    free = (size - USED - CACHE) // KIB
    return {**counters(), "unused": free, "available": (size - 50 * MIB) // KIB}


def without_counters(size: int) -> Sample:
    return {name: value for name, value in linux(size).items() if name not in counters()}


def windows(size: int) -> Sample:
    """Report standby lists as free, and the balloon as used: `available` never changes."""
    free = (size - USED) // KIB
    return {
        **counters(),
        "unused": free,
        "usable": free + CACHE // KIB // 2,
        "disk_caches": CACHE // KIB,
        "available": (MAXIMUM - 2 * MIB) // KIB,
        "hugetlb_pgalloc": 0,
        "hugetlb_pgfail": 0,
    }


def windows_that_fails_to_count(size: int) -> Sample:
    garbage = dict.fromkeys(("swap_in", "swap_out", "disk_caches"), MINUS_ONE_PAGE)
    return {**windows(size), **garbage}


def impossible(size: int) -> Sample:
    return {**linux(size), "available": 64 * MIB // KIB}


def nothing(_: int) -> Sample:
    return {}


@dataclass(frozen=True)
class Kind:
    """A kind of guest, and what becomes of it."""

    name: str  # its row of docs/guests.md
    sample: Callable[[int], Sample]  # by its size, in bytes
    verdict: str
    doctor: frozenset[str] = frozenset()  # beside NOTED
    remedy: str = ""  # what doctor says helps, in part
    system: str = ""  # what its definition says it runs
    period: int = 1
    answers: bool = True  # each time that it is asked; else once, when its driver was loaded
    never: bool = False  # nor then
    follows: bool = True  # its balloon

    @property
    def managed(self) -> bool:
        return self.verdict == "managed"


BSD, MICROSOFT = "http://freebsd.org/freebsd/14.0", "http://microsoft.com/win/11"
KINDS = (
    Kind("Linux 4.6 and later", linux, "managed", system="http://debian.org/debian/12"),
    Kind(
        "Linux 2.6.34 to 4.5",
        linux_before_4_6,
        "no-usable",
        frozenset({"no-usable"}),
        "kernel 4.6",
        system="http://centos.org/centos/6.10",
    ),
    Kind("Linux without event counters", without_counters, "managed"),
    Kind("Windows with the balloon's service", windows, "managed", system=MICROSOFT),
    Kind(
        "Windows without the service",
        nothing,
        "no-usable",
        frozenset({"no-usable"}),
        "blnsvr.exe -i",
        system=MICROSOFT,
        answers=False,
    ),
    Kind(
        "Windows on ARM",
        nothing,
        "no-usable",
        frozenset({"no-usable"}),
        "blnsvr.exe -i",
        system=MICROSOFT,
    ),
    Kind("Windows with broken counters", windows_that_fails_to_count, "managed", system=MICROSOFT),
    Kind(
        "Windows without drivers",
        nothing,
        "silent",
        frozenset({"silent"}),
        "virtio drivers",
        system=MICROSOFT,
        never=True,
        follows=False,
    ),
    Kind(
        "FreeBSD, NetBSD, OpenBSD",
        nothing,
        "silent",
        frozenset({"silent"}),
        "ballonet set odd SIZE",
        system=BSD,
        never=True,
    ),
    Kind(
        "macOS, or no driver at all",
        nothing,
        "silent",
        frozenset({"silent"}),
        "modprobe virtio_balloon",
        never=True,
        follows=False,
    ),
    Kind(
        "nobody asks it",
        nothing,
        "no-period",
        frozenset({"no-period"}),
        "ballonet period odd 1s",
        period=0,
        answers=False,
    ),
    Kind(
        "hung, or its driver unloaded",
        linux,
        "blind",
        frozenset({"blind"}),
        "look into the guest",
        answers=False,
        follows=False,
    ),
    Kind("reports the impossible", impossible, "absurd", frozenset({"absurd"}), "look into the guest"),
)


def named(kind: Kind) -> str:
    return kind.name


class Odd(Domain):
    """A domain of which nothing but its name matters."""

    def name(self) -> str:
        return "odd"

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's
        return "uuid-odd"


def row(kind: Kind, size: int, at: float, period: int, born_at: float) -> Guest:
    """Return the guest as the bulk call of libvirt would show it at these epoch seconds."""
    stamp = 0 if kind.never else int(at if kind.answers and period else born_at)
    sample = kind.sample(size if kind.answers else MAXIMUM)
    record: dict[str, Any] = {
        "state.state": 1,
        "balloon.current": size // KIB,
        "balloon.maximum": MAXIMUM // KIB,
        "balloon.rss": size // KIB,
        "balloon.last-update": stamp,
        **{f"balloon.{name}": value for name, value in sample.items()},
    }
    system = (
        "<metadata><o:libosinfo xmlns:o='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
        f"<o:os id='{kind.system}'/></o:libosinfo></metadata>"
    )
    xml = (
        f"<domain><memory unit='b'>{MAXIMUM}</memory>{system if kind.system else ''}<devices>"
        f"<memballoon model='virtio'><stats period='{period}'/></memballoon></devices></domain>"
    )
    return from_record(Odd(), record, read_definition(xml), None, at)


class OfOneKind(PretendHypervisor):
    """One guest of that kind."""

    def __init__(self, clock: PretendClock, kind: Kind) -> None:
        super().__init__(clock)
        self.kind = kind
        self.born_at = clock.time() - FIRST_CAME
        self.add(self.read(MAXIMUM, kind.period))
        if not kind.follows:
            self.deaf.add("uuid-odd")

    def read(self, size: int, period: int) -> Guest:
        return row(self.kind, size, self.clock.time(), period, self.born_at)

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        odd = self.rows["uuid-odd"]
        assert odd.device
        self.rows["uuid-odd"] = self.read(odd.actual_bytes or 0, odd.device.period_seconds)
        return list(self.rows.values())


@dataclass
class Bench:
    """That guest under an engine whose budget is a quarter less than it has."""

    kind: Kind
    clock: PretendClock = field(default_factory=PretendClock)
    told: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hypervisor = OfOneKind(self.clock, self.kind)
        settings = Settings(budget_bytes=1.5 * GIB, boot_grace_seconds=0.0, give_surplus=False)
        world = World(self.hypervisor, self.clock)
        self.engine = Engine(world, settings, self.told.append, enforce=True)
        self.by_hand = ByHand(self.engine)

    async def ticks(self, count: int) -> None:
        for _ in range(count):
            await self.engine.tick()
            self.clock.now += 2.0

    @property
    def size(self) -> int:
        return self.hypervisor.rows["uuid-odd"].actual_bytes or 0

    @property
    def verdict(self) -> str:
        assert self.engine.plan
        return self.engine.plan.row(0).verdict.code


@pytest.fixture(params=KINDS, ids=named)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


async def test_only_who_reports_what_a_decision_needs_is_shrunk(kind: Kind) -> None:
    bench = Bench(kind)
    await bench.ticks(1)

    assert kind.verdict == bench.verdict
    await bench.ticks(30)
    assert kind.managed == (bench.size < 1.5 * GIB)
    assert kind.managed == bool(bench.hypervisor.sent)


async def test_each_is_sized_by_hand_within_its_limits_and_held(kind: Kind) -> None:
    bench, anna = Bench(kind), Asker("anna")
    await bench.ticks(1)

    with pytest.raises(RefusedError, match="G1"):
        await bench.by_hand.set("odd", 300 * MIB, None, anna)
    bench.hypervisor.sent.clear()
    await bench.by_hand.set("odd", GIB, 60.0, anna)
    await bench.ticks(5)

    assert [("uuid-odd", GIB)] == bench.hypervisor.sent
    assert (GIB if kind.follows else MAXIMUM) == bench.size
    assert "held" == bench.verdict


async def test_what_it_holds_is_not_given_to_others(kind: Kind) -> None:
    """A guest that nobody can judge counts as what it has, and as all that it could be."""
    bench = Bench(kind)
    await bench.ticks(2)
    assert bench.engine.plan
    held = 0.0 if kind.managed else float(MAXIMUM)

    assert 1.5 * GIB - held == pytest.approx(bench.engine.plan.budget + bench.engine.plan.pool, abs=MIB)


def findings(kind: Kind, **changed: Any) -> dict[str, Finding]:
    now = PretendClock().time()
    guest = replace(row(kind, MAXIMUM, now, kind.period, now - FIRST_CAME), **changed)
    return {finding.code: finding for finding in diagnose([guest], Surroundings(None)) if finding.uuid}


def test_doctor_says_what_is_wrong_and_what_to_install(kind: Kind) -> None:
    found = findings(kind)

    linux = "microsoft" not in kind.system and "bsd" not in kind.system
    assert (NOTED if linux else set()) | kind.doctor == set(found)
    for code in kind.doctor:
        assert "problem" == found[code].severity
        assert kind.remedy in found[code].remedy


def test_advice_is_given_only_of_those_that_can_be_judged(kind: Kind) -> None:
    now = PretendClock().time()
    guest = row(kind, MAXIMUM, now, kind.period, now - FIRST_CAME)

    assert kind.managed == (not advise(guest).unknown)


async def test_a_counter_that_was_not_read_is_no_reset_and_no_debt() -> None:
    """What Windows sends for a counter that it failed to read is 16 EiB: unknown, like what is not sent."""
    broken = next(kind for kind in KINDS if kind.sample is windows_that_fails_to_count)
    bench = Bench(broken)
    await bench.ticks(10)
    bench.hypervisor.kind = replace(broken, sample=windows)
    await bench.ticks(5)
    bench.hypervisor.kind = broken
    await bench.ticks(5)

    sample = bench.hypervisor.rows["uuid-odd"].statistics
    assert (None, None, None) == (
        sample.swap_in_bytes_total,
        sample.swap_out_bytes_total,
        sample.disk_caches_bytes,
    )
    assert bench.engine.memory.swap_debt.tolist() == [0.0]
    assert not bench.engine.memory.distress.any()
    assert bench.size < 1.5 * GIB


def test_where_nobody_noted_the_system_all_remedies_are_said() -> None:
    [silent] = [kind for kind in KINDS if kind.name.startswith("FreeBSD")]
    remedy = findings(silent, system="")["silent"].remedy

    assert all(word in remedy for word in ("modprobe virtio_balloon", "BLNSVR", "BSD"))


@pytest.mark.parametrize("system", ["http://[", "win11", "http://", "\x1b[2J"])
def test_a_system_that_is_none_is_not_known(system: str) -> None:
    [silent] = [kind for kind in KINDS if kind.name.startswith("FreeBSD")]

    assert findings(silent, system="")["silent"] == findings(silent, system=system)["silent"]


def test_impossible_numbers_stand_in_the_finding() -> None:
    [kind] = [kind for kind in KINDS if kind.verdict == "absurd"]

    expected = "it says that 1.71 GiB are usable and 1.51 GiB unused, of 64.0 MiB that it has"
    assert expected == findings(kind)["absurd"].what
    assert "absurd" not in findings(kind, statistics=Statistics())


def test_the_document_has_a_row_of_each_kind_with_its_verdict() -> None:
    rows = {cells[0]: cells for line in DOCUMENT.read_text().splitlines() if len(cells := _cells(line)) == 5}

    assert {kind.name: f"`{kind.verdict}`" for kind in KINDS} == {
        name: cells[2] for name, cells in rows.items() if cells[2].startswith("`")
    }


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("| ") else []
