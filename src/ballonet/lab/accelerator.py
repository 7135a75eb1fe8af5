"""Whether guests really run under KVM here: found by starting one, as /dev/kvm alone proves nothing."""

import os
import subprocess
from pathlib import Path

from ballonet.lab.image import Image

# Under KVM the kernel comes to the panic that ends this QEMU in a second; in this time it has at least begun.
DEADLINE_SECONDS = 5.0
FIRST_WORDS = b"Linux version"


def accelerator(image: Image) -> str:
    """Return "kvm" if the lab's kernel starts under it, else "tcg" (QEMU's translator: everywhere, slow)."""
    if not os.access(Path("/dev/kvm"), os.R_OK | os.W_OK):
        return "tcg"
    words = [
        "qemu-system-x86_64",
        *("-accel", "kvm", "-cpu", "host", "-m", "128", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-serial", "stdio", "-kernel", str(image.kernel)),
        *("-append", "console=ttyS0 earlyprintk=serial panic=-1"),
    ]
    return "kvm" if FIRST_WORDS in _printed(words, DEADLINE_SECONDS) else "tcg"


def _printed(words: list[str], seconds: float) -> bytes:
    """Return what a program prints until its end, or until it is ended after so many seconds."""
    try:
        return subprocess.run(  # noqa: S603 (no shell)
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as error:
        return error.stdout or b""
