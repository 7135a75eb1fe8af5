"""What keeps ballooning from working, or from paying: facts in, findings out, each with its remedy."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ballonet.errors import BallonetError
from ballonet.facts.guest import Guest
from ballonet.facts.verdict import CODES, VERDICTS, remedy_of
from ballonet.policy.findings import (
    GUESTS,
    HOST,
    UNANSWERED,
    UNREACHABLE,
    UNSEEN,
    WRITERS,
    Entry,
    Severity,
    Subject,
    Surroundings,
)
from ballonet.policy.means import LIMITED, MEANS, is_limited, means_values
from ballonet.policy.remedies import remedy as system_remedy
from ballonet.units import exact_size, format_duration, format_size

SUBJECT_HOST = "host"
_WORST_FIRST = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: what, why it matters, and what to do (empty: nothing needs to be done)."""

    severity: Severity
    code: str
    subject: str  # the guest's name, or "host"
    uuid: str  # the guest's; "" for the host
    what: str
    why: str
    remedy: str


def diagnose(guests: Sequence[Guest], around: Surroundings) -> list[Finding]:
    """Return all findings, the worst first, those on the host before those on guests."""
    findings = [_finding(UNREACHABLE, SUBJECT_HOST, "", _error_values(error)) for error in around.unreachable]
    values = _host_values(around)
    findings += [_finding(entry, SUBJECT_HOST, "", values) for entry in HOST if entry.applies(around)]
    values = means_values(around.means)
    findings += [_finding(entry, SUBJECT_HOST, "", values) for entry in MEANS if entry.applies(around.means)]
    for writer in around.writers:
        values = {"product": writer.product, "evidence": writer.evidence}
        findings += [_finding(entry, SUBJECT_HOST, "", values) for entry in WRITERS if entry.applies(writer)]
    for guest in guests:
        values = _guest_values(guest) | _error_values(around.unanswered.get(guest.uuid))
        values["limit"] = format_size(around.limits.get(guest.uuid, 0))
        findings += [
            _finding(entry, guest.name, guest.uuid, values, of=guest)
            for entry in _entries(guest, around)
            if entry.applies(guest)
        ]
    return sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.severity))


def _entries(guest: Guest, around: Surroundings) -> list[Entry[Guest]]:
    """Return the entries that a guest may come under."""
    beside = [UNSEEN] * (guest.uuid in around.unseen) + [UNANSWERED] * (guest.uuid in around.unanswered)
    beside += [LIMITED] * is_limited(guest, around.limits.get(guest.uuid))
    return [*beside, *GUESTS]


def _finding(
    entry: Entry[Subject], name: str, uuid: str, values: dict[str, str], *, of: Guest | None = None
) -> Finding:
    """Return an entry's finding; a verdict's code brings the words that the entry leaves out.

    Where it is `of` a guest, what helps is what helps its system, or its hypervisor.
    """
    verdict = VERDICTS[CODES[entry.code]] if entry.code in CODES else None
    what = entry.what or (verdict.reason if verdict else "")
    remedy = entry.remedy or (verdict.remedy if verdict else "")
    if of is not None:
        remedy = system_remedy(entry.code, of.system) or remedy_of(entry.code, remedy, of.hypervisor)
    texts = (text.format_map(values) for text in (what, entry.why, remedy))
    return Finding(entry.severity, entry.code, name, uuid, *texts)


def _host_values(around: Surroundings) -> dict[str, str]:
    """Return what a text on the host may name."""
    if around.host is None:
        return {}
    used = around.host.swap_total_bytes - around.host.swap_free_bytes
    return {"swap_used": format_size(used), "swap": format_size(around.host.swap_total_bytes)}


def _error_values(error: BallonetError | None) -> dict[str, str]:
    return {"error": error.message, "hint": error.hint} if error else {}


def _guest_values(guest: Guest) -> dict[str, str]:
    """Return what a text on a guest may name; its name as a shell takes it."""
    stored, device, statistics = guest.stored, guest.device, guest.statistics
    return {
        "name": shlex.quote(guest.name),
        "uuid": guest.uuid,
        "age": format_duration(max(0.0, guest.stats_age_seconds or 0.0)),
        "ahead": format_duration(max(0.0, -(guest.stats_age_seconds or 0.0))),
        "period": format_duration(device.period_seconds if device else 0),
        "usable": format_size(statistics.usable_bytes or 0),
        "unused": format_size(statistics.unused_bytes or 0),
        "maximum": format_size(guest.maximum_bytes or 0),
        "whole": format_size(statistics.available_bytes or guest.maximum_bytes or 0),
        "config": " --live --config" if stored else "",
        "stored": format_size(stored.current_bytes if stored else 0),
        "stored_maximum": format_size(stored.maximum_bytes if stored else 0),
        "exact_maximum": exact_size(stored.maximum_bytes if stored else 0),
    }
