"""Somebody who types what a document says, line by line, and what such a reader cannot do here.

A reader has a directory of its own that stands for /, with the settings, sockets and units of that host, a
libvirt of the test driver and a service of simulated guests, or real guests of a lab.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from documents import ROOT, Block, Typed, typed, without_figures

# What is not run, by how its line begins, and why. All else that a block marked `sh` says is.
NOT_RUN = {
    r"apt |dnf |pipx ": "installs for the whole machine; script/setup installs the same for these tests",
    r"systemctl |journalctl |systemd-sysusers": "needs systemd; tests/packaging boots one and does it there",
    r"editor ": "is the reader's own hand",
    r"usermod |saslpasswd2 ": "changes the machine's users",
    r"qm ": "is Proxmox's",
    r"ballonet -c 'qmp:|qemu-system-x86_64 ": "needs a QEMU of its own: tests/real/test_real_qmp.py",
    r".*virsh start": "starts a guest of the reader's",
    r"ssh ": "goes to another machine",
    r"script/": "runs these tests, or for minutes to hours; that it is there is looked at",
    r"\.venv/bin/pytest": "runs these tests",
    r"ballonet lab bench": "takes an hour: tests/real/test_real_demo.py",
    r"ballonet sim (compare|density|torture)": "takes minutes to hours: tests/simulator, tests/torture",
    r"ballonet top": "needs a terminal: tests/cli/test_cli_top.py, tests/real/test_real_top.py",
    r"ballonet token": "needs a service over TCP: tests/service/test_service_web.py",
    r"curl .*127\.0\.0\.1:9779": "needs a service over TCP: tests/service/test_service_web.py",
    r"curl .*/-/ready": "simulated time stands still between two requests: tests/service/test_service_api.py",
    r"ballonet -r -c .*/proc/PID/": "is of a KubeVirt node",
}
# Directories of a host that are the reader's own here.
PLACES = (
    "bin",
    "etc/ballonet",
    "etc/default",
    "etc/libvirt",
    "etc/polkit-1/rules.d",
    "etc/systemd/system",
    "home",
    "run/ballonet",
    "tmp",
    "usr/lib/sysusers.d",
    "var/lib/ballonet",
)
_ROOTED = re.compile(r"(?<![\w.}])/(?=(?:etc|run/ballonet|tmp|usr/lib|var/lib)(?:/|\s|$))")
_SECONDS = 120.0


def reason_not_to(line: Typed) -> str | None:
    """Return why a line is not run."""
    return next((why for begins, why in NOT_RUN.items() if re.match(begins, line.text)), None)


class Reader:
    """Types lines, one after the other, in one shell's surroundings; what goes on runs beside the rest."""

    def __init__(self, root: Path, surroundings: Mapping[str, str], *, recording: str | None = None) -> None:
        self.root = root
        self._recording = recording  # what a recording holds where guests report nothing
        self._state = root / "surroundings"
        self._beside: subprocess.Popen[str] | None = None
        self.said = ""  # what the last line printed
        self._lease = "lease-1"  # the last one that was made; other documents' readers make some, too
        for place in PLACES:
            (root / place).mkdir(parents=True, exist_ok=True)
        for name in ("packaging", "script", "src"):
            (root / name).symlink_to(ROOT / name)
        command = root / "bin" / "ballonet"
        command.write_text(f'#!/bin/sh\nexec {quote(sys.executable)} -m ballonet "$@"\n')
        command.chmod(0o755)
        settings = root / "etc/ballonet/ballonet.toml"
        settings.touch()
        variables = {
            "PATH": f"{root}/bin:{os.environ['PATH']}",
            "HOME": f"{root}/home",
            "COLUMNS": "200",
            "TMPDIR": f"{root}/tmp",
            "STATE_DIRECTORY": f"{root}/var/lib/ballonet",
            "BALLONET_CONFIG": f"{settings}",
            **surroundings,
        }
        self._state.write_text("".join(f"export {key}={quote(text)}\n" for key, text in variables.items()))

    def reads(self, block: Block) -> None:
        """Do what a block says: type its lines, or write it where its first line says that it stands."""
        if block.language == "toml":
            place = re.match(r"# (/etc/ballonet/\S+)", block.text)
            file = Path(self._here(place[1] if place else "/etc/ballonet/ballonet.toml"))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        if block.language == "console":
            assert without_figures(block.text) == without_figures(self.said), f"{block.path}:{block.line}"
        for line in typed(block) if block.language == "sh" else ():
            if reason_not_to(line) is None:
                self._types(line, f"{block.path}:{block.line}: {line.text}")

    def _types(self, line: Typed, where: str) -> None:
        text = self._here(line.text)
        if text.startswith("ballonet run"):
            text = text.replace("127.0.0.1:9779", "127.0.0.1:0")
            # Without --socket: not where another service answers already.
            text = f"env BALLONET_SOCKET={self.root}/run/own.sock {text}"
            if "--for " not in text:
                self.stops()
                self._begins(text, where)
                return
        if text.startswith("ballonet lab down"):
            self.stops()
        done = subprocess.run(
            ["bash", "-c", self._script(text)],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        self.said = done.stdout
        made = re.match(r"lease-\d+", self.said)
        self._lease = made[0] if made else self._lease
        # Whether `doctor` finds a problem is the host's business.
        failed = done.returncode not in ({0, 1} if text.startswith("ballonet doctor") else {0})
        assert line.fails == failed, f"{where}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, where
        recorded = re.search(r"--record (\S+)", text)
        if recorded and self._recording:
            (self.root / recorded[1]).write_text(self._recording)

    def _begins(self, text: str, where: str) -> None:
        """Start what goes on until Ctrl-C, and wait for its first line."""
        self._beside = subprocess.Popen(
            ["bash", "-c", f'. "{self._state}"\nexec {text}'],
            cwd=self.root,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._beside.stdout is not None
        assert self._beside.stdout.readline(), where

    def stops(self) -> None:
        """Press Ctrl-C where something goes on."""
        if self._beside is None:
            return
        self._beside.send_signal(signal.SIGINT)
        self.said, _ = self._beside.communicate(timeout=_SECONDS)
        assert self._beside.returncode in {0, 130}, self.said
        self._beside = None

    def _script(self, text: str) -> str:
        return f'. "{self._state}"\nset -a\n{text}\ncode=$?\nexport -p >"{self._state}"\nexit $code'

    def _here(self, text: str) -> str:
        """Return text with the places of a host below the reader's root."""
        text = text.removeprefix(".venv/bin/").replace("lease-1", self._lease)
        return _ROOTED.sub(f"{self.root}/", text)

    def links(self, place: str, there: Path) -> None:
        """Have something that is elsewhere lie below the root, too."""
        (self.root / place).symlink_to(there)

    def boots(self, guests: int, load: str) -> None:
        """Boot real guests, look for them from now on, and give the first a load; wait until it has begun."""
        self._types(Typed(f"ballonet lab up --guests {guests} --for 30m", ""), "lab")
        uri = f"qemu:///embed?root=/tmp/ballonet-lab-{os.getuid()}/libvirt"
        self._types(Typed(f"export LIBVIRT_DEFAULT_URI='{uri}'", ""), "lab")
        self._types(Typed(f"echo '{load}' | ballonet lab load guest-1 -", ""), "lab")
        until = time.monotonic() + _SECONDS
        while "report" not in self.said or not json.loads(self.said)["guests"][0]["report"]["file_mib"]:
            assert time.monotonic() < until, self.said
            time.sleep(0.5)
            self._types(Typed("ballonet lab list -o json", ""), "lab")

    def ends(self) -> None:
        """End the guests of a lab that is still there."""
        if list((self.root / "tmp").glob("ballonet-lab-*")):
            self._types(Typed("ballonet lab down", ""), "lab")
