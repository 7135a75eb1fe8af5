"""What the engine asks of the world outside; adapters implement these and know nothing above them."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from ballonet.errors import BallonetError, MovedError
from ballonet.facts.act import Act, Outcome
from ballonet.facts.agent import Heard
from ballonet.facts.columns import Columns
from ballonet.facts.guest import Guest
from ballonet.facts.host import HostMemory
from ballonet.facts.request import Hold, Lease
from ballonet.facts.snapshot import Floats
from ballonet.units import format_size

STEP_BYTES = 2 << 20  # a balloon is where it was told to be when it is this near: it moves 1 MiB at a time


class EventKind(StrEnum):
    """What a hypervisor reports by itself."""

    STARTED = "started"
    STOPPED = "stopped"
    REBOOTED = "rebooted"  # the guest owns all its memory until its driver is back
    PAUSED = "paused"
    RESUMED = "resumed"
    BALLOON = "balloon"  # actual changed
    CHANGED = "changed"  # defined, undefined, migrated, ...: look again
    LOST = "lost"  # the connection broke: some events were missed
    RECONNECTED = "reconnected"
    TWIN = "twin"  # another hypervisor has a guest of the same UUID: one of them is left alone


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a guest, or (without a name) to the connection itself."""

    kind: EventKind
    uuid: str = ""
    name: str = ""
    actual_bytes: int | None = None  # of BALLOON
    text: str = ""  # of LOST, RECONNECTED and TWIN: what is to be told


@dataclass(frozen=True, slots=True)
class HypervisorFacts:
    """What a connection is, for `doctor`."""

    uri: str
    read_only: bool
    local: bool  # its guests run on this host: their processes can be read


def check_size(name: str, actual_bytes: int | None, from_bytes: int) -> None:
    """Raise `MovedError` where a guest's size is no longer what a change was decided from."""
    if actual_bytes is not None and abs(actual_bytes - from_bytes) > STEP_BYTES:
        now, before = format_size(actual_bytes), format_size(from_bytes)
        raise MovedError(f"resizing {name}: something else made it {now}, from {before}, a moment ago")


class Hypervisor(Protocol):
    """Guests, read in bulk and resized one by one.

    Every call has a deadline and raises `HypervisorError` (`DeadlineError` when it is over),
    `NoSuchGuestError`, `RefusedError` or `NotPermittedError`.
    """

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return all running guests, sorted by name, and those shut off too if `inactive`, from bulk calls.

        A guest that does not answer costs its own facts, which are then unknown or old, not the others'.
        """

    async def guest(self, reference: str) -> Guest:
        """Return one guest by name, UUID or id, with its exact `actual` and its stored configuration."""

    async def resize(
        self,
        uuid: str,
        size_bytes: int,
        *,
        live: bool = True,
        config: bool = False,
        from_bytes: int | None = None,
    ) -> None:
        """Ask the guest to get to `size_bytes` now (`live`), and/or store it for its next start (`config`).

        Success means that the wish was accepted, not that the guest moved: only `actual` shows that. Raises
        `MovedError` where the guest's size is no longer `from_bytes`, if that is given: what was read may be
        older than a change by another hand. A balloon is there when it is within STEP_BYTES.
        """

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Store the boot-time maximum; a running guest keeps its own until it is started again."""

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Set how often the guest is asked for its statistics; 0 stops asking."""

    async def refresh(self, uuid: str) -> None:
        """Ask the guest for its statistics now, beside its period; they show some 20 to 60 ms later."""

    def events(self) -> AsyncIterator[Event]:
        """Yield what happens, from now on, until the connection is closed."""

    async def facts(self) -> HypervisorFacts:
        """Return what this connection is."""

    async def close(self) -> None:
        """End the connection; guests keep running."""


@runtime_checkable
class BulkHypervisor(Hypervisor, Protocol):
    """A hypervisor that has its guests side by side already, and takes many sizes in one call."""

    async def columns(self) -> Columns:
        """Return what `guests` would, as columns, in the same order; sizes are those of this moment."""

    async def resize_many(self, sizes: Mapping[str, int]) -> Mapping[str, BallonetError]:
        """Ask guests to get to these bytes now, by UUID; return what failed, and why."""


@runtime_checkable
class CountsTimeouts(Protocol):
    """A hypervisor that counts the calls to it that got no answer in time."""

    @property
    def timeouts(self) -> Mapping[str, int]:
        """Return how many there were, by what they were to do: one of few words."""


Wanted: TypeAlias = Callable[[Guest], bool]
"""Says of a guest whether its agent may be asked."""


def nobody(_: Guest) -> bool:
    """Return False: no agent is asked unless somebody wants it."""
    return False


@runtime_checkable
class ListensToAgents(Protocol):
    """A hypervisor that reaches the agents in its guests."""

    def listen(self, to: Wanted) -> None:
        """From now on ask the agents of these guests beside all looks, which show what they told last."""

    async def hear(self, uuid: str) -> Heard:
        """Return what the agent in a guest tells now; raises `HypervisorError` where it tells nothing."""


@runtime_checkable
class KnowsProcesses(Protocol):
    """A hypervisor that knows which processes of this host run its guests."""

    @property
    def processes(self) -> Mapping[str, int]:
        """Return their ids by UUID, of those that it knows."""


@runtime_checkable
class HasTroubles(Protocol):
    """A hypervisor that reaches its guests one by one, and so may fail to reach single ones."""

    @property
    def troubles(self) -> Sequence[BallonetError]:
        """Return why some guests could not be asked at the last look, each with what to do."""


class Host(Protocol):
    """The machine that the guests run on."""

    def memory(self) -> HostMemory:
        """Return the host's memory now."""


class Residents(Protocol):
    """Resident memory of the guests' processes: the only sight of a burst within a tenth of a second."""

    def follow(self, uuids: Iterable[str]) -> None:
        """Follow exactly these guests from now on; those whose process cannot be found are left out."""

    def read(self) -> Mapping[str, int]:
        """Return resident bytes by UUID, one read a guest (at most 10 µs each)."""

    def started_at(self, uuid: str) -> float | None:
        """Return the epoch seconds at which a followed guest's process started; None: unknown."""


@runtime_checkable
class ForeseenResidents(Residents, Protocol):
    """Residents of a simulated world: side by side, and known ahead."""

    def column(self) -> Floats:
        """Return resident bytes, one row a guest in the order in which they are followed."""

    def started(self) -> Floats:
        """Return the epoch seconds of `started_at` likewise, NaN for unknown."""

    def rise(self) -> Floats:
        """Return bytes/s by which each guest grows for the next `even_seconds`; infinite: not known."""

    def even_seconds(self) -> float:
        """Return for how long guests go on as they do."""


class Clock(Protocol):
    """Time, so that it can be simulated."""

    def time(self) -> float:
        """Return host epoch seconds, comparable with the hypervisor's time stamps."""

    def monotonic(self) -> float:
        """Return seconds that never jump: all decisions are made on these."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Journal(Protocol):
    """What must outlive this process. Each call is durable when it returns, or raises `JournalError`."""

    def before(self, acts: Sequence[Act]) -> None:
        """Write down changes that are about to be sent; nothing that is not written down is sent."""

    def settle(
        self, uuid: str, at: float, outcome: Outcome, actual_bytes: float | None = None, text: str = ""
    ) -> None:
        """Note what became of a guest's last change, in epoch seconds; this may wait, and never fails."""

    def keep(self, request: Hold | Lease) -> None:
        """Write down what somebody asked for."""

    def drop(self, request_id: str) -> None:
        """Forget what somebody asked for; what is not known is no error."""
