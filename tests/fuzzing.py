"""Readers fed what nobody would write: a hundred examples each, thousands with `script/fuzz`."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ballonet.errors import BallonetError, SettingsError

Test = TypeVar("Test", bound=Callable[..., Any])

ROOT = Path(__file__).parents[1]
EXAMPLES = int(os.environ.get("BALLONET_FUZZ_EXAMPLES", "100"))

# What a hypervisor, or a kernel, says of something uncountable, and numbers around every limit that there is.
ODD = (-(2**63), -(2**31), -1, 0, 1, 4095, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**64 - 1, (2**64 - 1) // 1024)
numbers = st.sampled_from(ODD) | st.integers(-(2**64), 2**64) | st.integers(0, 2**22)


def fuzzed(test: Test) -> Test:
    """Have a test run with so many examples, and be one of those that `script/fuzz` runs for long."""
    many = settings(
        max_examples=EXAMPLES,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    marked: Test = pytest.mark.fuzz(many(test))
    return marked


def well_said(error: BallonetError) -> None:
    """Assert that an error says in one line what is wrong, and in another one what to do."""
    issues = error.issues if isinstance(error, SettingsError) else [error]
    for issue in issues:
        assert issue.message
        assert issue.hint
        assert len(issue.hint.splitlines()) == 1


# --- files with bytes overwritten, or cut off ------------------------------------------------------------

damages = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1)), max_size=8)


def damaged(whole: bytes, places: list[tuple[float, bytes]], cut: float) -> bytes:
    """Return a file with these bytes overwritten, each from a share of its length on, and that much left."""
    content = bytearray(whole)
    for share, with_what in places:
        begin = int(share * len(whole))
        content[begin : begin + len(with_what)] = with_what
    return bytes(content[: int(cut * len(content)) + 1])


CUTS = st.sampled_from([1.0, 1.0, 1.0, 0.5]) | st.floats(0, 1)
