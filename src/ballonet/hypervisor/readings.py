"""Numbers as hypervisors report them, made into facts: what is missing, absurd or a sentinel is unknown."""

from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter

from ballonet.facts.guest import Guest
from ballonet.facts.statistics import STATISTICS, Statistics

# QEMU's "no value" is 2^64-1, and Windows' driver sends -1 pages for a counter that it failed to read: no
# number is as large. The others are what libvirt makes of it: KiB, and its own greatest number.
_TOO_LARGE = 2**63
_SENTINELS = frozenset({(2**64 - 1) // 1024, 2**63 - 1})

# A guest's own sizes may pass its maximum by what memory devices add; more than that is garbage.
_SLACK = 1.1

_GAUGES_WITHIN_MAXIMUM = frozenset({"unused_bytes", "usable_bytes", "available_bytes", "disk_caches_bytes"})


def known(value: object) -> int | None:
    """Return the number, or None for a sentinel, a negative one, and what is no whole number at all."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    return None if value >= _TOO_LARGE or value in _SENTINELS else value


def statistics_of(
    values: Mapping[str, int | None], maximum_bytes: int | None, stamp: float | None = None
) -> Statistics:
    """Return the sample that these values (by field of `Statistics`, in bytes) make up.

    `stamp` is when it was taken, in epoch seconds, where the values do not tell.
    """
    fields = {key: known(value) for key, value in values.items()}
    stamp = fields.pop("last_update", None) or stamp
    for key in _GAUGES_WITHIN_MAXIMUM & fields.keys():
        value = fields[key]
        if value is not None and maximum_bytes is not None and value > maximum_bytes * _SLACK:
            fields[key] = None
    return Statistics(**fields, last_update=float(stamp) if stamp else None)


def dated(sample: Statistics, last: Guest | None) -> Statistics:
    """Return the sample with the latest time at or after which it was taken; `last` is the row before.

    The hypervisor stamps whole seconds; but what differs from the last look was not there yet then.
    """
    before = last.statistics if last else None
    if last is None or before is None or before.last_update is None or sample.last_update is None:
        return sample
    least = before.last_update if _by_guest(sample) == _by_guest(before) else last.read_at
    return sample if sample.last_update >= least else replace(sample, last_update=least)


# How the fields of `Statistics` are called in libvirt's answer to a bulk call, and to a call for one domain;
# and in QEMU's own.
BULK_NAMES = {item.domstats: item for item in STATISTICS if item.domstats and item.key != "actual_bytes"}
SINGLE_NAMES = {item.memstat: item for item in STATISTICS if item.memstat and item.key != "actual_bytes"}
QEMU_NAMES = {item.qemu: item for item in STATISTICS if item.qemu and item.qemu.startswith("stat-")}
# What the guest itself tells, and not QEMU of it.
_by_guest = attrgetter(*(item.key for item in QEMU_NAMES.values()))
