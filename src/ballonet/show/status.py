"""What the service does, on one screen."""

from ballonet.service.models import HypervisorStatus, Status
from ballonet.show.requests import hold_sentence, holds_table, leases_table
from ballonet.show.table import UNKNOWN, pairs, printable
from ballonet.show.words import age, moment, share, size
from ballonet.units import format_duration

_MODES = {"enforce": "enforce: guests are resized", "observe": "observe: nothing is ever written"}


def status_text(status: Status, columns: int | None = None) -> str:
    """Return it in paragraphs, those with sentences wrapped to so many columns."""
    parts = [pairs(_whole(status), columns)]
    parts += [_hypervisor(each, columns) for each in status.hypervisors]
    by_name = [hold for hold in status.holds if hold.uuid is not None]
    if by_name:
        parts.append(holds_table(by_name))
    if status.leases:
        parts.append(leases_table(status.leases))
    return "\n\n".join(parts)


def _whole(status: Status) -> list[tuple[str, str]]:
    rows = [
        ("ballonet", f"{status.version}, since {moment(status.started_at)}"),
        ("mode", _MODES.get(status.mode, status.mode)),
    ]
    if status.paused is not None:
        rows.append(("paused", f"nothing is written: {hold_sentence(status.paused)}"))
    host = status.host
    if host is not None:
        pressure = "" if host.pressure_some_ratio is None else f", pressure {share(host.pressure_some_ratio)}"
        rows.append(("host", f"{size(host.available_bytes)} of {size(host.total_bytes)} available{pressure}"))
    rows.append(("settings", _settings(status)))
    return rows


def _settings(status: Status) -> str:
    at = moment(status.settings.at)
    if status.settings.succeeded:
        return f"read {at}"
    return f"could not be read {at}, those before are in force: {status.settings.error}"


def _hypervisor(status: HypervisorStatus, columns: int | None) -> str:
    """Return what is done with the guests of one hypervisor."""
    title = f"{status.uri}: {status.sentence or 'no guest was looked at yet'}"
    short = f", {size(status.short_bytes)} too little for all needs" if status.short_bytes else ""
    rows = [
        ("budget", f"{size(status.budget_bytes)}{short}"),
        ("held", size(status.held_bytes)),
        ("free", f"{size(status.free_bytes)}, {size(status.pool_bytes)} of it for bursts"),
        ("given back", size(status.given_back_bytes)),
        ("guests", _guests(status)),
        ("last tick", _last_tick(status)),
    ]
    if status.unanswered:
        rows.append(("no answer", f"{', '.join(status.unanswered)}: their guests stay as they are"))
    return f"{printable(title)}\n{pairs(rows, columns)}"


def _guests(status: HypervisorStatus) -> str:
    """Return how many guests there are, and how many of each verdict."""
    counts = sorted(status.guests.by_verdict.items(), key=lambda each: -each[1])
    verdicts = ", ".join(f"{count} {code.replace('-', ' ')}" for code, count in counts)
    return f"{status.guests.total}: {verdicts}" if verdicts else "0"


def _last_tick(status: HypervisorStatus) -> str:
    last = status.last_tick
    if last is None:
        return UNKNOWN
    return f"{age(last.age_seconds)} ago, in {format_duration(last.length_seconds)}"
