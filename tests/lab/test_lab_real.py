"""Real guests: they boot, report, swap when squeezed, wait for their disks, and never outlive their lab."""

import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ballonet.errors import BallonetError
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab import reaper
from ballonet.lab.directory import embedded_uri
from ballonet.lab.domain import GuestSpec
from ballonet.lab.lab import Lab, turn_driver
from ballonet.lab.report import Report
from ballonet.lab.trial import Viewer, one_run, specs
from ballonet.simulator.overheard import Overheard
from ballonet.simulator.scenarios import scenario
from ballonet.simulator.trial import Trial

pytestmark = pytest.mark.real

MIB = 1 << 20
OWNER = """
import asyncio, sys
from pathlib import Path
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.directory import embedded_uri
from ballonet.lab.domain import GuestSpec
from ballonet.lab.lab import Lab

async def main():
    directory = Path(sys.argv[1])
    hypervisor = await LibvirtHypervisor.open(embedded_uri(directory))
    async with Lab(directory, hypervisor) as lab:
        await lab.boot([GuestSpec("orphan", memory_bytes=128 << 20)])
        print("booted", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture(scope="session")
def embedded() -> Iterator[str]:
    """Return a URI of libvirt's embedded driver: a process can open but one root of it in its life."""
    # Not tmp_path, which is too long for the names of sockets.
    with tempfile.TemporaryDirectory(prefix="hv-", ignore_cleanup_errors=True) as directory:
        yield embedded_uri(Path(directory) / "hv")


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a place for one test's lab, short enough for sockets' names."""
    with tempfile.TemporaryDirectory(prefix="lab-") as directory:
        yield Path(directory) / "lab"


@asynccontextmanager
async def running(
    embedded: str, place: Path, *specs: GuestSpec
) -> AsyncIterator[tuple[Lab, LibvirtHypervisor]]:
    hypervisor = await LibvirtHypervisor.open(embedded)
    try:
        async with Lab(place, hypervisor) as lab:
            await lab.boot(specs)
            yield lab, hypervisor
        # Else it writes below the embedded driver's root, which its owner is about to remove.
        assert [] == await hypervisor.guests(inactive=True)
    finally:
        await hypervisor.close()


async def until_t(lab: Lab, name: str, t: float) -> list[Report]:
    """Return the reports of the present schedule once it has run for `t` seconds."""
    async with asyncio.timeout(60 + 3 * t):
        while lab.latest(name).t < t:  # noqa: ASYNC110 - a file that another process writes
            await asyncio.sleep(0.1)
    reports = lab.reports(name)
    begun = max(number for number, report in enumerate(reports) if report.t < 0.5)
    return reports[begun:]


async def test_guests_follow_their_schedules_and_end_with_their_lab(embedded: str, place: Path) -> None:
    small = GuestSpec("small", memory_bytes=128 * MIB)
    async with running(embedded, place, small, GuestSpec("large", memory_bytes=256 * MIB)) as (
        lab,
        hypervisor,
    ):
        assert {"small", "large"} == {guest.name for guest in await hypervisor.guests()}
        assert {lab.uuids[name] for name in ("small", "large")} == {g.uuid for g in await hypervisor.guests()}
        await asyncio.gather(
            lab.load("small", "at 0 anon_mib=150 hot_mib=150 rate=20 touches=8"),
            lab.load("large", "at 0 anon_mib=100 hot_mib=100 rate=50 touches=8\nat 6 anon_mib=20"),
        )
        squeezed = (await until_t(lab, "small", 10))[-1]
        calm = await until_t(lab, "large", 10)
        # 150 MiB do not fit into 128: what is missing is on the swap disk, and requests bring it back.
        assert squeezed.pswpout > 20 * MIB // 4096
        assert squeezed.pswpin > 0
        assert 150.0 == squeezed.anon_mib
        assert 0 == squeezed.oom_kill
        assert 0 == calm[-1].pswpout
        assert 100.0 == max(report.anon_mib for report in calm)
        assert 20.0 == calm[-1].anon_mib
        assert 0 < calm[-1].grow_mib_s < 10_000
        # An open loop of 50 requests a second, answered in the seconds after the growth.
        assert 400 <= sum(report.requests for report in calm) <= 550
        uuids = set(lab.uuids.values())
        assert 2 == len(list(reaper.processes(uuids)))
    assert [] == list(reaper.processes(uuids))
    assert not place.exists()  # noqa: ASYNC240 - one look


async def test_a_guests_disk_is_held_to_a_thousand_requests_a_second(embedded: str, place: Path) -> None:
    guest = GuestSpec("reader", memory_bytes=128 * MIB)
    async with running(embedded, place, guest) as (lab, _):
        # Of 900 MiB next to nothing is in the cache; 40 requests ask for 50 blocks each: 2,000 a second.
        await lab.load("reader", "at 0 file_mib=900\nat 12 rate=40 reads=50")
        seconds = [report for report in await until_t(lab, "reader", 20) if report.t > 14]
        assert 0 < sum(report.requests for report in seconds) / len(seconds) <= 24
        assert seconds[-1].backlog > 40  # the others wait, and it shows
        assert (seconds[-1].mean_ms or 0.0) > 1000


async def test_a_guests_swap_is_held_to_a_thousand_requests_a_second(embedded: str, place: Path) -> None:
    async with running(embedded, place, GuestSpec("swapper", memory_bytes=128 * MIB)) as (lab, _):
        # A third of 150 MiB is on the swap disk: of 6,400 pages asked for in a second 2,000 would be there.
        await lab.load("swapper", "at 0 anon_mib=150 hot_mib=150\nat 6 rate=100 touches=64")
        seconds = [report for report in await until_t(lab, "swapper", 14) if report.t > 8]
        rate = (seconds[-1].pswpin - seconds[0].pswpin) / (seconds[-1].t - seconds[0].t)
        assert 500 <= rate <= 1100


async def test_a_load_killed_for_memory_is_seen_and_starts_again(embedded: str, place: Path) -> None:
    guest = GuestSpec("tight", memory_bytes=128 * MIB, swap_bytes=0)
    async with running(embedded, place, guest) as (lab, _):
        await lab.load("tight", "at 0 anon_mib=200\nat 6 anon_mib=10 rate=20")
        last = (await until_t(lab, "tight", 10))[-1]
        assert last.oom_kill >= 1
        assert last.restarts >= 1
        assert 10.0 == last.anon_mib
        assert last.requests > 0


async def test_without_its_driver_a_guest_reports_and_never_moves(embedded: str, place: Path) -> None:
    guest = GuestSpec("mute", memory_bytes=128 * MIB, driver=False)
    async with running(embedded, place, guest) as (lab, hypervisor):
        await hypervisor.resize(lab.uuids["mute"], 100 * MIB)
        await until_t(lab, "mute", lab.latest("mute").t + 3)
        assert 128 * MIB == (await hypervisor.guest("mute")).actual_bytes
        with pytest.raises(BallonetError, match="has a guest mute already"):
            await lab.boot([guest])


async def test_a_driver_that_is_taken_out_gives_all_back_and_one_that_comes_does_as_told(
    embedded: str, place: Path
) -> None:
    async with running(embedded, place, GuestSpec("turned", memory_bytes=128 * MIB)) as (lab, hypervisor):

        async def until_it_has(size_bytes: int) -> None:
            async with asyncio.timeout(60):
                while (await hypervisor.guest("turned")).actual_bytes != size_bytes:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)

        await hypervisor.resize(lab.uuids["turned"], 100 * MIB)
        await until_it_has(100 * MIB)
        await turn_driver(lab.directory, "turned", on=False)
        await until_it_has(128 * MIB)
        await turn_driver(lab.directory, "turned", on=True)
        await until_it_has(100 * MIB)


def test_guests_end_within_seconds_of_their_owners_violent_end(place: Path) -> None:
    words = [sys.executable, "-c", OWNER, str(place)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert "booted" == owner.stdout.readline().strip()
        uuids = {(place / reaper.UUIDS).read_text().split()[0]}
        assert 1 == len(list(reaper.processes(uuids)))
        owner.send_signal(signal.SIGKILL)
    ended = time.monotonic()
    while place.exists() and time.monotonic() - ended < 10:
        time.sleep(0.1)
    assert [] == list(reaper.processes(uuids))
    assert not place.exists()


async def test_a_stream_is_read_once_at_its_speed_and_fills_the_cache(embedded: str, place: Path) -> None:
    async with running(embedded, place, GuestSpec("backup", memory_bytes=128 * MIB)) as (lab, hypervisor):
        await lab.load("backup", "at 0 stream_mib_s=0\nat 2 stream_mib_s=10")
        (before,) = await hypervisor.guests()
        reports = await until_t(lab, "backup", 14)
        (after,) = await hypervisor.guests()
    assert 100.0 <= reports[-1].streamed_mib - reports[0].streamed_mib <= 125.0
    assert reports[-1].free_kib < reports[0].free_kib
    assert reports[-1].buffers_kib > reports[0].buffers_kib + 30 * 1024
    assert 0 == reports[-1].pswpout
    # Read ahead in blocks of 128 KiB: eight to the MiB, and nothing is read twice.
    assert 700 <= (after.disk_reads_total or 0) - (before.disk_reads_total or 0) <= 1300


async def test_a_trial_sees_its_guests_through_what_stands_before_its_ports(
    embedded: str, place: Path
) -> None:
    found = scenario("idle")
    found = replace(found, loads={"only": found.loads["web"]}, maximum_bytes=128 * MIB, settled=False)
    seen: list[tuple[str, ...]] = []
    viewer = Viewer(lambda plan: seen.append(plan.snapshot.uuids), lambda _: None)
    async with running(embedded, place, *specs(found)) as (lab, hypervisor):
        run = partial(one_run, lab, hypervisor, Trial(found, "none"), viewer, seconds=3.0)
        await run()
        await run(through=lambda ports: replace(ports, hypervisor=Overheard(ports.hypervisor, lambda _: ())))
        uuid = lab.uuids["only"]
    assert (uuid,) == seen[0]
    assert () == seen[-1]
