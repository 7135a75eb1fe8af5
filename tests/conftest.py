"""What tests of several rooms run: the command as a user runs it, and real guests."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import hypothesis
import pytest
from fuzzing import EXAMPLES
from running import HOST, NOWHERE, Run

# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Nor must it matter which settings this machine has.
os.environ["BALLONET_CONFIG"] = os.devnull
# An example's time is no property of the code: on a busy machine any takes longer than 0.2 s now and then, as
# does making it. Each run has the same examples, and so the same result; `script/fuzz` has new ones.
hypothesis.settings.register_profile(
    "untimed",
    deadline=None,
    derandomize="BALLONET_FUZZ_EXAMPLES" not in os.environ,
    max_examples=EXAMPLES,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("untimed")
# For `script/mutants`, which runs each test some hundred times: few examples, always the same, and the first
# that fails will do.
_PHASES = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
hypothesis.settings.register_profile(
    "mutants",
    hypothesis.settings.get_profile("untimed"),
    max_examples=15,
    phases=_PHASES,
)
# What stays together; real guests, which boot once for all that name them; a service with simulated ones; who
# looks at it; and the packages, which are built once.
pytest_plugins = ["sharing", "hosts", "serving", "hosted", "browsing", "built"]


@pytest.fixture
def ballonet() -> Run:
    """Return a function that runs the command line in a process of its own."""

    def run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LIBVIRT_DEFAULT_URI": NOWHERE, **(env or {})}
        return subprocess.run(
            [sys.executable, "-m", "ballonet", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URI of a host with the guests web, bare, off and locked."""
    path: Path = tmp_path_factory.mktemp("host") / "host.xml"
    path.write_text(HOST)
    return f"test://{path}"
