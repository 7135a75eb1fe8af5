"""Every answer and every request of the API: the one source of docs/openapi.json.

Sizes are integer bytes, durations float seconds, times RFC 3339 in UTC. `null` is "unknown", never 0.
Answers only ever gain fields; requests with a field that is not named here are refused.
"""

from ballonet.service.models.asked import (
    PauseAsked,
    ReleaseAsked,
    ResumeAsked,
    RoomAsked,
    SetAsked,
)
from ballonet.service.models.base import (
    Answer,
    Asked,
    Failure,
    Reference,
    said,
)
from ballonet.service.models.events import (
    Event,
    Events,
)
from ballonet.service.models.history import GuestHistory, HostHistory, Sparkline, Sparklines
from ballonet.service.models.overview import GuestRow, GuestState, Overview
from ballonet.service.models.plan import (
    Change,
    HypervisorPlan,
    Inputs,
    Learned,
    Plan,
    PlanRow,
    Tiers,
    Verdict,
    Why,
)
from ballonet.service.models.report import GuestReport, LeftAlone, Report, Sizing, Totals
from ballonet.service.models.status import (
    GuestCounts,
    Health,
    Hold,
    Holds,
    HostMemory,
    HypervisorStatus,
    LastTick,
    Lease,
    Readiness,
    Room,
    SettingsReload,
    Status,
    Token,
)

__all__ = [
    "Answer",
    "Asked",
    "Change",
    "Event",
    "Events",
    "Failure",
    "GuestCounts",
    "GuestHistory",
    "GuestReport",
    "GuestRow",
    "GuestState",
    "Health",
    "Hold",
    "Holds",
    "HostHistory",
    "HostMemory",
    "HypervisorPlan",
    "HypervisorStatus",
    "Inputs",
    "LastTick",
    "Learned",
    "Lease",
    "LeftAlone",
    "Overview",
    "PauseAsked",
    "Plan",
    "PlanRow",
    "Readiness",
    "Reference",
    "ReleaseAsked",
    "Report",
    "ResumeAsked",
    "Room",
    "RoomAsked",
    "SetAsked",
    "SettingsReload",
    "Sizing",
    "Sparkline",
    "Sparklines",
    "Status",
    "Tiers",
    "Token",
    "Totals",
    "Verdict",
    "Why",
    "said",
]
