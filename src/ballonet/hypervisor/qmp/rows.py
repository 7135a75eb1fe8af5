"""A monitor's answers made into a row."""

import time
from collections.abc import Mapping
from dataclasses import replace

from ballonet.facts.guest import Guest, State
from ballonet.facts.statistics import Statistics
from ballonet.hypervisor.qmp import process
from ballonet.hypervisor.qmp.machine import Machine
from ballonet.hypervisor.readings import QEMU_NAMES, dated, known, statistics_of

NO_ANSWER = "no answer"  # the job of a guest whose monitor hangs, is somebody else's, or cannot be understood


def row(
    machine: Machine, number: int, told: object, blocks: object, last: Guest | None, asked_at: float
) -> Guest:
    """Build a row from the device's `guest-stats` and from `query-blockstats`, asked for at `asked_at`."""
    own = machine.process
    sample = statistics(told, machine.maximum_bytes)
    if own is not None:
        sample = replace(sample, rss_bytes=process.resident_bytes(own))
    reads, read_ns = _reads(blocks)
    return Guest(
        name=machine.name,
        uuid=machine.uuid,
        id=number,
        state=machine.state,
        read_at=asked_at,
        job=machine.job,
        maximum_bytes=machine.maximum_bytes,
        actual_bytes=machine.actual_bytes,
        device=machine.device,
        obstacles=machine.obstacles,
        statistics=dated(sample, last),
        disk_reads_total=reads,
        disk_read_seconds_total=None if read_ns is None else read_ns / 1e9,
        vcpus=len(machine.threads) or None,
        vcpu_seconds_total=None if own is None else process.thread_seconds(own, machine.threads),
    )


def unknown(name: str, uuid: str, number: int) -> Guest:
    """Return the row of a guest whose monitor never said a word."""
    return Guest(name, uuid, number, State.UNKNOWN, time.time(), job=NO_ANSWER)


def statistics(told: object, maximum_bytes: int | None) -> Statistics:
    """Return the sample in the device's `guest-stats`; what QEMU or the guest does not know is unknown."""
    answer = told if isinstance(told, dict) else {}
    stats = answer.get("stats")
    values = {
        item.key: value
        for name, value in (stats if isinstance(stats, dict) else {}).items()
        if (item := QEMU_NAMES.get(name)) and known(value) is not None
    }
    return statistics_of({**values, "last_update": known(answer.get("last-update")) or 0}, maximum_bytes)


def _reads(blocks: object) -> tuple[int | None, int | None]:
    """Return the requests, and the nanoseconds, of all that the guest's disks read; None without disks."""
    stats = [_stats(block) for block in blocks] if isinstance(blocks, list) else []
    return _sum(stats, "rd_operations"), _sum(stats, "rd_total_time_ns")


def _stats(block: object) -> Mapping[str, object]:
    stats = block.get("stats") if isinstance(block, dict) else None
    return stats if isinstance(stats, dict) else {}


def _sum(stats: list[Mapping[str, object]], name: str) -> int | None:
    values = [value for each in stats if (value := known(each.get(name))) is not None]
    return sum(values) if values else None
