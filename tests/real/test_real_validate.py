"""Simulated guests beside real ones: the same short run on both, and what is said about it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

BALLONET = str(Path(sys.executable).with_name("ballonet"))


def test_the_same_run_on_real_guests_and_simulated_ones_is_compared(tmp_path: Path) -> None:
    report = tmp_path / "validation.md"
    words = ["lab", "validate", "cold-memory", "--policy", "none", "--policy", "equal", "--seconds", "12"]
    done = subprocess.run(
        [BALLONET, *words, "--write", str(report), "-o", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )

    assert 0 == done.returncode, done.stderr
    none, equal = json.loads(done.stdout)["runs"]
    assert ["none", "equal"] == [none["policy"], equal["policy"]]
    measures = {(one["guest"], one["measure"]): one for one in equal["measures"]}
    assert {"cold", "files", "rest"} == {guest for guest, _ in measures}
    # The budget is split in three, on both sides alike.
    for side in ("real", "simulated"):
        assert 1000 / 3 == pytest.approx(measures["files", "actual"][side] / (1 << 20), rel=0.02)
    # A request takes its time, whether it is emulated or reckoned; all of them were seen.
    assert 12 * 50 == pytest.approx(measures["rest", "answered"]["real"], rel=0.1)
    assert 12 * 50 == pytest.approx(measures["rest", "answered"]["simulated"], rel=0.1)
    assert measures["rest", "latency"]["real"] > 0
    # What does not depend on how a kernel reclaims is near.
    assert all(measures[guest, "actual"]["within"] for guest in ("cold", "files", "rest"))
    assert measures["rest", "usable"]["within"]
    text = report.read_text()
    assert "## cold-memory, 12 s, policy equal" in text
    assert "| files | actual |" in text
