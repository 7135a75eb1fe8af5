"""The table of names agrees with the sample it describes, and with the headers it was read from."""

from dataclasses import fields

import pytest

from ballonet.facts.statistics import STATISTICS, Statistic, Statistics, named

BY_KEY = {statistic.key: statistic for statistic in STATISTICS}


def test_every_field_of_a_sample_is_named_and_nothing_else_but_actual() -> None:
    assert {field.name for field in fields(Statistics)} | {"actual_bytes"} == set(BY_KEY)
    assert len(STATISTICS) == len(BY_KEY)


def test_tags_are_0_to_15_each_once() -> None:
    tags = [statistic.tag for statistic in STATISTICS if statistic.tag is not None]
    assert list(range(16)) == sorted(tags)


@pytest.mark.parametrize("layer", ["linux", "virtio", "qemu", "libvirt", "domstats", "memstat"])
def test_a_layer_uses_each_name_once(layer: str) -> None:
    names = [name for statistic in STATISTICS if (name := getattr(statistic, layer))]
    assert sorted(set(names)) == sorted(names)


def test_libvirt_exposes_thirteen_values() -> None:
    exposed = [statistic for statistic in STATISTICS if statistic.libvirt]
    assert 13 == len(exposed)
    assert all(statistic.domstats and statistic.memstat and statistic.since_libvirt for statistic in exposed)


@pytest.mark.parametrize("row", STATISTICS, ids=lambda row: row.key)
def test_keys_carry_unit_and_kind(row: Statistic) -> None:
    assert row.key.endswith("_total") is (row.kind == "counter")
    assert ("_bytes" in row.key) is (row.unit == "bytes")
    assert row.meaning.endswith(".")


@pytest.mark.parametrize(
    ("word", "keys"),
    [
        ("available", ["usable_bytes", "available_bytes"]),  # QEMU's and libvirt's: the classic confusion
        ("usable", ["usable_bytes"]),
        ("MemTotal", ["available_bytes"]),
        ("pgfault", ["minor_faults_total"]),
        ("stat-htlb-pgfail", ["hugetlb_failures_total"]),
        ("VIRTIO_BALLOON_S_AVAIL", ["usable_bytes"]),
        ("oom_kill", ["oom_kills_total"]),
        ("balloon.last-update", ["last_update"]),
        ("balloon.current", ["actual_bytes"]),
        ("ACTUAL", ["actual_bytes"]),
        ("swap", []),
        ("", []),
    ],
)
def test_a_statistic_is_found_by_any_of_its_names(word: str, keys: list[str]) -> None:
    assert keys == [statistic.key for statistic in named(word)]
