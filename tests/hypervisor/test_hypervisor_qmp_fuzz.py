"""What QEMU may answer, and what it never would: made into rows, or unknown."""

import asyncio
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fuzzing import fuzzed, numbers
from hypothesis import given
from hypothesis import strategies as st
from monitors import BALLOON, FakeMonitor

from ballonet.engine.table import judge, side_by_side
from ballonet.facts.guest import Guest
from ballonet.hypervisor.qmp.machine import AGENT_PORT, read_machine, usual_name, uuid_of
from ballonet.hypervisor.qmp.process import option
from ballonet.hypervisor.qmp.rows import Told, row
from ballonet.hypervisor.readings import QEMU_NAMES

WORDS = (
    *QEMU_NAMES,
    *("stats", "last-update", "actual", "status", "name", "UUID", "base-memory", "plugged-memory", "started"),
    *("type", "thread-id", "rd_operations", "rd_total_time_ns", "running", "child<virtio-balloon-pci>"),
    *("child<virtserialport>", "chardev", AGENT_PORT, "label", "frontend-open", "unix", "path", "abstract"),
)
plain = st.none() | st.booleans() | numbers | st.floats() | st.text() | st.sampled_from(WORDS)
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(), inner, max_size=6)
    ),
    max_leaves=25,
)
told = st.fixed_dictionaries({"stats": values, "last-update": plain}) | values
blocks = st.lists(st.fixed_dictionaries({"stats": values}) | values, max_size=3) | values
PLACE = Path(__file__)
COMMANDS = (*FakeMonitor(PLACE).answers, "query-chardev", "qom-list", "qom-get", "x-query-virtio-status")


def is_fact(value: object) -> bool:
    """Return whether something is a number that can be decided on, or unknown."""
    return value is None or (isinstance(value, int | float) and math.isfinite(value) and value >= 0)


def machine_of(answers: Mapping[str, Any]) -> Any:
    """Return what is read of a QEMU that answers so, and as it should where this does not say."""
    sane = FakeMonitor(PLACE)
    sane.give_port(answers.get("addr", {"type": "unix", "path": "/run/web.agent"}))

    async def ask(command: str, arguments: Mapping[str, object] | None = None) -> object:
        if command in answers:
            return answers[command]
        return sane._answer(command, dict(arguments or {})).get("return")

    return asyncio.run(read_machine(ask, "/run/a.qmp", "a", os.getpid()))


@fuzzed
@given(st.dictionaries(st.sampled_from((*COMMANDS, "addr")), values, max_size=5), told, told, blocks)
def test_any_answers_are_a_row_whose_numbers_are_numbers_or_unknown(
    answers: dict[str, Any], first: Any, second: Any, disks: Any
) -> None:
    machine = machine_of(answers)
    last: Guest | None = None
    for stats in (first, second):
        last = row("qmp:/run/*.qmp", machine, 1, Told(101.5, machine.actual_bytes, stats, disks), last)
        sample = last.statistics
        found = [getattr(sample, name) for name in sample.__slots__]
        found += [last.maximum_bytes, last.actual_bytes, last.disk_reads_total, last.disk_read_seconds_total]
        found += [last.vcpus, last.vcpu_seconds_total, last.device and last.device.period_seconds]
        assert [] == [value for value in found if not is_fact(value)]
        assert last.name
        assert len(last.name) <= 255
        assert machine.port is None or not machine.port.path or machine.port.path.startswith("/")
        side_by_side([last])
        judge([last])


@fuzzed
@given(values, st.text(), st.text())
def test_any_uuid_is_one_or_made_up_alike(said: object, name: str, path: str) -> None:
    found = uuid_of(said, name, "a", path)
    assert found == uuid_of(said, name, "a", path)
    assert 36 == len(found)


@fuzzed
@given(st.lists(st.sampled_from(["-uuid", "--uuid", "-name", ""]) | st.text()))
def test_any_command_line_has_an_option_or_not(line: list[str]) -> None:
    assert isinstance(option(line, "uuid"), str)


@fuzzed
@given(st.text("/*?[]a.", min_size=1), st.text("/ab.", min_size=1))
def test_any_path_has_a_name(pattern: str, path: str) -> None:
    assert len(usual_name(f"/{pattern}", f"/{path}")) <= 255


def test_the_balloon_that_is_made_up_here_is_found() -> None:
    assert BALLOON == machine_of({}).balloon
