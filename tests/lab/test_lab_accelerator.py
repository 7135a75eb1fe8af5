import os
from pathlib import Path

import pytest

from ballonet.lab import accelerator
from ballonet.lab.image import Image

NOTHING = Image(Path("/nonexistent"), Path("/nonexistent"), 0.0)


def as_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let a shell script stand for QEMU on a host that seems to have KVM."""
    program = tmp_path / "qemu-system-x86_64"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(os, "access", lambda *_: True)
    monkeypatch.setattr(accelerator, "DEADLINE_SECONDS", 0.5)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'Linux version 6.1'; exit 1", "kvm"),
        ("echo 'Linux version 6.1'; exec sleep 60", "kvm"),  # begun, and cut off
        ("exec sleep 60", "tcg"),
        ("echo 'failed to set MSR' >&2; kill -ABRT $$", "tcg"),
    ],
)
def test_kvm_is_what_a_kernel_has_spoken_under(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: str
) -> None:
    as_qemu(tmp_path, monkeypatch, script)
    assert expected == accelerator.accelerator(NOTHING)


def test_without_the_device_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setenv("PATH", "")
    assert "tcg" == accelerator.accelerator(NOTHING)
