"""What Prometheus reads: the host, what was decided and done, and a few series a guest.

Names keep to base units; a value that is unknown is left out. Label values come from fixed sets, but for a
guest's name and UUID, a hypervisor's URI and our version.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ballonet.engine.counts import Counts, Histogram
from ballonet.engine.engine import Engine
from ballonet.facts.host import HostState
from ballonet.facts.plan import TIERS
from ballonet.facts.verdict import VERDICTS
from ballonet.service.models import Status
from ballonet.show.guest_metrics import PREFIX, Guests, compat_text, guest_text

_WINDOW: Final = "10s"  # over which the kernel averages pressure


@dataclass(frozen=True, slots=True)
class Seen:
    """What metrics are read off."""

    status: Status
    engines: Sequence[Engine]
    counts: Counts
    timeouts: Mapping[str, int]  # calls to hypervisors that got no answer in time, by what they were to do
    compat: bool = False  # also by other exporters' names


class Exposition(Collector):
    """The text that is served, of what `look` returns each time."""

    content_type: Final = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, look: Callable[[], Seen]) -> None:
        self._look = look
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> str:
        """Return all metrics."""
        seen = self._look()
        guests = [
            Guests(engine.plan, engine, seen.counts.turns)
            for engine in seen.engines
            if engine.plan is not None
        ]
        parts = [generate_latest(self._registry).decode(), guest_text(guests)]
        if seen.compat:
            parts.append(compat_text(guests))
        return "".join(parts)

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics but those of guests."""
        seen = self._look()
        yield from _service(seen)
        yield from _host(seen)
        yield from _budget(seen)
        yield from _requests(seen)
        yield from _ticks(seen)
        yield from _done(seen.counts)
        yield from _outside(seen)


# --- by subject ------------------------------------------------------------------------------------------


def _service(seen: Seen) -> Iterator[Metric]:
    status, settings = seen.status, seen.status.settings
    yield _by("build_info", "1, with our version.", "version", {status.version: 1.0})
    yield _by("mode", "1 for the mode that is on.", "mode", _state(("observe", "enforce"), status.mode))
    yield _gauge("paused", "1 while everybody is held: nothing is written.", status.paused is not None)
    yield _gauge(
        "config_last_reload_successful",
        "1 if settings could be used when they were last read.",
        settings.succeeded,
    )
    yield _gauge(
        "config_last_reload_success_timestamp_seconds",
        "When the settings in force were read.",
        settings.in_force_since.timestamp(),
    )
    yield _gauge(
        "store_writable",
        "1 while acts and events can be written down; without that nothing is sent.",
        seen.counts.store_writable,
    )


def _host(seen: Seen) -> Iterator[Metric]:
    def of(field: str) -> float | None:
        value: float | None = getattr(seen.status.host, field, None)  # there may be no host to be seen
        return value

    for name, about in (
        ("memory_total", "All memory of the host."),
        ("memory_available", "What can be had without swapping."),
        ("memory_own", "In use, and not by guests."),
        ("memory_guests", "Of the host's memory, in guests' processes."),
        ("memory_headroom", "Available beyond the reserve and all leases."),
        ("swap_total", "The host's swap."),
        ("swap_free", "What is left of the host's swap."),
    ):
        yield _gauge(f"host_{name}_bytes", about, of(f"{name.removeprefix('memory_')}_bytes"))
    yield _gauge(
        "host_memory_reserve_bytes",
        "What is never handed out, as the settings have it.",
        max((engine.settings.reserve_bytes for engine in seen.engines), default=None),
    )
    for name, whose in (("some", "some of the host's tasks"), ("full", "all of the host's tasks")):
        yield _by(
            f"host_pressure_{name}_ratio",
            f"Share of time in which {whose} waited for memory.",
            "window",
            {_WINDOW: of(f"pressure_{name}_ratio")},
        )
    worst = max((engine.plan.state for engine in seen.engines if engine.plan), default=None)
    states = [state.name.lower() for state in HostState]
    found = {} if worst is None else _state(states, worst.name.lower())
    yield _by("host_state", "1 for how short of memory the host is.", "state", found)


def _budget(seen: Seen) -> Iterator[Metric]:
    parts = seen.status.hypervisors
    for name, about, values in (
        ("budget", "What all guests together may hold.", [each.budget_bytes for each in parts]),
        ("held", "What they hold.", [each.held_bytes for each in parts]),
        ("free", "What can be handed out at once, the pool included.", [each.free_bytes for each in parts]),
        ("pool", "What is held back for bursts.", [each.pool_bytes for each in parts]),
        (
            "short",
            "What the budget lacks for need, cushions and cache.",
            [each.short_bytes for each in parts],
        ),
        (
            "given_back",
            "Maximum less actual of the managed guests.",
            [each.given_back_bytes for each in parts],
        ),
    ):
        yield _gauge(f"{name}_bytes", about, _sum(values))
    plans = [engine.plan for engine in seen.engines if engine.plan is not None]
    wanted = {tier: _sum([float(plan.wanted[row].sum()) for plan in plans]) for row, tier in enumerate(TIERS)}
    got = {tier: _sum([float(plan.got[row].sum()) for plan in plans]) for row, tier in enumerate(TIERS)}
    yield _by("wanted_bytes", "What the managed guests want, by tier.", "tier", wanted)
    yield _by("granted_bytes", "What they are allotted, by tier.", "tier", got)
    counts = {
        verdict.code: float(sum(each.guests.by_verdict.get(verdict.code, 0) for each in parts))
        for verdict in VERDICTS
    }
    yield _by("guests", "How many guests have each verdict.", "verdict", counts)


def _requests(seen: Seen) -> Iterator[Metric]:
    status = seen.status
    yield _gauge("holds", "Guests, or everybody, that are left as they are.", len(status.holds))
    yield _gauge("leases", "Leases: memory that is kept free for guests to come.", len(status.leases))
    yield _gauge("leased_bytes", "What leases keep free.", status.leased_bytes)


def _ticks(seen: Seen) -> Iterator[Metric]:
    ticks = [each.last_tick for each in seen.status.hypervisors]
    last = None if None in ticks else min((each.at.timestamp() for each in ticks if each), default=None)
    yield _gauge("last_tick_timestamp_seconds", "When all guests were last looked at.", last)
    yield _gauge(
        "interval_seconds",
        "The time between two ticks.",
        max((engine.settings.interval_seconds for engine in seen.engines), default=None),
    )
    yield _histogram("tick_duration_seconds", "How long ticks took.", seen.counts.ticks)
    yield _counter("tick_overruns", "Ticks that took longer than the interval.", seen.counts.overruns)
    yield _counter("tick_failures", "Ticks that could not read the guests.", seen.counts.failures)


def _done(counts: Counts) -> Iterator[Metric]:
    changes = CounterMetricFamily(
        f"{PREFIX}changes",
        "Changes of guests' sizes, by what became of them.",
        labels=("direction", "reason", "result"),
    )
    for labels, count in counts.changes.items():
        changes.add_metric(labels, count)
    yield changes
    yield _counters("moved_bytes", "By how much guests moved.", "direction", counts.moved_bytes)
    yield _histogram(
        "convergence_seconds",
        "From a change's sending until it was seen to have arrived.",
        counts.convergence,
    )
    yield _counters("refusals", "Guests at ticks whose size a rule kept as it was.", "rule", counts.refusals)
    yield _counters(
        "invariant_violations",
        "Changes that were not sent, as they would have broken a promise.",
        "invariant",
        counts.violations,
    )
    yield _counter("foreign_changes", "Changes of sizes by somebody else's hand.", counts.foreign)
    yield _counters("events", "Things that happened, by kind.", "kind", counts.happenings)


def _outside(seen: Seen) -> Iterator[Metric]:
    reads = seen.counts.reads
    up = {
        uri: None if reads is None else float(reads and uri not in each.unanswered)
        for each in seen.status.hypervisors
        for uri in each.uri.split(" ")
    }
    yield _by("libvirt_up", "1 if the hypervisor answered the last look.", "uri", up)
    yield _counters(
        "libvirt_call_timeouts", "Calls that got no answer in time, by their task.", "call", seen.timeouts
    )


# --- by kind ---------------------------------------------------------------------------------------------


def _gauge(name: str, about: str, value: float | None) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, about)
    if value is not None and isfinite(value):
        family.add_metric((), float(value))
    return family


def _by(name: str, about: str, label: str, values: Mapping[str, float | None]) -> Metric:
    """Return a gauge with a series for each value of its label."""
    family = GaugeMetricFamily(PREFIX + name, about, labels=(label,))
    for key, value in values.items():
        if value is not None and isfinite(value):
            family.add_metric((key,), float(value))
    return family


def _counter(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(PREFIX + name, about, value)


def _counters(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    """Return a counter with a series for each value of its label."""
    family = CounterMetricFamily(PREFIX + name, about, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _histogram(name: str, about: str, found: Histogram) -> Metric:
    bounds = [*map(str, found.bounds), "+Inf"]
    buckets = list(zip(bounds, map(float, found.cumulative()), strict=True))
    return HistogramMetricFamily(PREFIX + name, about, buckets, found.sum)


def _state(states: Sequence[str], now: str) -> dict[str, float]:
    """Return 1 for the one that is so, and 0 for the others."""
    return {state: float(state == now) for state in states}


def _sum(values: Sequence[float | None]) -> float | None:
    """Return the sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
