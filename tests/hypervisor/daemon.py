"""A libvirtd of the tests' own: the system driver, whose files all lie in one directory.

libvirt run by root keeps its state in fixed places. A mount namespace puts the directory's own there, so
that the machine's libvirt, running or not, is neither seen nor touched; the socket lies in the directory
and can be reached from outside. Run again on the same directory, it finds the guests that still run.
"""

import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

from ballonet.lab.directory import QEMU_CONF, QEMU_CONF_OF_ROOT

PLACES = {
    "etc": "/etc/libvirt",
    "run": "/run/libvirt",
    "lib": "/var/lib/libvirt",
}
CACHE = "/var/cache/libvirt"
START_SECONDS = 60.0


@cache
def _cache() -> "tempfile.TemporaryDirectory[str]":
    """Return the directory in which all of a process's daemons keep what QEMU can do.

    Asking takes 3 s of a processor, and libvirt itself asks anew where another QEMU is there.
    """
    return tempfile.TemporaryDirectory(prefix="hv-cache-")


class Daemon:
    """One libvirtd in a directory; `start` and `kill` may be repeated."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.uri = f"qemu+unix:///system?socket={directory}/libvirt-sock"
        self._process: subprocess.Popen[bytes] | None = None
        for place in PLACES:
            (directory / place).mkdir(parents=True)
        (directory / "etc/qemu.conf").write_text(QEMU_CONF + QEMU_CONF_OF_ROOT)
        (directory / "libvirtd.conf").write_text(
            f'unix_sock_dir = "{directory}"\n'
            'auth_unix_rw = "none"\nauth_unix_ro = "none"\n'
            f'log_outputs = "2:file:{directory}/libvirtd.log"\n'
        )

    def start(self) -> None:
        """Return when it answers."""
        # Where no libvirt ever ran since the machine's start there is no /run/libvirt yet.
        places = {CACHE: _cache().name} | {fixed: f"{self.directory}/{own}" for own, fixed in PLACES.items()}
        mounts = "".join(f"mkdir -p {fixed}\nmount --bind {own} {fixed}\n" for fixed, own in places.items())
        serve = f"exec libvirtd -f {self.directory}/libvirtd.conf -p {self.directory}/pid"
        words = ["unshare", "--mount", "sh", "-ec", mounts + serve]
        self._process = subprocess.Popen(words, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while self.virsh("version", check=False).returncode:
            assert self._process.poll() is None, "libvirtd ended at once"
            assert time.monotonic() < deadline, "libvirtd does not answer"
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as a crash would: guests keep running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def virsh(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of virsh on it."""
        command = ["virsh", "--quiet", "--connect", self.uri, *words]
        return subprocess.run(command, check=check, capture_output=True, text=True, timeout=60)
