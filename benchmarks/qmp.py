"""What a look at many QEMU monitors takes: real QEMUs without guests, and fake monitors beyond those.

The fakes live in one process of their own, as QEMUs do, and share the machine's processors with the reader.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "hypervisor"))

from monitors import FakeMonitor

from ballonet.engine.table import side_by_side
from ballonet.hypervisor.qmp import QmpHypervisor

LOOKS, INTERVAL_SECONDS = 15, 2.0  # of looks, as the service makes them
# What QEMU 7.2 says of a disk besides what is read here: 1.3 KiB.
_BLOCK = {f"field_{number}_of_a_disk_ns": 123456789 for number in range(32)}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=500, help="fake monitors")
    parser.add_argument("--real", type=int, default=0, help="real QEMUs, 40 MiB each")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(Path(arguments.serve), arguments.sockets))
        return
    print("monitors           connecting ms   a look: wall ms, worst   processor ms   of one processor")
    for kind, count in (("fake", arguments.sockets), ("QEMU", arguments.real)):
        if count:
            with tempfile.TemporaryDirectory(prefix="qmp-") as place, ExitStack() as stack:
                stack.enter_context(fakes(place, count) if kind == "fake" else qemus(place, count))
                asyncio.run(measure(f"{count} {kind}", place, count))


async def measure(name: str, place: str, count: int) -> None:
    """Print what the first look, and later ones, take."""
    begun = time.perf_counter()
    hypervisor = await QmpHypervisor.open(f"qmp:{place}/*.qmp")
    while len(await hypervisor.guests()) < count:
        pass
    connected = time.perf_counter() - begun
    walls, processor = [], []
    for _ in range(LOOKS):
        await asyncio.sleep(INTERVAL_SECONDS - 0.1)
        wall, used = time.perf_counter(), time.process_time()
        rows = await hypervisor.guests()
        side_by_side(rows)
        walls.append(time.perf_counter() - wall)
        processor.append(time.process_time() - used)
        assert all(row.job is None for row in rows)
    await hypervisor.close()
    used, wall = statistics.median(processor), statistics.median(walls)
    print(
        f"{name:<18} {connected * 1e3:>13.0f} {wall * 1e3:>15.0f} {max(walls) * 1e3:>8.0f}"
        f" {used * 1e3:>14.0f} {used / INTERVAL_SECONDS:>17.1%}"
    )


async def serve(place: Path, count: int) -> None:
    """Be so many monitors, until the input ends."""
    kept = []  # a loop alone keeps no task alive
    for number in range(count):
        fake = FakeMonitor(place / f"{number}.qmp", f"guest-{number}", str(uuid4()))
        stats = {"rd_operations": 7, "rd_total_time_ns": 3_000_000, **_BLOCK}
        fake.answers["query-blockstats"] = [{"device": "", "stats": stats}]
        fake.answers["query-cpus-fast"] = [{"thread-id": os.getpid()}]
        kept.append(await fake.start())
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)


@contextmanager
def fakes(place: str, count: int) -> Iterator[None]:
    """Have fake monitors in a process of their own."""
    words = [sys.executable, __file__, "--serve", place, "--sockets", str(count)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.terminate()


@contextmanager
def qemus(place: str, count: int) -> Iterator[None]:
    """Have real QEMUs, whose guests do not begin to run."""
    processes = []
    try:
        for number in range(count):
            words = [
                *(
                    "qemu-system-x86_64",
                    "-machine",
                    "q35",
                    "-S",
                    "-m",
                    "16",
                    "-nodefaults",
                    "-display",
                    "none",
                ),
                *("-name", f"guest-{number}", "-uuid", str(uuid4()), "-device", "virtio-balloon-pci"),
                *("-drive", "if=none,id=d,driver=null-co", "-device", "virtio-blk-pci,drive=d"),
                *("-qmp", f"unix:{place}/{number}.qmp,server=on,wait=off"),
            ]
            processes.append(subprocess.Popen(words, stderr=subprocess.DEVNULL))
        while len(list(Path(place).glob("*.qmp"))) < count:
            time.sleep(0.1)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
