"""Times `guests` on real guests against libvirt's own bulk call, both as whole processes."""

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

RUNS = 7
MEMORY = "128M"
BALLONET = str(Path(sys.executable).with_name("ballonet"))
# What a short script would do for the same numbers, without their meaning. The embedded driver wants
# somebody to turn its event loop.
LIBVIRT = """
import os, sys, threading
os.environ["LIBVIRT_LOG_OUTPUTS"] = "4:file:/dev/null"
import libvirt
libvirt.virEventRegisterDefaultImpl()
threading.Thread(target=lambda: [libvirt.virEventRunDefaultImpl() for _ in iter(int, 1)], daemon=True).start()
connection = libvirt.openReadOnly(sys.argv[1])
groups = (libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_BALLOON
          | libvirt.VIR_DOMAIN_STATS_BLOCK | libvirt.VIR_DOMAIN_STATS_VCPU)
assert len(connection.getAllDomainStats(groups, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE))
connection.close()
"""


def guests(count: int) -> None:
    """Boot so many guests, and print both medians and their difference, taken in turn."""
    print(f"\n{count} real guests       ms")
    with lab(count) as (uri, _):
        ours, libvirts = [], []
        for _ in range(RUNS):
            libvirts.append(process_ms([sys.executable, "-c", LIBVIRT, uri]))
            ours.append(process_ms([BALLONET, "-c", uri, "guests"]))
    mine, base = statistics.median(ours), statistics.median(libvirts)
    print(f"libvirt's bulk call  {base:>6.0f}")
    print(f"ballonet guests      {mine:>6.0f} {mine / base:>12.1f}x, {mine - base:.0f} ms over it")


@contextlib.contextmanager
def lab(count: int, memory: str = MEMORY, *options: str) -> Iterator[tuple[str, Path]]:
    """Yield the URI of so many idle guests, and their directory; `options` are of `ballonet lab up`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        words = ["lab", "up", "--output", "json", "--guests", str(count), "--memory", memory, *options]
        where = ["--directory", f"{place}/lab"]
        done = subprocess.run([BALLONET, *words, *where], check=True, stdout=subprocess.PIPE)
        try:
            yield json.loads(done.stdout)["uri"], Path(place) / "lab"
        finally:
            subprocess.run([BALLONET, "lab", "down", *where], check=True, stdout=subprocess.DEVNULL)


def process_ms(words: list[str]) -> float:
    """Return the time of one whole process, in ms."""
    start = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1e3
