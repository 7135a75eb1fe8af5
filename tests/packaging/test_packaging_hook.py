"""The hook that makes room before a guest starts: what it asks for, and what happens when there is none."""

import os
import subprocess
from pathlib import Path

import pytest

HOOK = Path(__file__).parents[2] / "packaging" / "libvirt" / "hooks" / "qemu"
DEFINITION = """<domain type='kvm'>
  <name>new</name>
  <memory unit='KiB'>2097152</memory>
  <currentMemory unit='KiB'>1048576</currentMemory>
</domain>
"""


def hook(tmp_path: Path, code: int, operation: str = "prepare", **settings: str) -> tuple[int, str, str]:
    """Run the hook beside a `ballonet` that ends with this code; return its code, stderr, what was asked."""
    asked = tmp_path / "asked"
    asked.write_text("")
    command = tmp_path / "ballonet"
    command.write_text(f'#!/bin/sh\necho "$@" > {asked}\necho no >&2\nexit {code}\n')
    command.chmod(0o755)
    text = HOOK.read_text().replace("/etc/default/ballonet-hook", str(tmp_path / "settings"))
    (tmp_path / "settings").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    (tmp_path / "hook").write_text(text)
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "hook"), "new", operation, "begin", "-"],
        input=DEFINITION,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    return done.returncode, done.stderr, asked.read_text().strip()


def test_libvirt_can_run_it() -> None:
    assert HOOK.stat().st_mode & 0o111


def test_room_is_asked_for_by_the_guests_maximum(tmp_path: Path) -> None:
    assert (0, "", "make-room 2097152KiB --guest new --timeout 30s") == hook(tmp_path, 0)
    assert "--timeout 5s" in hook(tmp_path, 0, TIMEOUT="5s")[2]


def test_nothing_else_that_happens_to_a_guest_asks_for_room(tmp_path: Path) -> None:
    assert (0, "", "") == hook(tmp_path, 1, "started")


@pytest.mark.parametrize("code", [1, 5, 6])
def test_a_guest_is_refused_without_room_only_if_the_administrator_says_so(tmp_path: Path, code: int) -> None:
    assert 0 == hook(tmp_path, code)[0]
    refused, said, _ = hook(tmp_path, code, ON_FAILURE="refuse")
    assert (1, "ballonet: no room for new: no\n") == (refused, said)


def test_without_the_service_guests_start(tmp_path: Path) -> None:
    assert 0 == hook(tmp_path, 3, ON_FAILURE="refuse")[0]


def test_no_shell_fault_is_in_it() -> None:
    found = subprocess.run(["shellcheck", str(HOOK)], capture_output=True, text=True, check=False)
    assert 0 == found.returncode, found.stdout
