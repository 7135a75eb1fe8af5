"""A monitor's answers made into a row."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from ballonet.facts.guest import Guest, State
from ballonet.facts.statistics import Statistics
from ballonet.hypervisor.qmp import process
from ballonet.hypervisor.qmp.machine import Machine
from ballonet.hypervisor.readings import QEMU_NAMES, dated, known, statistics_of

NO_ANSWER = "no answer"  # the job of a guest whose monitor hangs, is somebody else's, or cannot be understood


@dataclass(frozen=True, slots=True)
class Told:
    """What a monitor answered at a look."""

    at: float  # epoch seconds at which it was asked
    actual_bytes: int | None
    stats: object = None  # the device's `guest-stats`
    blocks: object = None  # query-blockstats


def row(uri: str, machine: Machine, number: int, told: Told, last: Guest | None) -> Guest:
    """Build a row; `last` is the row before."""
    own = machine.process
    sample = statistics(told.stats, machine.maximum_bytes, own and process.resident_bytes(own))
    reads, read_ns = _reads(told.blocks)
    return Guest(
        name=machine.name,
        uuid=machine.uuid,
        id=number,
        state=machine.state,
        read_at=told.at,
        job=machine.job,
        maximum_bytes=machine.maximum_bytes,
        actual_bytes=told.actual_bytes,
        device=machine.device,
        obstacles=machine.obstacles,
        hypervisor=uri,
        statistics=dated(sample, last),
        disk_reads_total=reads,
        disk_read_seconds_total=None if read_ns is None else read_ns / 1e9,
        channel=machine.port.channel if machine.port else None,
        vcpus=len(machine.threads) or None,
        vcpu_seconds_total=None if own is None else process.thread_seconds(own, machine.threads),
    )


def unknown(uri: str, name: str, uuid: str, number: int) -> Guest:
    """Return the row of a guest whose monitor never said a word."""
    return Guest(name, uuid, number, State.UNKNOWN, time.time(), job=NO_ANSWER, hypervisor=uri)


def statistics(told: object, maximum_bytes: int | None, rss_bytes: int | None = None) -> Statistics:
    """Return the sample in the device's `guest-stats`; what QEMU or the guest does not know is unknown."""
    answer = told if isinstance(told, dict) else {}
    stats = answer.get("stats")
    values: dict[str, int | None] = {
        item.key: known(value)
        for name, value in (stats if isinstance(stats, dict) else {}).items()
        if (item := QEMU_NAMES.get(name))
    }
    values |= {"rss_bytes": rss_bytes, "last_update": known(answer.get("last-update"))}
    return statistics_of(values, maximum_bytes)


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
