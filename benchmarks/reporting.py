"""Measures what free page reporting costs: the processor time of real guests' QEMU, and their latency.

The same loads run with it and without, first without ballooning and then balanced; each guest's process is
looked at from outside. A minute and a half each, and the time to boot.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from ballonet.facts.happening import Happening
from ballonet.facts.plan import Plan
from ballonet.host.residents import ProcessResidents
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.lab.directory import embedded_uri
from ballonet.lab.lab import Lab
from ballonet.lab.trial import Viewer, one_run, specs
from ballonet.simulator.scenarios import scenario
from ballonet.simulator.trial import FREE_PAGE_REPORTING, OURS, Trial
from ballonet.units import MIB

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def processor_seconds(numbers: list[int]) -> tuple[float, float]:
    """Return the time that these processes spent in programs and in the kernel."""
    fields = [Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split() for number in numbers]
    user, system = (sum(int(words[place]) for words in fields) / TICKS_PER_SECOND for place in (11, 12))
    return user, system


def _unseen(_: Plan | Happening) -> None:
    return


async def measure(lab: Lab, hypervisor: LibvirtHypervisor, trial: Trial) -> None:
    """Run one trial and print what it took."""
    residents = ProcessResidents()
    residents.follow(lab.uuids.values())
    numbers = [number for uuid in lab.uuids.values() if (number := residents.process_of(uuid))]
    before = processor_seconds(numbers)
    run = await one_run(lab, hypervisor, trial, Viewer(_unseen, _unseen))
    user, system = (after - first for after, first in zip(processor_seconds(numbers), before, strict=True))
    print(
        f"{trial.title:36} {run.mean_ms:7.2f} ms {run.p99_ms:8.1f} ms",
        f"{run.swap_in_pages * 4096 / MIB:7.1f} MiB {user:8.1f} s {system:7.1f} s",
        f"{run.resident_bytes / MIB:8.0f} MiB",
        flush=True,
    )


async def compare(name: str, times: int) -> None:
    """Run a scenario with and without, so many times each."""
    found = scenario(name)
    print(
        f"{name:36} {'mean':>10} {'p99':>11} {'swapped in':>11} {'user':>10} {'system':>9} {'resident':>12}"
    )
    with tempfile.TemporaryDirectory(prefix="ballonet-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        hypervisor = await LibvirtHypervisor.open(embedded_uri(Path(directory)))
        for reporting in (True, False) * times:
            async with Lab(Path(directory) / "lab", hypervisor) as lab:
                await lab.boot(specs(found, free_page_reporting=reporting))
                print("with" if reporting else f"without {FREE_PAGE_REPORTING}")
                for policy in ("none", OURS):
                    await measure(lab, hypervisor, Trial(found, policy))
        await hypervisor.close()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="trade-places")
    parser.add_argument("--times", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(compare(given.scenario, given.times))


if __name__ == "__main__":
    main()
