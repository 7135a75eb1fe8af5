"""Budgets: sizes and shares, and what is refused."""

import pytest

from ballonet.engine.budget import budget_bytes
from ballonet.errors import UsageError
from ballonet.facts.host import HostMemory
from ballonet.units import GIB

HOST = HostMemory(16 * GIB, 8 * GIB, 0, 0, None, None, None, 0)


@pytest.mark.parametrize(("text", "size"), [("12GiB", 12 * GIB), ("50%", 8 * GIB), (" 100 % ", 16 * GIB)])
def test_a_budget_is_a_size_or_a_share(text: str, size: int) -> None:
    assert size == budget_bytes(text, HOST)


@pytest.mark.parametrize("text", ["12", "0%", "101%", "-5%", "x%", "1.2.3%", "20GiB", "", "5%%"])
def test_anything_else_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        budget_bytes(text, HOST)

    assert refused.value.hint


def test_a_share_of_an_unknown_host_is_refused() -> None:
    with pytest.raises(UsageError, match="another host"):
        budget_bytes("90%", None)

    assert GIB == budget_bytes("1GiB", None)
