"""A Debian host of the tests' own: systemd as its first process, on a root where all that is written is lost.

Namespaces of its own for mounts, processes and the like, and an overlay over this machine's files: its
systemd, D-Bus, polkit and libvirtd are those that are installed, and what they write is seen by nobody else.
"""

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ballonet.lab.directory import QEMU_CONF, QEMU_CONF_OF_ROOT

CHECKOUT = Path(__file__).parents[2]
# The service sees no home directory, which may hold the checkout, its packages and the interpreter.
OWN = "/opt/ballonet"
PYTHON = f"{OWN}/python/bin/python3"
ENVIRONMENT = {
    "LD_LIBRARY_PATH": f"{OWN}/python/lib",
    "PYTHONHOME": f"{OWN}/python",
    "PYTHONPATH": f"{OWN}/src:{OWN}/packages",
}
BOOT = """
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
cd /mnt/root
for place in run tmp; do mount -t tmpfs tmpfs $place; done
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --rbind /dev dev
mkdir -p .$PLACE
mount --bind $PLACE .$PLACE
cp -r $PLACE/files/. .
rm -f usr/sbin/policy-rc.d  # an image of containers has one, and no service is started by a package
. $PLACE/mounts
exec chroot . /lib/systemd/systemd --system --unit=basic.target
"""
MOUNTS = f"""
mkdir -p .{OWN}/src .{OWN}/packages .{OWN}/python
mount --bind {CHECKOUT}/src .{OWN}/src
mount --bind {sysconfig.get_path("purelib")} .{OWN}/packages
mount --bind {sys.base_prefix} .{OWN}/python
"""
START_SECONDS = 90.0


class Host:
    """A host with these files in its root, and the checkout's `ballonet` unless it is bare.

    `start` returns when its units may be started.
    """

    def __init__(self, place: Path, *, bare: bool = False) -> None:
        self.place = place
        self.write("/etc/libvirt/qemu.conf", QEMU_CONF + QEMU_CONF_OF_ROOT)
        (place / "mounts").write_text("" if bare else MOUNTS)
        if not bare:
            words = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
            command = f'#!/bin/sh\n{words} exec {PYTHON} -m ballonet "$@"\n'
            self.write("/usr/bin/ballonet", command, mode=0o755)
        self._process: subprocess.Popen[bytes] | None = None
        self._first = 0

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Put a file where the host will have it; before it is started."""
        file = self.place / "files" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def start(self) -> None:
        """Boot it."""
        with (self.place / "boot.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["unshare", "-f", "-p", "-m", "-C", "-u", "-i", "--kill-child", "sh", "-ec", BOOT],
                env={"PATH": os.defpath + ":/usr/sbin:/sbin", "container": "test", "PLACE": str(self.place)},
                stdout=log,
                stderr=log,
            )
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        deadline = time.monotonic() + START_SECONDS
        while self._first == 0 or self.runs("systemctl", "is-system-running").stdout.strip() != "running":
            assert self._process.poll() is None, (self.place / "boot.log").read_text()
            assert time.monotonic() < deadline, self.runs("systemctl", "--failed").stdout
            self._first = int((children.read_text().split() or ["0"])[0])
            time.sleep(0.1)

    def stop(self) -> None:
        """End all that runs there."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def runs(self, *words: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a command there as root."""
        enter = ["nsenter", "-t", str(self._first), "-a", "-r", "-w", "env", "-i", f"PATH={os.defpath}"]
        return subprocess.run([*enter, *words], check=False, capture_output=True, text=True, timeout=seconds)

    def does(self, *words: str, seconds: float = 60.0) -> str:
        """Run a command there as root that must succeed; return what it printed."""
        done = self.runs(*words, seconds=seconds)
        assert 0 == done.returncode, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout


def skip_without_root() -> None:
    """Skip the test where no such host can be made."""
    if subprocess.run(["unshare", "-p", "-f", "true"], check=False, capture_output=True).returncode:
        pytest.skip("a systemd of the tests' own needs namespaces, so root")


def until(condition: Callable[[], bool], host: Host, seconds: float = 120.0) -> None:
    """Wait until it holds; what the service logged is said where it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, host.does("journalctl", "-u", "ballonet", "--no-pager")
        time.sleep(0.2)


def status(host: Host) -> Any:
    """Return what the service says that it is doing."""
    return json.loads(host.does("ballonet", "status", "-o", "json"))


def answers(host: Host) -> bool:
    """Return whether the service answers."""
    return 0 == host.runs("ballonet", "status").returncode


def shown(host: Host, what: str) -> str:
    """Return a property of the unit, as systemd knows it."""
    return host.does("systemctl", "show", "--value", "-p", what, "ballonet").strip()
