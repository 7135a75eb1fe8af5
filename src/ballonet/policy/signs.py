"""What may be seen of a guest when something is wrong with it, or could be better: tests, one a sign."""

from collections.abc import Callable

from ballonet.facts.guest import Guest, Obstacle, State
from ballonet.policy.advise import freshness_seconds, is_absurd
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.remedies import may_be_linux
from ballonet.policy.settings import Settings

_BLIND_SECONDS = Settings(budget_bytes=0.0).blind_seconds


def _runs(guest: Guest) -> bool:
    return guest.state is State.RUNNING


def is_asked(guest: Guest) -> bool:
    """Return whether a guest runs and is asked for statistics; while a job holds it nobody hears them."""
    asked = guest.device is not None and guest.device.period_seconds > 0
    return _runs(guest) and guest.job is None and asked


def lacks_driver(guest: Guest) -> bool:
    """Return whether a guest runs without a driver for its balloon device, where that can be told."""
    return _runs(guest) and guest.job is None and guest.device is not None and guest.device.driver is False


def is_unasked(guest: Guest) -> bool:
    """Return whether a guest runs and is not asked for statistics."""
    return _runs(guest) and guest.device is not None and guest.device.period_seconds == 0


def fell_silent(guest: Guest) -> bool:
    """Return whether a guest once sent what a decision needs, and does no longer."""
    return _is_old(guest) and not _lacks_sizes(guest)


def _is_old(guest: Guest) -> bool:
    """Return whether a guest that is asked sent its last statistics too long ago."""
    age, device = guest.stats_age_seconds, guest.device
    if not is_asked(guest) or age is None or device is None:
        return False
    return age > max(_BLIND_SECONDS, freshness_seconds(device))


def is_ahead(guest: Guest) -> bool:
    """Return whether statistics come from the future: a second is rounding."""
    return is_asked(guest) and (guest.stats_age_seconds or 0.0) < -1.0


def lacks_what_is_needed(guest: Guest) -> bool:
    """Return whether a guest sends statistics without what a decision needs."""
    return is_asked(guest) and guest.statistics.last_update is not None and _lacks_sizes(guest)


def _lacks_sizes(guest: Guest) -> bool:
    """Return whether a guest's statistics leave out what can be taken from it."""
    return guest.statistics.usable_bytes is None or guest.statistics.unused_bytes is None


def is_impossible(guest: Guest) -> bool:
    """Return whether a guest reports what cannot be."""
    return is_asked(guest) and not _is_old(guest) and is_absurd(guest)


def lacks_swap(guest: Guest) -> bool:
    """Return whether a guest is out of memory and never swapped: it has no swap space, or it just ran out."""
    statistics, maximum = guest.statistics, guest.maximum_bytes
    if maximum is None or statistics.usable_bytes is None or not is_asked(guest) or fell_silent(guest):
        return False
    exhausted = statistics.usable_bytes < reserve_bytes(maximum)
    rescued = guest.device is not None and guest.device.autodeflate
    return exhausted and statistics.swap_out_bytes_total == 0 and not rescued


def forgets_period(guest: Guest) -> bool:
    """Return whether a guest will not be asked after its next start, though it is now, or is shut off."""
    stored = guest.stored is not None and guest.stored.period_seconds == 0
    return stored and guest.device is not None and not is_unasked(guest)


def starts_smaller(guest: Guest) -> bool:
    """Return whether a guest's next start is with less than its maximum."""
    return guest.stored is not None and guest.stored.current_bytes < guest.stored.maximum_bytes


def has_feature(name: str, *, on: bool) -> Callable[[Guest], bool]:
    """Return the test whether a feature of the balloon device is on, or off, where it can be used."""
    return lambda guest: (
        guest.device is not None
        and not guest.obstacles
        and bool(getattr(guest.device, name)) is on
        and may_be_linux(guest.system)
    )


def has_obstacle(obstacle: Obstacle) -> Callable[[Guest], bool]:
    """Return the test whether a guest has this obstacle."""
    return lambda guest: obstacle in guest.obstacles
