"""Measures what free page reporting costs: the processor time of a guest's QEMU, and the guest's latency.

Two real guests of 512 MiB run the same load side by side, one with it and one without: they take 290 MiB and
let go of them, again and again. Nobody balances them; their processes are looked at from outside.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path
from statistics import mean

from ballonet.host.residents import ProcessResidents
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.directory import embedded_uri
from ballonet.lab.domain import GuestSpec
from ballonet.lab.lab import Lab
from ballonet.units import MIB

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
REST, BURST = "anon_mib=40 hot_mib=40 rate=20 touches=16", "anon_mib=330 hot_mib=330 rate=20 touches=16"
HALF_SECONDS = 12.0  # a busy machine reports what was freed within some of these


def processor_seconds(number: int | None) -> tuple[float, float]:
    """Return the time that a process spent in programs and in the kernel."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / TICKS_PER_SECOND, int(fields[12]) / TICKS_PER_SECOND


async def compare(cycles: int) -> None:
    """Boot both guests, run so many cycles, and print what each took."""
    half = HALF_SECONDS
    load = "\n".join(
        f"at {2 * half * turn:g} {REST}\nat {2 * half * turn + half:g} {BURST}" for turn in range(cycles)
    )
    specs = [
        GuestSpec("with", free_page_reporting=True, swap_bytes=0),
        GuestSpec("without", free_page_reporting=False, swap_bytes=0),
    ]
    with tempfile.TemporaryDirectory(prefix="ballonet-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        hypervisor = await LibvirtHypervisor.open(embedded_uri(Path(directory)))
        async with Lab(Path(directory) / "lab", hypervisor) as lab:
            await lab.boot(specs)
            residents = ProcessResidents()
            residents.follow(lab.uuids.values())
            numbers = {name: residents.process_of(uuid) for name, uuid in lab.uuids.items()}
            names = {uuid: name for name, uuid in lab.uuids.items()}
            await asyncio.gather(
                *(lab.load(spec.name, f"{load}\nat {2 * half * cycles:g} {REST}") for spec in specs)
            )
            before = {name: processor_seconds(number) for name, number in numbers.items()}
            begun = {name: lab.latest(name).uptime for name in numbers}
            resident: dict[str, list[int]] = {name: [] for name in numbers}
            for _ in range(int(2 * half * cycles)):
                await asyncio.sleep(1.0)
                for uuid, size in residents.read().items():
                    resident[names[uuid]].append(size)
            for name, number in numbers.items():
                user, system = (
                    after - first
                    for after, first in zip(processor_seconds(number), before[name], strict=True)
                )
                reports = [report for report in lab.reports(name) if report.uptime > begun[name]]
                answers = [report.mean_ms for report in reports if report.mean_ms is not None]
                fastest = max(report.grow_mib_s for report in reports)
                print(
                    f"{name:8} {user:7.2f} s user {system:6.2f} s system"
                    f" {mean(resident[name]) / MIB:5.0f} MiB resident {mean(answers):7.2f} ms an answer"
                    f" {fastest:5.0f} MiB/s at most",
                    flush=True,
                )
        await hypervisor.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=5)
    asyncio.run(compare(parser.parse_args().cycles))
