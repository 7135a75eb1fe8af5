"""One guest's statistics, in the words of whichever layer the reader thinks in."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ballonet.facts.guest import Guest
from ballonet.facts.statistics import STATISTICS, Statistic
from ballonet.show.table import UNKNOWN, table
from ballonet.show.words import age
from ballonet.units import format_size


class Naming(StrEnum):
    """Whose names the statistics are shown by."""

    LINUX = "linux"
    VIRTIO = "virtio"
    QEMU = "qemu"
    LIBVIRT = "libvirt"
    MEMSTAT = "memstat"


@dataclass(frozen=True, slots=True)
class Reading:
    """One statistic of one guest."""

    statistic: Statistic
    value: float
    change_per_second: float | None = None  # of counters, once there is an earlier reading


def readings(guest: Guest, before: Guest | None = None) -> list[Reading]:
    """Return the statistics that are known of a guest; with an earlier look, how fast counters rise."""
    return [
        Reading(statistic, value, _rate(statistic, guest, before))
        for statistic in STATISTICS
        if (value := value_of(statistic, guest)) is not None
    ]


def value_of(statistic: Statistic, guest: Guest) -> float | None:
    """Return a guest's value of a statistic, `None` for unknown."""
    holder: object = guest if statistic.key == "actual_bytes" else guest.statistics
    value: float | None = getattr(holder, statistic.key)
    return value


def _rate(statistic: Statistic, guest: Guest, before: Guest | None) -> float | None:
    """Return a counter's rise a second, between the moments at which the guest itself reported."""
    if before is None or statistic.kind != "counter":
        return None
    now, then = guest.statistics.last_update, before.statistics.last_update
    value, earlier = value_of(statistic, guest), value_of(statistic, before)
    if now is None or then is None or value is None or earlier is None or now <= then or value < earlier:
        return None  # nothing new, or the guest was started again
    return (value - earlier) / (now - then)


def statistics_table(guest: Guest, *, naming: Naming | None = None, before: Guest | None = None) -> str:
    """Return a table of the statistics that are known of a guest, "" where there are none."""
    rows = [
        (name, _value(reading, guest), *([_change(reading)] if before else []))
        for reading in readings(guest, before)
        if (name := name_of(reading.statistic, naming))
    ]
    header = ("STATISTIC", "VALUE", *(["PER SECOND"] if before else []))
    return table(header, rows, right={"VALUE", "PER SECOND"}) if rows else ""


def statistics_fields(guest: Guest) -> dict[str, Any]:
    """Return every statistic by its own key, `None` for unknown."""
    return {statistic.key: value_of(statistic, guest) for statistic in STATISTICS}


def name_of(statistic: Statistic, naming: Naming | None) -> str | None:
    """Return what a layer calls a statistic; `None` where it does not have it; our own word without one."""
    if naming is None:
        return statistic.key.removesuffix("_total").removesuffix("_bytes")
    name: str | None = getattr(statistic, naming.value)
    return name


def _value(reading: Reading, guest: Guest) -> str:
    if reading.statistic.unit == "seconds":
        return f"{age(guest.read_at - reading.value)} ago"
    return format_size(reading.value) if reading.statistic.unit == "bytes" else f"{reading.value:,.0f}"


def _change(reading: Reading) -> str:
    if reading.statistic.kind != "counter":
        return ""
    if reading.change_per_second is None:
        return UNKNOWN
    if reading.statistic.unit == "bytes":
        return format_size(reading.change_per_second)
    return f"{reading.change_per_second:,.1f}"
