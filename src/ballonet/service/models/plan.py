"""The last decision, and why one guest has the size that it has."""

from datetime import datetime

from pydantic import Field

from ballonet.service.models.base import Answer, Words
from ballonet.service.models.status import Hold


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
    pressure_ratio: float | None = Field(description="share of time in which something waited for memory")
    agent_age_seconds: float | None = Field(
        default=None, description="age of what the guest's agent told: pressure, swap, what is committed"
    )
    swapped_bytes: int | None = None
    swap_left_bytes: int | None = None
    committed_bytes: int | None = None
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
