"""Whether guests really run under KVM here: found by starting one, as /dev/kvm alone proves nothing."""

import asyncio
import contextlib
import os
from pathlib import Path

from ballonet.lab.image import Image

# A kernel under KVM prints its first line within half a second; one that has not in this time never will.
DEADLINE_SECONDS = 5.0
FIRST_WORDS = b"Linux version"


async def accelerator(image: Image) -> str:
    """Return "kvm" if the lab's kernel starts under it, else "tcg" (QEMU's translator: everywhere, slow)."""
    if not os.access(Path("/dev/kvm"), os.R_OK | os.W_OK):
        return "tcg"
    process = await asyncio.create_subprocess_exec(
        "qemu-system-x86_64",
        *("-accel", "kvm", "-cpu", "host", "-m", "128", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-serial", "stdio", "-kernel", str(image.kernel)),
        *("-append", "console=ttyS0 earlyprintk=serial panic=-1"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            spoke = await _speaks(process)
    except TimeoutError:
        spoke = False
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return "kvm" if spoke else "tcg"


async def _speaks(process: asyncio.subprocess.Process) -> bool:
    """Tell whether the kernel's first words come before the end of what QEMU prints."""
    assert process.stdout is not None  # noqa: S101 (asked for above)
    seen = b""
    while chunk := await process.stdout.read(4096):
        seen += chunk
        if FIRST_WORDS in seen:
            return True
    return False
