"""One guest as its hypervisor shows it at one moment: the row that adapters build.

Sizes are whole bytes, times are seconds; `None` is "unknown", never 0 and never 2^64-1.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from ballonet.facts.agent import Channel, Heard
from ballonet.facts.statistics import Statistics


class State(StrEnum):
    """What a guest is doing, in libvirt's words."""

    RUNNING = "running"
    PAUSED = "paused"
    SUSPENDED = "suspended"  # by the guest's own power management
    SHUTTING_DOWN = "shutting down"
    SHUT_OFF = "shut off"
    CRASHED = "crashed"
    UNKNOWN = "unknown"


class Obstacle(StrEnum):
    """Why a guest's balloon is left alone whatever it reports.

    All but the last pin, or replace, the pages that a balloon gives back (QEMU's
    `ram_block_discard_is_disabled` and madvise's limits): the guest loses memory and the host gains none.
    """

    PASSTHROUGH = "passthrough"  # a host device by VFIO: all guest memory is pinned
    VHOST_VDPA = "vhost-vdpa"  # the same, for a network device
    HUGEPAGES = "hugepages"  # Linux gives back 4 KiB pages, of which no huge page is ever made up
    LOCKED = "locked"  # mlock: the kernel refuses to discard
    CONFIDENTIAL = "confidential"  # SEV, SEV-SNP, TDX, s390 PV: the host cannot take pages
    VIRTIO_MEM = "virtio-mem"  # resizes it, too: sizes count its memory, the balloon does not


@dataclass(frozen=True, slots=True)
class Device:
    """The balloon device that a guest was given."""

    model: str  # "virtio", "virtio-transitional", "virtio-non-transitional", "xen"
    autodeflate: bool  # the guest may take memory back rather than kill a process
    free_page_reporting: bool  # what the guest frees leaves the host's memory by itself
    period_seconds: int  # how often the guest is asked for statistics; 0: never
    driver: bool | None = None  # whether the guest's driver has it; None: nobody can tell


@dataclass(frozen=True, slots=True)
class Stored:
    """What a guest's stored configuration says for its next start."""

    maximum_bytes: int
    current_bytes: int
    period_seconds: int


@dataclass(frozen=True, slots=True)
class Guest:
    """One guest at one moment."""

    name: str
    uuid: str
    id: int | None  # of this run of the guest; None while shut off
    state: State
    read_at: float  # host epoch seconds at which the facts were asked for
    job: str | None = None  # "migration", "save", "snapshot", "busy", ...: somebody is at work on it
    maximum_bytes: int | None = None
    actual_bytes: int | None = None
    device: Device | None = None  # None: it has no balloon device
    obstacles: frozenset[Obstacle] = frozenset()
    metadata: str = ""  # as XML, what its definition says to us; empty: nothing
    file_backed: bool = False  # its memory is a file, on a disk or in a tmpfs
    system: str = ""  # what its definition says it runs, as "http://microsoft.com/win/11"; empty: nothing
    hypervisor: str = ""  # the URI, where several are looked at as one, and of a QEMU without libvirt
    stored: Stored | None = None  # None: not asked for, or the guest is transient
    statistics: Statistics = field(default_factory=Statistics)
    disk_reads_total: int | None = None  # requests, all disks, as the host sees them
    disk_read_seconds_total: float | None = None
    vcpus: int | None = None
    vcpu_seconds_total: float | None = None
    pressure_ratio: float | None = None  # PSI memory "some" in the guest, 0..1; only an agent in it can tell
    channel: Channel | None = None  # to an agent in it; None: it has none
    heard: Heard | None = None  # what that agent told last; None: it was not asked, or never answered

    @property
    def stats_age_seconds(self) -> float | None:
        """Age of the statistics when they were read; None where the guest never sent any.

        The hypervisor keeps whole seconds only, so the true age is up to a second less; below 0 means
        that the hypervisor's clock and ours differ.
        """
        if self.statistics.last_update is None:
            return None
        return self.read_at - self.statistics.last_update
