"""The host at one moment: its memory, and who else sees to it. Sizes are whole bytes; `None` is "unknown"."""

from dataclasses import dataclass
from enum import IntEnum


class HostState(IntEnum):
    """How short of memory the host is, by the share that can still be handed out."""

    PLENTY = 0  # what nobody needs may go to guests
    COMFORT = 1  # nothing is given beyond needs; unused memory comes back
    TIGHT = 2  # cache is probed: a little from many
    HARD = 3  # guests are brought to what the tiers give, in larger bites
    EMERGENCY = 4  # cushions are called in

    @property
    def sentence(self) -> str:
        """Return it in words, with what differs."""
        return _SENTENCES[self]


_SENTENCES = {
    HostState.PLENTY: "the host has plenty of memory",
    HostState.COMFORT: "the host has enough memory: none is given beyond caches",
    HostState.TIGHT: "the host is tight: cache is tried for, a little from many",
    HostState.HARD: "the host is hard up: cache is tried for in larger bites",
    HostState.EMERGENCY: "the host is out of memory: cushions are called in",
}


@dataclass(frozen=True, slots=True)
class HostMemory:
    """What the host has and how it fares; a kernel without PSI, or a host without ZFS, leaves gaps."""

    total_bytes: int  # /proc/meminfo MemTotal
    available_bytes: int  # MemAvailable: what can be had without swapping
    swap_total_bytes: int
    swap_free_bytes: int
    swapped_out_bytes_total: int | None  # /proc/vmstat pswpout, and what zswap took instead; since boot
    pressure_some_ratio: float | None  # PSI memory "some avg10", 0..1
    pressure_full_ratio: float | None  # PSI memory "full avg10", 0..1
    arc_shrinkable_bytes: int  # ZFS: ARC size above its minimum; 0 without ZFS
    merged_bytes: int = 0  # KSM: what programs would take more if they shared no pages; 0 without KSM


@dataclass(frozen=True, slots=True)
class HugePool:
    """Host memory that is set aside as huge pages of one size."""

    page_bytes: int
    pages: int
    idle_pages: int  # nobody has them, nor was promised them

    @property
    def idle_bytes(self) -> int:
        """Return what of it serves nobody."""
        return self.idle_pages * self.page_bytes


@dataclass(frozen=True, slots=True)
class HostMeans:
    """What the host does about memory beside ballooning; 0 where it does nothing."""

    merged_bytes: int = 0  # KSM, as in `HostMemory`
    compressed_bytes: int = 0  # zswap: what was swapped out into memory
    compressed_pool_bytes: int = 0  # what that takes there
    huge_pools: tuple[HugePool, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherWriter:
    """Another program on the host that resizes guests, or does so where its own settings say it."""

    product: str  # "oVirt MOM", "Proxmox VE", "ballonet"
    running: bool  # False: only installed
    evidence: str  # what gave it away
