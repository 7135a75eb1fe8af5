"""Guests for programs: the same fields in every command that prints guests."""

from typing import Any

from ballonet.engine.limits import LimitsOf, usual
from ballonet.engine.table import Judged, judge
from ballonet.facts.guest import Guest
from ballonet.show.document import document


def guest_list(guests: list[Guest], limits: LimitsOf = usual) -> str:
    """Return the document of several guests."""
    found = zip(guests, judge(guests, limits), strict=True)
    return document(guests=[guest_fields(guest, judged) for guest, judged in found])


def one_guest(guest: Guest, limits: LimitsOf = usual) -> str:
    """Return the document of one guest."""
    [judged] = judge([guest], limits)
    return document(guest=guest_fields(guest, judged))


def _agent(guest: Guest) -> dict[str, Any] | None:
    """Return the agent that a guest has a channel for, and what it told; None: it has no such channel."""
    heard = guest.heard
    if guest.channel is None and heard is None:
        return None
    return {
        "channel": guest.channel,
        "told_at": heard and heard.at,
        "pressure_avg10_ratio": heard and heard.recent_ratio,
        "waited_seconds_total": heard and heard.waited_seconds_total,
        "swap_total_bytes": heard and heard.swap_total_bytes,
        "swap_free_bytes": heard and heard.swap_free_bytes,
        "committed_bytes": heard and heard.committed_bytes,
    }


def guest_fields(guest: Guest, judged: Judged) -> dict[str, Any]:
    """Return the fields of a guest, the same wherever guests are printed."""
    statistics, device, verdict = guest.statistics, guest.device, judged.verdict
    return {
        "name": guest.name,
        "uuid": guest.uuid,
        "id": guest.id,
        "hypervisor": guest.hypervisor or None,
        "state": guest.state.value,
        "maximum_bytes": guest.maximum_bytes,
        "actual_bytes": guest.actual_bytes,
        "target_bytes": None,  # only who set it knows it: no hypervisor gives it back
        "floor_bytes": judged.floor_bytes,
        "ceiling_bytes": judged.ceiling_bytes,
        "usable_bytes": statistics.usable_bytes,
        "unused_bytes": statistics.unused_bytes,
        "available_bytes": statistics.available_bytes,
        "disk_caches_bytes": statistics.disk_caches_bytes,
        "rss_bytes": statistics.rss_bytes,
        "swap_in_bytes_total": statistics.swap_in_bytes_total,
        "swap_out_bytes_total": statistics.swap_out_bytes_total,
        "major_faults_total": statistics.major_faults_total,
        "minor_faults_total": statistics.minor_faults_total,
        "stats_age_seconds": guest.stats_age_seconds,
        "stats_period_seconds": None if device is None else device.period_seconds,
        "autodeflate": None if device is None else device.autodeflate,
        "free_page_reporting": None if device is None else device.free_page_reporting,
        "agent": _agent(guest),
        "verdict": {
            "managed": verdict.managed,
            "reason": verdict.reason,
            "remedy": verdict.remedy or None,
        },
    }
