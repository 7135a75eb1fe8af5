"""Following a guest to its new size, and saying what stopped it."""

from collections.abc import Callable

from ballonet.engine.clock import SystemClock
from ballonet.engine.ports import Clock, Hypervisor
from ballonet.errors import NotReachedError
from ballonet.facts.guest import Guest, State
from ballonet.facts.uri import sockets_of
from ballonet.policy.floors import reserve_bytes
from ballonet.units import MIB, exact_size, format_duration, format_size

LOOK_SECONDS = 0.1
NEAR_BYTES = 1 * MIB  # the driver moves so much at a time
STALLED_SECONDS = 2.0  # a driver that has no page to give tries again every 0.2 s
SILENT_SECONDS = 30.0


async def follow(
    hypervisor: Hypervisor,
    guest: Guest,
    size_bytes: int,
    wait_seconds: float,
    on_actual: Callable[[int], None],
    clock: Clock | None = None,
) -> float:
    """Wait until the guest has the size, calling back with each `actual`; return the seconds that it took.

    Raises NotReachedError, which says what stopped it, when the time is over or the guest has ended.
    """
    clock = clock or SystemClock()
    started = moved_at = clock.monotonic()
    last = guest
    while True:
        now = await hypervisor.guest(guest.uuid)
        if now.id is None:
            raise NotReachedError(
                f"guest {guest.name!r} is {now.state}: it ended on the way to {format_size(size_bytes)}",
                hint=f"start it: virsh start {guest.name}",
            )
        if now.actual_bytes is not None:
            on_actual(now.actual_bytes)
            if abs(now.actual_bytes - size_bytes) < NEAR_BYTES:
                return clock.monotonic() - started
        if now.actual_bytes != last.actual_bytes:
            moved_at = clock.monotonic()
        last = now
        if clock.monotonic() - started >= wait_seconds:
            stalled = clock.monotonic() - moved_at >= min(STALLED_SECONDS, wait_seconds / 2)
            message, hint = why_not(guest, last, size_bytes, stalled=stalled)
            raise NotReachedError(f"{message}, {format_duration(wait_seconds)} are over", hint=hint)
        await clock.sleep(LOOK_SECONDS)


def why_not(before: Guest, now: Guest, size_bytes: int, *, stalled: bool) -> tuple[str, str]:
    """Return what stopped a guest on its way to a size, how far it came, and what to do."""
    name, actual, start = now.name, now.actual_bytes, before.actual_bytes
    if actual is None or start is None:
        return f"guest {name!r} does not say its size", f"look into it: ballonet doctor {name}"
    way = f"from {format_size(start)} to {format_size(actual)}, not to {format_size(size_bytes)}"
    came = f"guest {name!r} came {way}"
    if now.state is State.PAUSED:
        resume = "at its monitor: cont" if sockets_of(now.hypervisor) else f"virsh resume {name}"
        return f"guest {name!r} is paused, it stays at {format_size(actual)}", resume
    if not stalled:
        return f"{came}: still moving", "wait longer, for example --wait 2m"
    age = now.stats_age_seconds
    if abs(actual - start) < NEAR_BYTES and (age is None or age > SILENT_SECONDS):
        return (
            f"guest {name!r} stays at {format_size(actual)}: its balloon driver is silent",
            "in the guest: modprobe virtio_balloon (Windows: install the virtio drivers)",
        )
    usable = now.statistics.usable_bytes
    if size_bytes < actual and usable is not None and usable < reserve_bytes(now.maximum_bytes or actual):
        roomy = min(start, actual + reserve_bytes(now.maximum_bytes or actual))
        return (
            f"{came}: it is out of memory ({format_size(usable)} usable)",
            f"give it some back: ballonet set {name} {exact_size(-(-roomy // MIB) * MIB)}",
        )
    return f"{came}: it stopped there", f"look into it: ballonet doctor {name}"
