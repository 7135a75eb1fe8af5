"""What the service is doing: its health, its mode, the host, and what people asked for."""

from datetime import datetime

from pydantic import Field

from ballonet.service.models.base import Answer, Words


class Health(Answer):
    """Whether the process answers: it does."""

    healthy: bool = True


class Token(Answer):
    """Where this is served on TCP, and what lets a client change things there."""

    address: str
    token: str


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
    """The memory of the machine that the guests run on, and who has which part of it."""

    total_bytes: int
    available_bytes: int
    own_bytes: int | None = Field(description="in use, and not by guests")
    guests_bytes: int | None = Field(description="of the host's memory, in guests' processes")
    reserve_bytes: int = Field(description="never handed out; as far as it is there")
    leased_bytes: int = Field(description="kept free for guests to come; as far as it is there")
    headroom_bytes: int = Field(description="available beyond the reserve and what is kept free")
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
    in_force_since: datetime = Field(description="when the settings in force were read")


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
