"""Host memory that somebody else takes, and gives back: as much as leaves the host a certain rest."""

import mmap
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ballonet.host.memory import LinuxHost
from ballonet.units import MIB

CHUNK_BYTES = 16 * MIB
MOST_BYTES = 6144 * MIB  # never more, whatever the machine does meanwhile
LOOK_SECONDS = 0.05


@contextmanager
def hogged(available_bytes: int) -> Iterator[None]:
    """Keep what the host has available near this, whatever other programs do beside."""
    over = threading.Event()
    thread = threading.Thread(target=_hold, args=(available_bytes, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _hold(available_bytes: int, over: threading.Event) -> None:
    taken: list[mmap.mmap] = []
    while not over.wait(LOOK_SECONDS):
        spare = LinuxHost().memory().available_bytes - available_bytes
        for _ in range(int(abs(spare) // CHUNK_BYTES)):
            if spare < 0 and taken:
                taken.pop().close()
            elif spare > 0 and len(taken) < MOST_BYTES // CHUNK_BYTES:
                taken.append(_touched())
    for chunk in taken:
        chunk.close()


def _touched() -> mmap.mmap:
    chunk = mmap.mmap(-1, CHUNK_BYTES)
    for page in range(0, CHUNK_BYTES, mmap.PAGESIZE):
        chunk[page] = 1
    return chunk
