"""The statistics of a guest's memory, and what every layer calls them.

A value travels from the guest's kernel through its balloon driver (Linux), the device (VirtIO), the
process that runs the guest (QEMU) and libvirt to `virsh dommemstat`, and gets another name at each step.
`STATISTICS` is the one place where these names stand: adapters translate by it, `ballonet names` prints it.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Statistics:
    """One sample of what a guest's balloon driver, and its process on the host, report.

    Whole bytes, counts and epoch seconds; `None` is "unknown". Counters count since the guest's boot.
    `actual` is not among them: it is the device's, not the driver's, and stands on the guest itself.
    """

    unused_bytes: int | None = None
    usable_bytes: int | None = None
    available_bytes: int | None = None
    disk_caches_bytes: int | None = None
    rss_bytes: int | None = None
    swap_in_bytes_total: int | None = None
    swap_out_bytes_total: int | None = None
    major_faults_total: int | None = None
    minor_faults_total: int | None = None
    hugetlb_allocations_total: int | None = None
    hugetlb_failures_total: int | None = None
    oom_kills_total: int | None = None
    alloc_stalls_total: int | None = None
    async_scans_bytes_total: int | None = None
    direct_scans_bytes_total: int | None = None
    async_reclaims_bytes_total: int | None = None
    direct_reclaims_bytes_total: int | None = None
    last_update: float | None = None  # epoch seconds; None: the guest never sent any


@dataclass(frozen=True, slots=True)
class Statistic:
    """One statistic: its name in each layer (`None`: that layer does not have it) and what it says."""

    key: str  # the field of Statistics; "actual_bytes" is the guest's own
    unit: Literal["bytes", "count", "seconds"]  # inside ballonet
    kind: Literal["gauge", "counter"]
    meaning: str
    linux: str | None = None  # the file under /proc that shows the same value, and its line there
    virtio: str | None = None  # the constant of the specification and of Linux' header
    tag: int | None = None  # its number on the statistics queue
    qemu: str | None = None  # in the device's property `guest-stats`
    libvirt: str | None = None  # the constant of virDomainMemoryStats
    domstats: str | None = None  # of `virsh domstats --balloon`, after "balloon."
    memstat: str | None = None  # of `virsh dommemstat`
    since_linux: str | None = None  # the first version that has it
    since_qemu: str | None = None
    since_libvirt: str | None = None
    traps: str = ""


# Since when libvirt has each: "Since:" in libvirt-domain.h. Tags 10 to 15 are in Linux' header only, not in
# the text of VirtIO 1.4, and libvirt exposes 13 values up to 12.8.
STATISTICS = (
    Statistic(
        key="actual_bytes",
        unit="bytes",
        kind="gauge",
        meaning="What the guest has now: its maximum less what is in the balloon.",
        qemu="actual",
        libvirt="VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON",
        domstats="current",
        memstat="actual",
        since_libvirt="0.9.3",
        traps="The device's value, not the guest's: without a driver it stays at the maximum whatever the "
        "guest is told. QEMU: the answer of query-balloon. domstats shows a copy up to 1 s old, virtio-mem "
        "added. Nobody can read the target back.",
    ),
    Statistic(
        key="unused_bytes",
        unit="bytes",
        kind="gauge",
        meaning="Free memory that holds nothing, not even cache: taking it costs the guest no work.",
        linux="/proc/meminfo:MemFree",
        virtio="VIRTIO_BALLOON_S_MEMFREE",
        tag=4,
        qemu="stat-free-memory",
        libvirt="VIR_DOMAIN_MEMORY_STAT_UNUSED",
        domstats="unused",
        memstat="unused",
        since_linux="2.6.34",
        since_qemu="1.5",
        since_libvirt="0.7.5",
        traps="Linux keeps some of it whatever happens (its watermarks): it never reaches 0. "
        "Windows: free and standby memory together.",
    ),
    Statistic(
        key="usable_bytes",
        unit="bytes",
        kind="gauge",
        meaning="What programs can still get without swapping: unused, and what the kernel can drop at once.",
        linux="/proc/meminfo:MemAvailable",
        virtio="VIRTIO_BALLOON_S_AVAIL",
        tag=6,
        qemu="stat-available-memory",
        libvirt="VIR_DOMAIN_MEMORY_STAT_USABLE",
        domstats="usable",
        memstat="usable",
        since_linux="4.6",
        since_qemu="2.6",
        since_libvirt="2.1.0",
        traps='QEMU and Linux call this one "available", libvirt another one. Cache that is dropped must be '
        "read again: taking it has a price. Not reported by BSD, nor by Windows without its service.",
    ),
    Statistic(
        key="available_bytes",
        unit="bytes",
        kind="gauge",
        meaning="All memory that the guest's kernel manages: actual, less what kernel and firmware keep.",
        linux="/proc/meminfo:MemTotal",
        virtio="VIRTIO_BALLOON_S_MEMTOT",
        tag=5,
        qemu="stat-total-memory",
        libvirt="VIR_DOMAIN_MEMORY_STAT_AVAILABLE",
        domstats="available",
        memstat="available",
        since_linux="2.6.34",
        since_qemu="1.5",
        since_libvirt="0.7.5",
        traps="Linux' MemTotal, not its MemAvailable. Shrinks with the balloon, but stays as it is with "
        "autodeflate on and on Windows: available - usable then counts the balloon as used.",
    ),
    Statistic(
        key="disk_caches_bytes",
        unit="bytes",
        kind="gauge",
        meaning="The guest's page cache.",
        linux="/proc/vmstat:nr_file_pages",
        virtio="VIRTIO_BALLOON_S_CACHES",
        tag=7,
        qemu="stat-disk-caches",
        libvirt="VIR_DOMAIN_MEMORY_STAT_DISK_CACHES",
        domstats="disk_caches",
        memstat="disk_caches",
        since_linux="4.16",
        since_qemu="2.12",
        since_libvirt="4.6.0",
        traps="Holds tmpfs, shared memory and the swap cache too, which cannot be dropped: a tmpfs file of "
        "200 MiB raises it by 200 MiB. Judge by usable. In /proc/meminfo: Cached + SwapCached + Buffers.",
    ),
    Statistic(
        key="rss_bytes",
        unit="bytes",
        kind="gauge",
        meaning="Resident memory of the guest's process on the host: what the guest costs there.",
        linux="/proc/PID/status:VmRSS",
        libvirt="VIR_DOMAIN_MEMORY_STAT_RSS",
        domstats="rss",
        memstat="rss",
        since_libvirt="0.9.10",
        traps="The host's /proc, not the guest's. Pages that the guest never touched are not in it: taking "
        "those frees nothing. Holds QEMU's own memory; leaves out huge pages and what the host swapped out.",
    ),
    Statistic(
        key="swap_in_bytes_total",
        unit="bytes",
        kind="counter",
        meaning="What the guest read back from its swap space.",
        linux="/proc/vmstat:pswpin",
        virtio="VIRTIO_BALLOON_S_SWAP_IN",
        tag=0,
        qemu="stat-swap-in",
        libvirt="VIR_DOMAIN_MEMORY_STAT_SWAP_IN",
        domstats="swap_in",
        memstat="swap_in",
        since_linux="2.6.34",
        since_qemu="1.5",
        since_libvirt="0.7.5",
        traps="Linux counts pages, VirtIO and QEMU bytes, libvirt KiB. Goes on for a while after memory came "
        "back: healing, not harm. Windows: includes paging of mapped files.",
    ),
    Statistic(
        key="swap_out_bytes_total",
        unit="bytes",
        kind="counter",
        meaning="What the guest wrote to its swap space: a rise says that it has too little memory.",
        linux="/proc/vmstat:pswpout",
        virtio="VIRTIO_BALLOON_S_SWAP_OUT",
        tag=1,
        qemu="stat-swap-out",
        libvirt="VIR_DOMAIN_MEMORY_STAT_SWAP_OUT",
        domstats="swap_out",
        memstat="swap_out",
        since_linux="2.6.34",
        since_qemu="1.5",
        since_libvirt="0.7.5",
        traps="Stays at 0 in a guest without swap space: that one kills processes. Units as for swap_in.",
    ),
    Statistic(
        key="major_faults_total",
        unit="count",
        kind="counter",
        meaning="Page faults that had to read from disk: swap, programs and mapped files.",
        linux="/proc/vmstat:pgmajfault",
        virtio="VIRTIO_BALLOON_S_MAJFLT",
        tag=2,
        qemu="stat-major-faults",
        libvirt="VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT",
        domstats="major_fault",
        memstat="major_fault",
        since_linux="2.6.34",
        since_qemu="1.5",
        since_libvirt="0.7.5",
        traps="Rises when programs start, too: that alone is no lack of memory.",
    ),
    Statistic(
        key="minor_faults_total",
        unit="count",
        kind="counter",
        meaning="Page faults of all kinds, most of which need no disk: first touches and copies on write.",
        linux="/proc/vmstat:pgfault",
        virtio="VIRTIO_BALLOON_S_MINFLT",
        tag=3,
        qemu="stat-minor-faults",
        libvirt="VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT",
        domstats="minor_fault",
        memstat="minor_fault",
        since_linux="2.6.34",
        since_qemu="1.5",
        since_libvirt="0.7.5",
        traps="Linux sends all faults under this name, the major ones included.",
    ),
    Statistic(
        key="hugetlb_allocations_total",
        unit="count",
        kind="counter",
        meaning="Huge pages that the guest's kernel reserved for its hugetlb pool.",
        linux="/proc/vmstat:htlb_buddy_alloc_success",
        virtio="VIRTIO_BALLOON_S_HTLB_PGALLOC",
        tag=8,
        qemu="stat-htlb-pgalloc",
        libvirt="VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC",
        domstats="hugetlb_pgalloc",
        memstat="hugetlb_pgalloc",
        since_linux="4.17",
        since_qemu="3.0",
        since_libvirt="5.4.0",
        traps="The guest's own huge pages, not those of the host that may back the guest.",
    ),
    Statistic(
        key="hugetlb_failures_total",
        unit="count",
        kind="counter",
        meaning="Huge pages that the guest's kernel wanted for its hugetlb pool and did not get.",
        linux="/proc/vmstat:htlb_buddy_alloc_fail",
        virtio="VIRTIO_BALLOON_S_HTLB_PGFAIL",
        tag=9,
        qemu="stat-htlb-pgfail",
        libvirt="VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL",
        domstats="hugetlb_pgfail",
        memstat="hugetlb_pgfail",
        since_linux="4.17",
        since_qemu="3.0",
        since_libvirt="5.4.0",
        traps="Free memory in small pieces is enough for a failure: it need not be short.",
    ),
    Statistic(
        key="oom_kills_total",
        unit="count",
        kind="counter",
        meaning="Processes that the guest's kernel killed for lack of memory.",
        linux="/proc/vmstat:oom_kill",
        virtio="VIRTIO_BALLOON_S_OOM_KILL",
        tag=10,
        qemu="stat-oom-kills",
        since_linux="6.12",
        since_qemu="9.2",
        traps="Counts kills at a limit of a control group as well, which more memory does not prevent.",
    ),
    Statistic(
        key="alloc_stalls_total",
        unit="count",
        kind="counter",
        meaning="How often a program had to wait while the kernel freed memory for it.",
        linux="/proc/vmstat:allocstall_*",
        virtio="VIRTIO_BALLOON_S_ALLOC_STALL",
        tag=11,
        qemu="stat-alloc-stalls",
        since_linux="6.12",
        since_qemu="9.2",
        traps="High with few direct scans: limits of control groups in the guest, not the guest's size.",
    ),
    Statistic(
        key="async_scans_bytes_total",
        unit="bytes",
        kind="counter",
        meaning="What the kernel's background reclaim looked at.",
        linux="/proc/vmstat:pgscan_kswapd",
        virtio="VIRTIO_BALLOON_S_ASYNC_SCAN",
        tag=12,
        qemu="stat-async-scans",
        since_linux="6.12",
        since_qemu="9.2",
        traps="Linux counts pages, VirtIO and QEMU bytes.",
    ),
    Statistic(
        key="direct_scans_bytes_total",
        unit="bytes",
        kind="counter",
        meaning="What programs that needed memory had to look at themselves: the guest is short.",
        linux="/proc/vmstat:pgscan_direct",
        virtio="VIRTIO_BALLOON_S_DIRECT_SCAN",
        tag=13,
        qemu="stat-direct-scans",
        since_linux="6.12",
        since_qemu="9.2",
        traps="Linux counts pages, VirtIO and QEMU bytes.",
    ),
    Statistic(
        key="async_reclaims_bytes_total",
        unit="bytes",
        kind="counter",
        meaning="What the kernel's background reclaim freed.",
        linux="/proc/vmstat:pgsteal_kswapd",
        virtio="VIRTIO_BALLOON_S_ASYNC_RECLAIM",
        tag=14,
        qemu="stat-async-reclaims",
        since_linux="6.12",
        since_qemu="9.2",
        traps="Linux counts pages, VirtIO and QEMU bytes.",
    ),
    Statistic(
        key="direct_reclaims_bytes_total",
        unit="bytes",
        kind="counter",
        meaning="What programs that needed memory freed themselves; far below the direct scans: thrashing.",
        linux="/proc/vmstat:pgsteal_direct",
        virtio="VIRTIO_BALLOON_S_DIRECT_RECLAIM",
        tag=15,
        qemu="stat-direct-reclaims",
        since_linux="6.12",
        since_qemu="9.2",
        traps="Linux counts pages, VirtIO and QEMU bytes.",
    ),
    Statistic(
        key="last_update",
        unit="seconds",
        kind="gauge",
        meaning="When the guest last sent statistics, in seconds since 1970 by the host's clock.",
        qemu="last-update",
        libvirt="VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE",
        domstats="last-update",
        memstat="last_update",
        since_qemu="1.5",
        since_libvirt="2.1.0",
        traps="0: never. Not 0 does not mean that anybody asks: the driver sends one sample at boot unasked. "
        "Stands still while the guest is paused or hangs; before QEMU 10.0 all values outlive a reboot.",
    ),
)


def named(word: str) -> list[Statistic]:
    """Return the statistics that any layer calls `word`, whatever its case and punctuation; [] if none.

    More than one where layers use one word for different values: "available" is MemTotal to libvirt and
    MemAvailable to QEMU.
    """
    wanted = _plain(word)
    return [statistic for statistic in STATISTICS if wanted in _words(statistic)]


def _words(statistic: Statistic) -> set[str]:
    """Return every name of a statistic, full and without what all names of its layer begin with."""
    full = (
        statistic.key,
        statistic.linux,
        statistic.virtio,
        statistic.qemu,
        statistic.libvirt,
        statistic.domstats,
        statistic.memstat,
    )
    words = {_plain(name) for name in full if name}
    short = (
        statistic.key.removesuffix("_total").removesuffix("_bytes"),
        (statistic.linux or "").rpartition(":")[2],
        (statistic.virtio or "").removeprefix("VIRTIO_BALLOON_S_"),
        (statistic.qemu or "").removeprefix("stat-"),
        (statistic.qemu or "").removeprefix("stat-").removesuffix("-memory"),
        (statistic.libvirt or "").removeprefix("VIR_DOMAIN_MEMORY_STAT_"),
        f"balloon.{statistic.domstats}" if statistic.domstats else "",
    )
    return (words | {_plain(name) for name in short}) - {""}


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
