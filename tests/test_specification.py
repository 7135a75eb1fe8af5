"""SPECIFICATION.md: each promise has tests, and each test that it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from fuzzing import ROOT

from ballonet.engine.counts import INVARIANTS

TEXT = (ROOT / "SPECIFICATION.md").read_text()
PROMISES = (*(f"G{number}" for number in range(1, 9)), *(f"H{number}" for number in range(1, 7)), "Q1", "Q2")
PROMISES = (*PROMISES, *(f"S{number}" for number in range(1, 9)), "A1")
TESTS = {
    row.split("|")[1].strip(): re.findall(r"`(tests/[^`]+)::(\w+)`", row)
    for row in TEXT.splitlines()
    if re.match(r"\| [A-Z]\d \|", row)
}
NAMED = sorted({named for tests in TESTS.values() for named in tests})
FILES = re.findall(r"`(tests/[^`:]+\.py)`", TEXT)


@cache
def collected(path: str) -> dict[str, ast.AST]:
    """Return the tests of a file that pytest collects, by name."""
    tree = ast.parse((ROOT / path).read_text())
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name: node for node in functions if node.name.startswith("test_")}


def test_every_promise_is_there_and_has_a_test() -> None:
    assert list(PROMISES) == list(TESTS)
    assert [] == [promise for promise, tests in TESTS.items() if not tests]


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda each: str(each).rpartition("/")[2])
def test_every_test_that_is_named_is_there(path: str, name: str) -> None:
    assert Path(path).name.startswith("test_")
    assert name in collected(path)


@pytest.mark.parametrize("path", FILES)
def test_every_file_that_is_named_has_tests(path: str) -> None:
    assert collected(path)


def test_every_promise_that_is_told_when_broken_is_one_of_these() -> None:
    assert set(INVARIANTS) <= set(PROMISES)
