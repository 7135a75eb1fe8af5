"""Guests end when their lab ends, however it ends: a process of its own that outlives the lab's owner.

Run as `python -m ballonet.lab.reaper DIRECTORY` with a pipe from the owner as its input. When the pipe is
closed (by the owner, or by the kernel because the owner died) it ends the lab's QEMU processes and removes
the directory; at once, or after the seconds that the owner wrote into the pipe. It imports next to nothing.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

UUIDS = "uuids"  # one a line, written before the guest is started
POLL_SECONDS = 0.1
# A start that was under way when its owner died may still bring a process forth: look again for so long.
QUIET_SECONDS = 1.0
GIVE_UP_SECONDS = 30.0


def end(directory: Path) -> None:
    """End the guests of the lab in `directory`, however they were started, and remove the directory."""
    uuids = uuids_in(directory)
    give_up = time.monotonic() + GIVE_UP_SECONDS
    quiet_since = time.monotonic()
    while uuids and time.monotonic() < min(give_up, quiet_since + QUIET_SECONDS):
        for pid in processes(uuids):
            quiet_since = time.monotonic()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
    shutil.rmtree(directory, ignore_errors=True)


def processes(uuids: set[str]) -> Iterator[int]:
    """Yield the ids of QEMU processes that run the guests of these UUIDs."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if "qemu" in words[0] and "-uuid" in words and words[words.index("-uuid") + 1] in uuids:
                yield int(path.parent.name)


def uuids_in(directory: Path) -> set[str]:
    """Return the UUIDs of the guests of the lab in `directory`."""
    path = directory / UUIDS
    return set(path.read_text().split()[::2]) if path.is_file() else set()


def main() -> None:
    """Wait for the owner's end, then for the time it asked for, or until somebody else ended the lab."""
    directory = Path(sys.argv[1])
    words = sys.stdin.read().split()
    until = time.monotonic() + (float(words[-1]) if words else 0.0)
    while directory.is_dir() and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    end(directory)


if __name__ == "__main__":
    main()
