"""How much could be taken from a guest, at what price, and whether it needs more: by hand, for people.

The reckoning is the source text's: what is unused costs nothing, what is usable on top costs cache, beyond
that the guest swaps. It differs from the source text in two points. A Linux guest cannot use its last
R = reserve_bytes(maximum), so R is never counted as free; and nothing is taken below the floor.
"""

from dataclasses import dataclass

from ballonet.facts.guest import Device, Guest, Obstacle, State
from ballonet.facts.verdict import CODES, VERDICTS
from ballonet.policy.floors import floor_bytes, reserve_bytes
from ballonet.policy.settings import Settings
from ballonet.policy.verdicts import SLACK
from ballonet.units import format_duration

_LAW = Settings(budget_bytes=0.0)

# A swap-in or major fault costs some 250 µs; 8 a second are 0.2 % of one processor's time, from where on the
# control law calls a guest harmed.
HARMFUL_PAGES_PER_SECOND = 8.0
_PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast a guest's counters rose between two readings."""

    seconds: float  # between the two samples, by the hypervisor's whole seconds
    swap_in_bytes: float | None = None  # a second, like those below
    swap_out_bytes: float | None = None
    major_faults: float | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an administrator allows a guest, in bytes; None: the usual."""

    floor_bytes: int | None = None
    ceiling_bytes: int | None = None
    excluded: bool = False


USUAL = Allowed()


@dataclass(frozen=True, slots=True)
class Advice:
    """What can be said of one guest's size. Sizes are bytes; `None` is "unknown", and `unknown` says why."""

    guest: Guest
    floor_bytes: int | None = None
    ceiling_bytes: int | None = None
    free_bytes: int | None = None  # can be taken now, at no cost
    cache_bytes: int | None = None  # on top: what it holds must be read again when it is needed
    swap_bytes: int | None = None  # beyond, down to the floor: the guest would swap
    more_bytes: int | None = None  # it should grow by so much; 0 with `lacks`: it is at its ceiling
    lacks: tuple[str, ...] = ()  # what says that it needs more
    rates: Rates | None = None  # None: one sample only, so nothing is known about swapping
    unknown: str = ""


def advise(guest: Guest, before: Guest | None = None, allowed: Allowed = USUAL) -> Advice:
    """Return the reckoning for a guest; with an earlier reading also whether it swaps now."""
    unknown = _reason("excluded") if allowed.excluded else _unknown(guest)
    maximum, actual = guest.maximum_bytes, guest.actual_bytes
    unused, usable = guest.statistics.unused_bytes, guest.statistics.usable_bytes
    if unknown or maximum is None or actual is None or unused is None or usable is None:
        return Advice(guest, unknown=unknown)
    ceiling = maximum if allowed.ceiling_bytes is None else allowed.ceiling_bytes
    floor = floor_bytes(maximum) if allowed.floor_bytes is None else allowed.floor_bytes
    reserve = reserve_bytes(maximum)
    room = max(0, actual - floor)
    without_swapping = _clip(usable - reserve, room)
    free = _clip(unused - reserve, without_swapping)
    rates = rates_between(before, guest) if before else None
    lacks = _lacks(guest, reserve, rates)
    return Advice(
        guest,
        floor_bytes=floor,
        ceiling_bytes=ceiling,
        # A guest that needs more has nothing to give, whatever it seems to have: what was swapped out
        # raises `usable`.
        free_bytes=0 if lacks else free,
        cache_bytes=0 if lacks else without_swapping - free,
        swap_bytes=room if lacks else room - without_swapping,
        more_bytes=_more(guest, maximum, ceiling, reserve - usable) if lacks else 0 if rates else None,
        lacks=lacks,
        rates=rates,
    )


def rates_between(before: Guest, after: Guest) -> Rates | None:
    """Return how fast counters rose; None without a newer sample, or when the guest restarted between."""
    old, new = before.statistics, after.statistics
    same = before.uuid == after.uuid and before.id == after.id
    if not same or old.last_update is None or new.last_update is None or new.last_update <= old.last_update:
        return None
    seconds = new.last_update - old.last_update
    rises = [
        _rise(first, last)
        for first, last in (
            (old.swap_in_bytes_total, new.swap_in_bytes_total),
            (old.swap_out_bytes_total, new.swap_out_bytes_total),
            (old.major_faults_total, new.major_faults_total),
        )
    ]
    if any(rise is not None and rise < 0 for rise in rises):
        return None  # counters begin again at a reboot
    swap_in, swap_out, faults = (None if rise is None else rise / seconds for rise in rises)
    return Rates(seconds, swap_in, swap_out, faults)


def freshness_seconds(device: Device) -> float:
    """Return how old a guest's statistics may be before they say nothing about now."""
    return max(_LAW.fresh_periods * device.period_seconds, _LAW.fresh_seconds)


def is_absurd(guest: Guest) -> bool:
    """Return whether a guest's sample contradicts itself: it reports more than there is of it."""
    statistics = guest.statistics
    limits = [size for size in (statistics.available_bytes, guest.maximum_bytes) if size is not None]
    parts = (statistics.usable_bytes, statistics.unused_bytes)
    return bool(limits) and any(part is not None and part > SLACK * min(limits) for part in parts)


def _unknown(guest: Guest) -> str:
    """Return why nothing can be said about a guest's size; "" where something can."""
    if guest.state is not State.RUNNING:
        return f"it is {guest.state}"
    if guest.device is None:
        return _reason("no-device")
    for obstacle in Obstacle:
        if obstacle in guest.obstacles:
            nothing = (
                "" if obstacle is Obstacle.VIRTIO_MEM else ": taking from it would free nothing on the host"
            )
            return _reason(obstacle) + nothing
    if guest.job is not None:
        return _reason("busy")
    if guest.maximum_bytes is None or guest.actual_bytes is None:
        return _reason("unknown-size")
    return _unreported(guest, guest.device)


def _unreported(guest: Guest, device: Device) -> str:
    """Return what is wrong with a guest's statistics; "" where nothing is."""
    age = guest.stats_age_seconds
    if device.period_seconds == 0:
        return _reason("no-period")
    if age is None:
        return _reason("silent")
    if guest.statistics.usable_bytes is None or guest.statistics.unused_bytes is None:
        return _reason("no-usable")
    if age > freshness_seconds(device):
        return f"its statistics are {format_duration(age)} old"
    if age < -1.0:  # a second is rounding
        return "its statistics are from the future: the clocks of hypervisor and host differ"
    return _reason("absurd") if is_absurd(guest) else ""


def _lacks(guest: Guest, reserve: int, rates: Rates | None) -> tuple[str, ...]:
    """Return the codes of what shows that a guest needs more memory.

    Swap-ins and major faults count only while it is short of free memory: otherwise it is healing, or
    starting programs.
    """
    statistics = guest.statistics
    lacks = ["exhausted"] if (statistics.usable_bytes or 0) < reserve else []
    if rates is None:
        return tuple(lacks)
    short = (statistics.unused_bytes or 0) < _LAW.swapping_free_reserves * reserve
    pages = HARMFUL_PAGES_PER_SECOND * _PAGE_BYTES
    if short and ((rates.swap_out_bytes or 0.0) >= pages or (rates.swap_in_bytes or 0.0) >= pages):
        lacks.append("swapping")
    if short and (rates.major_faults or 0.0) >= HARMFUL_PAGES_PER_SECOND:
        lacks.append("faulting")
    return tuple(lacks)


def _more(guest: Guest, maximum: int, ceiling: int, missing: int) -> int:
    """Return by how much a guest in want should grow: what it misses, a share of its maximum at least."""
    wanted = max(missing, int(_LAW.relief_share * maximum))
    return _clip(wanted, ceiling - (guest.actual_bytes or 0))


def _reason(code: str) -> str:
    return VERDICTS[CODES[code]].reason


def _rise(first: int | None, last: int | None) -> int | None:
    return None if first is None or last is None else last - first


def _clip(size: int, ceiling: int) -> int:
    """Return the size, from 0 to a ceiling that may be below 0."""
    return max(0, min(size, ceiling))
