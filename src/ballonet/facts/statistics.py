"""The statistics of a guest's memory, and what every layer calls them."""

from dataclasses import dataclass


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
