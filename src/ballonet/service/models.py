"""Every answer and every request of the API: the one source of docs/openapi.json.

Sizes are integer bytes, durations float seconds, times RFC 3339 in UTC. `null` is "unknown", never 0.
Answers only ever gain fields; requests with a field that is not named here are refused.
"""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

MOST_BYTES = 2**63 - 1  # a signed 64-bit number, which libvirt and QEMU take
MOST_SECONDS = 2.0**31 - 1  # 68 years
LONGEST_WAIT_SECONDS = 600.0  # a request that waits keeps one of few connections busy


def _encodable(text: object) -> object:
    """Return text that can be sent: what was no Unicode in a guest's name is replaced."""
    return text.encode(errors="replace").decode() if isinstance(text, str) else text


def _harmless(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not contain control characters")
    return text


def said(message: str) -> str:
    """Return what pydantic says of a field, in our own words where they are ours."""
    return message.removeprefix("Value error, ")


Words = Annotated[str, BeforeValidator(_encodable)]
Reference = Annotated[
    str,
    Field(min_length=1, max_length=256, description="A guest's name or UUID."),
    AfterValidator(_harmless),
]
Reason = Annotated[str, Field(max_length=256), AfterValidator(_harmless)]
Size = Annotated[int, Field(gt=0, le=MOST_BYTES)]
Seconds = Annotated[float, Field(gt=0, le=MOST_SECONDS, allow_inf_nan=False)]
WaitSeconds = Annotated[float, Field(gt=0, le=LONGEST_WAIT_SECONDS, allow_inf_nan=False)]


class Answer(BaseModel):
    """What the service says."""

    model_config = ConfigDict(frozen=True)


class Asked(BaseModel):
    """What the service is asked: exactly these fields, of exactly these types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


# --- what is answered ------------------------------------------------------------------------------------


class Failure(Answer):
    """What went wrong, what to do about it, and the exit code of a command that fails so."""

    error: Words
    hint: Words
    exit_code: int


class Health(Answer):
    """Whether the process answers: it does."""

    healthy: bool = True


class Readiness(Answer):
    """Whether guests were looked at a moment ago, and if not, why."""

    ready: bool
    reason: Words | None


class Hold(Answer):
    """A guest, or everybody, that is left as it is until a time, or until somebody ends it."""

    id: str
    name: Words | None = Field(description="null: everybody")
    uuid: Words | None
    begun_at: datetime
    until: datetime | None = Field(description="null: until it is ended by hand")
    who: Words
    why: Words
    size_bytes: int | None = Field(description="what the guest was set to for that time")


class Holds(Answer):
    """Holds, oldest first."""

    holds: list[Hold]


class Lease(Answer):
    """Host memory that is kept free for a guest about to start."""

    id: str
    size_bytes: int
    begun_at: datetime
    until: datetime
    who: Words
    guest: Words | None = Field(description="whom it is for; null: whoever starts next")


class Room(Answer):
    """What is kept free, and how much more could be."""

    leases: list[Lease]
    leased_bytes: int
    most_bytes: int = Field(description="the largest room that could be made now")


class HostMemory(Answer):
    """The memory of the machine that the guests run on."""

    total_bytes: int
    available_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int
    pressure_some_ratio: float | None
    pressure_full_ratio: float | None


class LastTick(Answer):
    """When all guests were last looked at, and how long that and the decision took."""

    at: datetime
    age_seconds: float
    length_seconds: float


class GuestCounts(Answer):
    """How many guests there are, and what may be done with them."""

    total: int
    managed: int
    by_verdict: dict[str, int]


class HypervisorStatus(Answer):
    """What is done with the guests of one hypervisor, or of several that share a budget, at the last tick."""

    uri: str = Field(description="of the hypervisor; of several all, with blanks between")
    unanswered: list[str] = Field(
        default=[],
        description="the URIs of those of several that do not answer: their guests stay as they are",
    )
    state: str | None = Field(description="how short of memory the host is: plenty, comfort, tight, ...")
    sentence: str | None = Field(description="the same in words")
    budget_bytes: int = Field(description="what all guests together may hold")
    held_bytes: int | None = Field(description="what they hold")
    free_bytes: int | None = Field(description="what can be handed out at once, the pool included")
    pool_bytes: int | None = Field(description="what is held back for bursts")
    short_bytes: int | None = Field(description="what the budget lacks for need, cushions and cache")
    given_back_bytes: int | None = Field(description="maximum less actual of the managed guests")
    guests: GuestCounts
    last_tick: LastTick | None


class SettingsReload(Answer):
    """When settings were last read, and whether that went well; if not, the ones before are in force."""

    at: datetime
    succeeded: bool
    error: Words | None


class Status(Answer):
    """What the service is doing."""

    version: str
    started_at: datetime
    mode: str = Field(description='"enforce", or "observe": nothing is ever written')
    paused: Hold | None = Field(description="while everybody is held nothing is written either")
    host: HostMemory | None
    hypervisors: list[HypervisorStatus]
    holds: list[Hold]
    leases: list[Lease]
    leased_bytes: int
    settings: SettingsReload


class Verdict(Answer):
    """Whether a guest is managed, or why not."""

    code: str
    managed: bool
    reason: str
    remedy: Words | None


class Tiers(Answer):
    """Memory by what it is for; each tier is filled for all guests before the next."""

    need_bytes: int | None
    cushion_bytes: int | None
    cache_bytes: int | None
    surplus_bytes: int | None


class PlanRow(Answer):
    """One guest's part of a plan."""

    name: Words
    uuid: Words
    hypervisor: str | None = Field(default=None, description="the URI of the hypervisor that it is on")
    verdict: Verdict
    actual_bytes: int | None
    target_bytes: int | None = Field(description="its next size; null: it stays as it is")
    allotted_bytes: int | None = Field(description="what the tiers give it in the end")
    wanted: Tiers
    got: Tiers
    bound: str = Field(description="the rule that decided: grows, shrinks, bite, waits, host_short, ...")
    sentence: Words
    stats_age_seconds: float | None


class HypervisorPlan(Answer):
    """What the last tick decided for the guests of one hypervisor, or of several that share a budget."""

    uri: str = Field(description="of the hypervisor; of several all, with blanks between")
    at: datetime
    writes: bool = Field(description="whether it was carried out, or only observed")
    state: str
    budget_bytes: int
    pool_bytes: int
    free_bytes: int
    short_bytes: int
    guests: list[PlanRow]


class Plan(Answer):
    """The last decision, guest by guest."""

    hypervisors: list[HypervisorPlan]


class Inputs(Answer):
    """The facts that a decision about a guest was made from."""

    maximum_bytes: int | None
    actual_bytes: int | None
    floor_bytes: int | None
    ceiling_bytes: int | None
    weight: float
    usable_bytes: int | None
    unused_bytes: int | None
    available_bytes: int | None
    rss_bytes: int | None
    swap_in_bytes_total: int | None
    swap_out_bytes_total: int | None
    major_faults_total: int | None
    pressure_ratio: float | None
    stats_age_seconds: float | None = Field(description="age of all that the guest itself reports")
    stats_period_seconds: float | None


class Learned(Answer):
    """What was learned of a guest over time."""

    used_bytes: int | None = Field(description="what it used at its last statistics")
    cushion_bytes: int | None = Field(description="room for its growth until help comes")
    growth_bytes_per_second: float | None = Field(description="its fastest growth, fading")
    margin_bytes: int | None = Field(description="usable memory with which it lacked memory all the same")
    kept_bytes: int | None = Field(description="page cache that is known to be in use")
    swap_debt_bytes: int | None = Field(description="swapped out while it was cut, and not back yet")
    balloon_counts_as_used: bool = Field(description="its kernel's accounting, as it was seen")
    overhead_bytes: int | None = Field(description="its size less what its kernel manages")
    reads_per_second: float | None
    usual_reads_per_second: float | None
    lost_ratio: float | None = Field(description="share of its time lost to reads of dropped cache")
    distress: bool
    probed_again_at: datetime | None = Field(description="until then nothing is tried after a bite that hurt")


class Change(Answer):
    """A change of a guest's size, and what became of it."""

    at: datetime
    kind: str
    from_bytes: int | None
    to_bytes: int | None
    then_bytes: int | None = Field(description="what it had at its next change; of the last one: has now")
    sentence: Words
    written: bool = Field(description="false: only observed, nothing was sent")


class Why(Answer):
    """Why one guest has the size that it has."""

    name: Words
    uuid: Words
    hypervisor: str
    at: datetime
    verdict: Verdict
    sentence: Words
    bound: str
    told_bytes: int | None = Field(description="what it was told to have last")
    target_bytes: int | None
    allotted_bytes: int | None
    inputs: Inputs
    wanted: Tiers
    got: Tiers
    learned: Learned
    changes: list[Change] = Field(description="its last changes, oldest first")
    hold: Hold | None


class Event(Answer):
    """One thing that happened."""

    id: int
    at: datetime
    kind: str
    name: Words | None = Field(description="of the guest; null: it is about the whole")
    uuid: Words | None
    from_bytes: int | None
    to_bytes: int | None
    sentence: Words
    written: bool = Field(description="false: only observed, nothing was sent")
    reasons: dict[str, Any] | None = Field(description="the plan's, where it had any")


class Events(Answer):
    """Events, oldest first."""

    events: list[Event]


# --- what is asked ---------------------------------------------------------------------------------------


class PauseAsked(Asked):
    """Leave a guest, or everybody, as it is."""

    guest: Reference | None = Field(default=None, description="null: everybody")
    for_seconds: Seconds | None = Field(default=None, description="null: until resumed")
    why: Reason = ""


class ResumeAsked(Asked):
    """End what a guest, or everybody, is held for."""

    guest: Reference | None = Field(default=None, description="null: the hold of everybody")


class ReleaseAsked(Asked):
    """Give a guest, or all of them, all memory back that is free, and hold it so."""

    guest: Reference | None = None
    all: bool = False
    why: Reason = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.guest is not None) == self.all:
            raise ValueError("name one guest, or say all")
        return self


class SetAsked(Asked):
    """Have a guest resized, and held so."""

    guest: Reference
    size_bytes: Size
    for_seconds: Seconds | None = Field(default=None, description="null: until resumed")
    why: Reason = ""


class RoomAsked(Asked):
    """Free host memory for a guest to come, and keep it free."""

    size_bytes: Size
    timeout_seconds: WaitSeconds = 30.0
    hold_seconds: Seconds = 300.0
    guest: Reference | None = Field(default=None, description="its name; null: whoever starts next")
