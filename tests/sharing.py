"""Which tests stay together and in which order, so that `script/test` can run them in three processes.

A pytest plugin. Tests of one file stay together, as they share what takes long to make, and so do files that
share what is made once for all of them. Those on real guests come first: they wait more than they work. Two
processes run them, and the third meanwhile begins at the other end, behind the guests in its priority; there
stands what is long and needs no guests. In the middle are the many that are short: all three end together.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

Made = TypeVar("Made")

# What files share, by their names: guests that boot once, the packages, and where a systemd of the tests' own
# has its control groups.
TOGETHER = {
    "test_hypervisor_contract.py": "machine",
    "test_hypervisor_real.py": "machine",
    "test_real_cli.py": "machine",
    "test_real_trouble.py": "machine",
    "test_real_metrics.py": "two guests",
    "test_real_page.py": "two guests",
    "test_real_service.py": "two guests",
    "test_real_top.py": "two guests",
    "test_packaging_files.py": "packages",
    "test_packaging_installed.py": "packages",
    "test_packaging_unit.py": "packages",
}
BEHIND = "gw2"  # as xdist calls the third process


def group(path: str) -> str:
    """Return whom a file of tests belongs to: itself, or several."""
    return TOGETHER.get(Path(path).name, path)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put those first that wait for guests, and last what is long, each beside those of its group."""
    first: dict[str, int] = {}
    rank: dict[str, int] = {}
    for number, item in enumerate(items):
        name = group(str(item.path))
        first.setdefault(name, number)
        own = 0 if item.get_closest_marker("real") else 2 if item.path.parent.name == "torture" else 1
        rank[name] = min(own, rank.get(name, own))
    items.sort(key=lambda item: (rank[group(str(item.path))], first[group(str(item.path))]))


class _ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a process one group after the other, in the order in which they stand or in the opposite one."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid.partition("::")[0])

    def _assign_work_unit(self, node: WorkerController) -> None:
        if node.gateway.id == BEHIND:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


def pytest_configure() -> None:
    if os.environ.get("PYTEST_XDIST_WORKER") == BEHIND:
        os.nice(10)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    config.option.loadscopereorder = False
    return _ByGroup(config, log)


class _Shared:
    """What a group of files shares: made for the first test that asks for it, ended with the last one."""

    def __init__(self) -> None:
        self._made: dict[Callable[[], AbstractContextManager[Any]], Any] = {}
        self._stack = ExitStack()

    def get(self, make: Callable[[], AbstractContextManager[Made]]) -> Made:
        """Return what is made so; it is ended for everybody at once, in the opposite order."""
        if make not in self._made:
            self._made[make] = self._stack.enter_context(make())
        found: Made = self._made[make]
        return found

    def end(self) -> None:
        self._made.clear()
        self._stack.close()


shared = _Shared()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Any:
    """End what a group shares after its last test: guests that nobody uses take time from those that work."""
    try:
        return (yield)
    finally:
        if nextitem is None or group(str(item.path)) != group(str(nextitem.path)):
            shared.end()


def pytest_sessionfinish() -> None:
    """End it where a run is interrupted, or stops at a failure."""
    shared.end()
