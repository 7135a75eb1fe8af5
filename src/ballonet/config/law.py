"""From settings to the numbers of the control law that an administrator sets."""

from ballonet.config.load import Loaded
from ballonet.config.values import budget_bytes
from ballonet.errors import Issue, SettingsError, UsageError
from ballonet.facts.host import HostMemory
from ballonet.policy.settings import Settings
from ballonet.units import format_size


def law(loaded: Loaded, host: HostMemory | None) -> Settings:
    """Return the law's settings on a host; None: its memory is unknown, the guests run elsewhere.

    Raises SettingsError, with the place of the setting, for what this host does not have.
    """
    ours = loaded.settings.host
    if host is not None and ours.reserve >= host.total_bytes:
        has = format_size(host.total_bytes)
        message = f"the reserve {format_size(ours.reserve)} is all that the host has ({has}), or more"
        raise _issue(loaded, "reserve", message, "leave room for guests: 1GiB is usual")
    try:
        budget = budget_bytes(ours.budget, host, ours.reserve)
    except UsageError as error:
        raise _issue(loaded, "budget", error.message, error.hint) from error
    return Settings(
        budget_bytes=budget,
        reserve_bytes=float(ours.reserve),
        interval_seconds=float(loaded.settings.service.interval),
        give_surplus=ours.surplus == "give",
        allow_swap=ours.allow_swap,
    )


def _issue(loaded: Loaded, key: str, message: str, hint: str) -> SettingsError:
    origin = loaded.origin("host", key)
    return SettingsError([Issue(message, hint, file=origin.file, line=origin.line, key=f"host.{key}")])
