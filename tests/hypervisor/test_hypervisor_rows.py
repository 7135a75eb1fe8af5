"""Records of libvirt's bulk call made into rows."""

from dataclasses import replace
from typing import Any

import pytest

from ballonet.facts.guest import Guest
from ballonet.hypervisor.libvirt.definition import read_definition
from ballonet.hypervisor.libvirt.rows import BUSY, Definitions, from_record
from ballonet.units import KIB

XML = "<domain><name>web</name><memory unit='KiB'>4096</memory><devices/></domain>"
BALLOON = {
    "state.state": 1,
    "balloon.current": 2048,
    "balloon.maximum": 4096,
    "balloon.usable": 1000,
    "balloon.last-update": 100,
    "balloon.rss": 3000,
}


class Domain:
    """What of a domain costs no call."""

    def name(self) -> str:
        return "web"

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's
        return "uuid-web"

    def ID(self) -> int:  # noqa: N802 - libvirt's
        return 7


def row(record: dict[str, Any], last: Guest | None = None, *, at: float = 101.5) -> Guest:
    return from_record(Domain(), record, read_definition(XML), last, at)


def test_sizes_are_bytes_and_statistics_have_our_names() -> None:
    found = row(BALLOON)

    assert ("web", 7, None) == (found.name, found.id, found.job)
    assert (4096 * KIB, 2048 * KIB) == (found.maximum_bytes, found.actual_bytes)
    sample = found.statistics
    assert (1000 * KIB, 3000 * KIB, 100.0) == (sample.usable_bytes, sample.rss_bytes, sample.last_update)


def test_disks_and_processors_are_summed_also_where_some_are_offline() -> None:
    found = row(
        {
            **BALLOON,
            "block.count": 2,
            "block.0.rd.reqs": 5,
            "block.0.rd.times": 10**9,
            "block.1.rd.reqs": 7,
            "block.1.rd.times": 5 * 10**8,
            "vcpu.current": 2,
            "vcpu.maximum": 12,
            "vcpu.0.time": 10**9,
            "vcpu.11.time": 2 * 10**9,
        }
    )

    assert (12, 1.5) == (found.disk_reads_total, found.disk_read_seconds_total)
    assert (2, 3.0) == (found.vcpus, found.vcpu_seconds_total)


@pytest.mark.parametrize("record", [BALLOON, {**BALLOON, "block.count": 0, "vcpu.maximum": 4}])
def test_what_a_record_does_not_have_is_unknown(record: dict[str, Any]) -> None:
    found = row(record)

    assert found.disk_reads_total is None
    assert found.vcpu_seconds_total is None


def test_a_guest_that_does_not_answer_keeps_its_last_sample() -> None:
    last = row(BALLOON)

    found = row({"state.state": 1, "balloon.current": 1024, "balloon.maximum": 4096}, last)

    assert (BUSY, 1024 * KIB) == (found.job, found.actual_bytes)
    assert last.statistics == found.statistics


@pytest.mark.parametrize(
    ("change", "stamp"),
    [
        ({}, 100.0),
        ({"balloon.rss": 3001}, 100.0),  # QEMU's, at any time
        ({"balloon.usable": 1001}, 101.5),  # was not there at the last look
        ({"balloon.usable": 1001, "balloon.last-update": 103}, 103.0),
    ],
)
def test_what_differs_was_sent_after_the_last_look(change: dict[str, int], stamp: float) -> None:
    last = row(BALLOON, at=101.5)

    assert stamp == row({**BALLOON, **change}, last, at=103.5).statistics.last_update


def test_a_stamp_never_goes_back() -> None:
    last = row(BALLOON, at=101.5)
    later = replace(last, statistics=replace(last.statistics, last_update=101.2))

    assert 101.2 == row(BALLOON, later).statistics.last_update


def test_a_definition_that_cannot_be_read_costs_its_guest_alone() -> None:
    """H4: it is taken for one without a balloon, of the size that the record says."""

    class Odd(Domain):
        def XMLDesc(self) -> str:  # noqa: N802 - libvirt's
            return "<domain><memory unit='parsec'>1</memory></domain>"

    definition = Definitions().of(Odd())
    found = from_record(Odd(), BALLOON, definition, None, 101.5)

    assert (None, 4096 * KIB, 2048 * KIB) == (found.device, found.maximum_bytes, found.actual_bytes)
    assert from_record(Odd(), {"state.state": 1}, definition, None, 101.5).maximum_bytes is None


def test_a_record_that_counts_without_end_is_read_all_the_same() -> None:
    record = {**BALLOON, "block.count": 2**62, "block.1.rd.reqs": 7, "vcpu.maximum": 2**40}

    assert 7 == row(record).disk_reads_total
