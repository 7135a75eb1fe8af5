"""The service keeps its promises whatever goes wrong, and a seed is the same run each time."""

import os
import subprocess
import sys

from ballonet.simulator.pool import everywhere
from ballonet.torture.report import torture_text
from ballonet.torture.run import Task, lived

SEEDS = 500  # two hours each, 0.6 s of a processor
AGAIN = "from ballonet.torture.run import *; print(lived(Task(11, 1.0)).digest)"


def test_no_seed_breaks_a_promise() -> None:
    results = everywhere(lived, [Task(seed) for seed in range(SEEDS)])
    broken = [result for result in results if result.failure is not None]
    assert not broken, torture_text(broken[:3])
    # A service that does nothing keeps all promises, too.
    assert min(result.troubles for result in results) >= 40
    assert min(result.done.looks for result in results) > 0
    for count in ("grows", "shrinks", "bursts", "lent", "asked"):
        assert sum(getattr(result.done, count) for result in results) > 0, count
    assert sum(result.restarts for result in results) > SEEDS


def test_the_same_seed_gives_the_same_event_log_in_any_process() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", AGAIN],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert 1 == len(digests)
    assert digests != {lived(Task(12, 1.0)).digest + "\n"}
