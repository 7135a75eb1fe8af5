"""The metrics of guests: a column of a plan each, written as Prometheus' text.

Not through prometheus-client: of 500 guests that would take a tenth of a second, in which no burst is seen.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, NamedTuple

import numpy as np

from ballonet.engine.engine import Engine
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Floats
from ballonet.facts.verdict import CODES, VERDICTS
from ballonet.show.table import printable

PREFIX: Final = "ballonet_"


@dataclass(frozen=True, slots=True)
class Guests:
    """The guests of one engine at its last tick; `turns` are counted by UUID."""

    plan: Plan
    engine: Engine
    turns: dict[str, int]


class GuestMetric(NamedTuple):
    """A metric that each guest has; NaN is unknown, and left out."""

    name: str
    kind: str
    help: str
    read: Callable[[Guests], Floats]


def _of_table(column: str) -> Callable[[Guests], Floats]:
    """Return what reads a column of the snapshot."""

    def read(guests: Guests) -> Floats:
        found: Floats = getattr(guests.plan.snapshot, column)
        return found

    return read


def _need(guests: Guests) -> Floats:
    return np.where(guests.plan.verdict >= CODES["stale"], guests.plan.wanted[0], np.nan)


def _allotted(guests: Guests) -> Floats:
    return np.where(guests.plan.verdict >= CODES["stale"], guests.plan.allotted, np.nan)


def _turns(guests: Guests) -> Floats:
    return np.array([guests.turns.get(uuid, 0) for uuid in guests.plan.snapshot.uuids], dtype=np.float64)


GUEST: Final = (
    GuestMetric(
        "guest_maximum_bytes", "gauge", "The most it could have, set at its boot.", _of_table("maximum")
    ),
    GuestMetric("guest_balloon_actual_bytes", "gauge", "The size that it has.", _of_table("actual")),
    GuestMetric(
        "guest_balloon_target_bytes",
        "gauge",
        "The size that it was last told to have.",
        lambda guests: guests.engine.memory.target,
    ),
    GuestMetric(
        "guest_allotted_bytes",
        "gauge",
        "The size that it is to have in the end, step by step.",
        _allotted,
    ),
    GuestMetric("guest_need_bytes", "gauge", "What it needs: with less it would swap.", _need),
    GuestMetric("guest_floor_bytes", "gauge", "The least that it keeps.", _of_table("floor")),
    GuestMetric("guest_ceiling_bytes", "gauge", "The most that it gets.", _of_table("ceiling")),
    GuestMetric("guest_usable_bytes", "gauge", "What it could use without swapping.", _of_table("usable")),
    GuestMetric("guest_unused_bytes", "gauge", "What lies idle in it.", _of_table("unused")),
    GuestMetric("guest_available_bytes", "gauge", "What its kernel manages.", _of_table("available")),
    GuestMetric("guest_rss_bytes", "gauge", "What its process has of the host's memory.", _of_table("rss")),
    GuestMetric(
        "guest_stats_age_seconds",
        "gauge",
        "How old its statistics were at the last tick.",
        lambda guests: guests.plan.snapshot.stats_age,
    ),
    GuestMetric("guest_swap_in_bytes_total", "counter", "Read back from its swap.", _of_table("swap_in")),
    GuestMetric("guest_swap_out_bytes_total", "counter", "Written to its swap.", _of_table("swap_out")),
    GuestMetric(
        "guest_major_faults_total",
        "counter",
        "Page faults that waited for its disk.",
        _of_table("major_faults"),
    ),
    GuestMetric(
        "guest_oom_kills_total",
        "counter",
        "Processes that its kernel ended for lack of memory (Linux 6.12, QEMU 9.2 or later).",
        _of_table("oom_kills"),
    ),
    GuestMetric(
        "guest_pressure_ratio",
        "gauge",
        "Share of time in which its tasks waited for memory, where an agent tells.",
        _of_table("pressure"),
    ),
    GuestMetric(
        "guest_agent_age_seconds",
        "gauge",
        "How old what its agent told was at the last tick.",
        lambda guests: guests.plan.snapshot.taken_at - guests.plan.snapshot.heard_at,
    ),
    GuestMetric(
        "guest_swapped_bytes", "gauge", "What lies in its swap, where an agent tells.", _of_table("swapped")
    ),
    GuestMetric(
        "guest_committed_bytes",
        "gauge",
        "What its programs asked for, where an agent tells.",
        _of_table("committed"),
    ),
    GuestMetric(
        "guest_distress",
        "gauge",
        "1 while it swaps, or waits for memory: nothing is taken from it.",
        lambda guests: guests.engine.memory.distress.astype(np.float64),
    ),
    GuestMetric(
        "guest_lost_ratio",
        "gauge",
        "Share of its time that reading dropped cache again costs it.",
        lambda guests: guests.engine.memory.lost,
    ),
    GuestMetric(
        "guest_turns_total",
        "counter",
        "Changes of its size the other way than the one before.",
        _turns,
    ),
)
MANAGED: Final = GuestMetric(
    "guest_managed",
    "gauge",
    "1: its memory is managed; 0: it is left alone. The reason is its verdict.",
    lambda guests: (guests.plan.verdict >= CODES["stale"]).astype(np.float64),
)

# What tinkoff/libvirt-exporter and inovex/prometheus-libvirt-exporter serve, as far as it is known here.
_NAMES: Final = "As libvirt's exporters name it."
COMPAT: Final = (
    GuestMetric("libvirt_domain_memory_stats_actual_balloon_bytes", "gauge", _NAMES, _of_table("actual")),
    GuestMetric("libvirt_domain_memory_stats_current_balloon_bytes", "gauge", _NAMES, _of_table("actual")),
    GuestMetric("libvirt_domain_info_memory_usage_bytes", "gauge", _NAMES, _of_table("actual")),
    GuestMetric("libvirt_domain_info_maximum_memory_bytes", "gauge", _NAMES, _of_table("maximum")),
    GuestMetric("libvirt_domain_memory_stats_maximum_bytes", "gauge", _NAMES, _of_table("maximum")),
    GuestMetric("libvirt_domain_memory_stats_unused_bytes", "gauge", _NAMES, _of_table("unused")),
    GuestMetric("libvirt_domain_memory_stats_available_bytes", "gauge", _NAMES, _of_table("available")),
    GuestMetric("libvirt_domain_memory_stats_usable_bytes", "gauge", _NAMES, _of_table("usable")),
    GuestMetric("libvirt_domain_memory_stats_rss_bytes", "gauge", _NAMES, _of_table("rss")),
    GuestMetric(
        "libvirt_domain_memory_stats_major_fault_total", "counter", _NAMES, _of_table("major_faults")
    ),
    GuestMetric("libvirt_domain_memory_stats_swap_in_bytes", "counter", _NAMES, _of_table("swap_in")),
    GuestMetric("libvirt_domain_memory_stats_swap_out_bytes", "counter", _NAMES, _of_table("swap_out")),
)


def guest_text(all_guests: Sequence[Guests]) -> str:
    """Return the metrics of all guests."""
    lines: list[str] = []
    labels = [_labels(guests.plan) for guests in all_guests]
    for metric in GUEST:
        lines += _head(metric, PREFIX)
        for guests, label in zip(all_guests, labels, strict=True):
            lines += _lines(PREFIX + metric.name, label, metric.read(guests))
    lines += _head(MANAGED, PREFIX)
    for guests, label in zip(all_guests, labels, strict=True):
        reasons = [VERDICTS[code].code for code in guests.plan.verdict.tolist()]
        with_reason = [f'{each},reason="{reason}"' for each, reason in zip(label, reasons, strict=True)]
        lines += _lines(PREFIX + MANAGED.name, with_reason, MANAGED.read(guests))
    return "".join(lines)


def compat_text(all_guests: Sequence[Guests]) -> str:
    """Return the same by other exporters' names, which tell guests apart by name only: the first has it."""
    lines: list[str] = []
    names = [name for guests in all_guests for name in guests.plan.snapshot.names]
    first = {name: row for row, name in reversed(list(enumerate(names)))}
    labels = [f'domain="{escaped(name)}"' for name in first]
    rows = list(first.values())
    for metric in COMPAT:
        column = np.concatenate([metric.read(guests) for guests in all_guests]) if all_guests else np.empty(0)
        lines += _head(metric, "")
        lines += _lines(metric.name, labels, column[rows])
    return "".join(lines)


def escaped(value: str) -> str:
    """Return a label's value as it stands between quotes: guests choose their names."""
    return printable(value).replace("\\", r"\\").replace('"', r"\"")


def _labels(plan: Plan) -> list[str]:
    pairs = zip(plan.snapshot.names, plan.snapshot.uuids, strict=True)
    return [f'domain="{escaped(name)}",uuid="{escaped(uuid)}"' for name, uuid in pairs]


def _head(metric: GuestMetric, prefix: str) -> list[str]:
    name = prefix + metric.name
    return [f"# HELP {name} {metric.help}\n", f"# TYPE {name} {metric.kind}\n"]


def _lines(name: str, labels: Iterable[str], column: Floats) -> list[str]:
    """Return a line for each value that is known."""
    return [
        f"{name}{{{label}}} {value!r}\n"
        for label, value in zip(labels, column.tolist(), strict=True)
        if -inf < value < inf
    ]
