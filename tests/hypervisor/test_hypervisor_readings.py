"""Sentinels, gaps and nonsense end at the adapter: what is unknown is None."""

import pytest

from ballonet.facts.statistics import STATISTICS, Statistics
from ballonet.hypervisor.readings import BULK_NAMES, SINGLE_NAMES, known, statistics_of
from ballonet.units import GIB, KIB, MIB

ABSENT = 2**64 - 1


@pytest.mark.parametrize("value", [None, ABSENT, ABSENT // KIB, ABSENT // KIB * KIB, -1, -4096])
def test_what_stands_for_no_value_is_unknown(value: int | None) -> None:
    assert known(value) is None


@pytest.mark.parametrize("value", [0, 1, 64 * 1024 * GIB])
def test_a_number_is_itself_and_zero_is_known(value: int) -> None:
    assert value == known(value)


def test_a_guest_that_never_reported_has_no_sample() -> None:
    assert Statistics() == statistics_of({"last_update": 0, "usable_bytes": ABSENT // KIB * KIB}, GIB)


def test_more_than_the_maximum_and_a_tenth_is_no_size_of_the_guest() -> None:
    sample = statistics_of(
        {"usable_bytes": GIB + 200 * MIB, "unused_bytes": GIB + 50 * MIB, "rss_bytes": 2 * GIB}, GIB
    )
    assert sample.usable_bytes is None
    assert GIB + 50 * MIB == sample.unused_bytes  # memory devices may add a little
    assert 2 * GIB == sample.rss_bytes  # QEMU's own memory counts in it


def test_a_stamp_of_its_own_counts_where_the_values_have_none() -> None:
    assert 7.5 == statistics_of({"usable_bytes": GIB}, GIB, 7.5).last_update
    assert 3.0 == statistics_of({"last_update": 3}, GIB, 7.5).last_update
    assert statistics_of({"usable_bytes": GIB}, GIB).last_update is None


def test_without_a_maximum_nothing_is_judged() -> None:
    assert GIB == statistics_of({"usable_bytes": GIB}, None).usable_bytes


def test_each_statistic_that_libvirt_has_is_read_from_both_calls() -> None:
    keys = {item.key for item in STATISTICS if item.libvirt} - {"actual_bytes"}
    assert keys == {item.key for item in BULK_NAMES.values()}
    assert keys == {item.key for item in SINGLE_NAMES.values()}
    assert 12 == len(keys)
    assert "last_update" == BULK_NAMES["last-update"].key
