"""What a guest's QEMU process holds beside the guest's memory: simulated guests have none."""

from pathlib import Path

from ballonet.errors import BallonetError
from ballonet.lab import reaper

KIB = 1024


def emulator_bytes(uuid: str, memory_bytes: int) -> int:
    """Return the resident bytes of a guest's process that are not the guest's; it has so much memory.

    Some 95 MiB where QEMU translates, and the same all the time.
    """
    process = next(iter(reaper.processes({uuid})), None)
    if process is None:
        raise BallonetError("a lab guest's process has ended", hint="look at its console in the lab")
    return beside(Path(f"/proc/{process}/smaps").read_text(), memory_bytes)


def beside(smaps: str, memory_bytes: int) -> int:
    """Return the resident bytes of all mappings but the one that is as large as the guest."""
    total, length = 0, 0
    for line in smaps.splitlines():
        word, *rest = line.split()
        if word == "Rss:" and length != memory_bytes:
            total += int(rest[0]) * KIB
        elif not word.endswith(":"):
            first, _, last = word.partition("-")
            length = int(last, 16) - int(first, 16)
    return total
