"""libvirt's domains and records made into rows; KiB and sentinels end here. All of it runs in threads."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ballonet.errors import HypervisorError
from ballonet.facts.guest import Guest, State, Stored
from ballonet.facts.statistics import Statistic, Statistics
from ballonet.hypervisor.libvirt.connection import KIB, libvirt
from ballonet.hypervisor.libvirt.definition import UNREADABLE, Definition, read_definition
from ballonet.hypervisor.readings import BULK_NAMES, SINGLE_NAMES, dated, known, statistics_of

XML_SECONDS = 60.0  # others may edit a running guest's devices or its period, rarely
BUSY = "busy"  # a job holds it, and libvirt does not say which

_STATES = (
    State.UNKNOWN,
    State.RUNNING,
    State.RUNNING,  # "blocked": it runs
    State.PAUSED,
    State.SHUTTING_DOWN,
    State.SHUT_OFF,
    State.CRASHED,
    State.SUSPENDED,
)

# virDomainJobOperation.
_JOBS = {
    1: "start",
    2: "save",
    3: "restore",
    4: "migration in",
    5: "migration out",
    6: "snapshot",
    7: "snapshot revert",
    8: "dump",
    9: "backup",
    10: "snapshot delete",
}


_BALLOON = {f"balloon.{name}": name for name in BULK_NAMES}  # by what a record calls it
_COUNTS = {"block": "block.count", "vcpu": "vcpu.maximum"}  # those that are offline have numbers, too
MOST_NUMBERED = 16384  # QEMU's processors and disks are fewer: what says more is garbage


@dataclass(frozen=True, slots=True)
class _Read:
    id: int
    at: float
    definition: Definition


class Definitions:
    """What the XML of running guests says, read when one starts and when it is a minute old."""

    def __init__(self) -> None:
        self._items: dict[str, _Read] = {}

    def of(self, domain: Any) -> Definition:
        """Return a running domain's definition; of one that cannot be read, that it has no balloon."""
        uuid, now = domain.UUIDString(), time.monotonic()
        item = self._items.get(uuid)
        if item is None or item.id != domain.ID() or now - item.at > XML_SECONDS:
            item = _Read(domain.ID(), now, _definition(domain))
            self._items[uuid] = item
        return item.definition

    def forget(self, uuid: str) -> None:
        """Read this one anew the next time."""
        self._items.pop(uuid, None)

    def keep(self, uuids: Iterable[str]) -> None:
        """Forget all others."""
        self._items = {uuid: item for uuid in uuids if (item := self._items.get(uuid)) is not None}


def _definition(domain: Any) -> Definition:
    try:
        return read_definition(domain.XMLDesc())
    except HypervisorError:  # it costs that guest alone: all others are read in the same call
        return UNREADABLE


def from_record(
    domain: Any, record: Mapping[str, Any], definition: Definition, last: Guest | None, asked_at: float
) -> Guest:
    """Build a row from a record of the bulk call that was made at `asked_at` (epoch seconds).

    A domain whose job somebody holds, or whose monitor hangs, yields its sizes only: its job is then
    BUSY, and its statistics are the last that were read, by their own time stamp.
    """
    answered = "balloon.rss" in record or "balloon.last-update" in record
    maximum = _bytes(record.get("balloon.maximum")) or definition.maximum_bytes or None
    balloon = {name: record[key] for key, name in _BALLOON.items() if key in record}
    sample = _translate(BULK_NAMES, balloon, maximum)
    read_ns, vcpu_ns = _total(record, "block", "rd.times"), _total(record, "vcpu", "time")
    return replace(
        frame(domain, record.get("state.state"), definition, asked_at),
        job=None if answered else BUSY,
        maximum_bytes=maximum,
        actual_bytes=_bytes(record.get("balloon.current")),
        statistics=dated(sample, last) if answered or last is None else last.statistics,
        disk_reads_total=_total(record, "block", "rd.reqs"),
        disk_read_seconds_total=None if read_ns is None else read_ns / 1e9,
        vcpus=known(record.get("vcpu.current")),
        vcpu_seconds_total=None if vcpu_ns is None else vcpu_ns / 1e9,
    )


def with_live_size(guest: Guest, domain: Any) -> Guest:
    """Return the row with the size that QEMU says now, or as it is for a guest that ends meanwhile."""
    try:
        return replace(guest, actual_bytes=live_size(domain) or guest.actual_bytes)
    except libvirt.libvirtError:
        return guest


def live_size(domain: Any) -> int | None:
    """Return the bytes that QEMU says a running domain has now."""
    return _bytes(domain.memoryStats().get("actual"))


def from_domain(domain: Any, definition: Definition) -> Guest:
    """Build a row by asking one domain: its sizes are live."""
    asked_at = time.time()
    state, _ = domain.state()
    guest = frame(domain, state, definition, asked_at)
    if not domain.isActive():
        return guest
    fields = domain.memoryStats()
    maximum = _bytes(domain.maxMemory()) or definition.maximum_bytes or None
    return replace(
        guest,
        maximum_bytes=maximum,
        actual_bytes=_bytes(fields.get("actual")) or guest.actual_bytes,
        statistics=_translate(SINGLE_NAMES, fields, maximum),
        vcpus=domain.info()[3],
    )


def frame(domain: Any, state: object, definition: Definition, asked_at: float) -> Guest:
    """Return the part of a row that its definition fills."""
    return Guest(
        name=domain.name(),
        uuid=domain.UUIDString(),
        id=domain.ID() if domain.ID() >= 0 else None,
        state=_state(known(state)),
        read_at=asked_at,
        maximum_bytes=definition.maximum_bytes or None,
        actual_bytes=definition.current_bytes or None,
        device=definition.device,
        obstacles=definition.obstacles,
        file_backed=definition.file_backed,
        metadata=definition.metadata,
        channel=definition.channel,
        system=definition.system,
    )


def _state(number: int | None) -> State:
    return State.UNKNOWN if number is None or number >= len(_STATES) else _STATES[number]


def stored(domain: Any) -> Stored | None:
    """Return a domain's stored configuration; a transient one has none."""
    if not domain.isPersistent():
        return None
    definition = read_definition(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    period = definition.device.period_seconds if definition.device else 0
    return Stored(definition.maximum_bytes, definition.current_bytes, period)


def job(domain: Any) -> str:
    """Return the word for what holds a domain; BUSY where libvirt does not say."""
    return _JOBS.get(domain.jobStats().get("operation", 0), BUSY)


def present(reads: Iterable[Callable[[], Guest]]) -> list[Guest]:
    """Return what was read, without the guests that vanished or stopped between two calls."""
    rows = []
    for read in reads:
        try:
            rows.append(read())
        except libvirt.libvirtError as error:
            if error.get_error_code() not in {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID}:
                raise
    return rows


def _translate(names: Mapping[str, Statistic], fields: Mapping[str, Any], maximum: int | None) -> Statistics:
    """Return the sample in our names and units."""
    values = {
        names[name].key: value * KIB if names[name].unit == "bytes" else value
        for name, value in fields.items()
        if name in names and known(value) is not None
    }
    return statistics_of(values, maximum)


def _bytes(kib: object) -> int | None:
    value = known(kib)
    return None if value is None else value * KIB


def _total(record: Mapping[str, Any], group: str, field: str) -> int | None:
    """Return the sum over all disks or processors of a record's `group.N.field`."""
    # Not by looking through the record: it has hundreds of names where there are many of them.
    count = min(known(record.get(_COUNTS[group])) or 0, MOST_NUMBERED)
    values = [known(record.get(f"{group}.{number}.{field}")) for number in range(count)]
    there = [value for value in values if value is not None]
    return sum(there) if there else None
