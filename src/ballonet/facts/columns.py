"""What a hypervisor tells of its guests at one moment, side by side: one row a guest, one column a fact.

Columns are of one length, in the order of `uuids`. Sizes are float64 bytes, times float64 seconds; NaN is
"unknown", never 0. Who has many guests builds this; others build `Guest` after `Guest`.
"""

from dataclasses import dataclass

from ballonet.facts.snapshot import Bools, Codes, Floats


@dataclass(frozen=True, eq=False)
class Columns:
    """The guests that run. Fields that a `Snapshot` has too are called and mean the same."""

    uuids: tuple[str, ...]
    names: tuple[str, ...]
    number: Floats  # the id of this run of the guest
    metadata: tuple[str, ...]  # as XML, what each says of itself to us; empty: nothing

    running: Bools
    busy: Bools
    device: Bools
    autodeflate: Bools
    reports_free: Bools
    obstacle: Codes

    maximum: Floats
    actual: Floats

    unused: Floats
    usable: Floats
    available: Floats
    rss: Floats
    swap_in: Floats
    swap_out: Floats
    major_faults: Floats
    oom_kills: Floats
    alloc_stalls: Floats
    direct_scans: Floats
    pressure: Floats
    waits_since: Floats  # epoch seconds from which on that was measured
    heard: Floats  # epoch seconds at which the guest's agent was asked last
    swapped: Floats
    swap_left: Floats
    committed: Floats
    last_update: Floats  # epoch seconds at which the guest sent its statistics
    period: Floats

    disk_reads: Floats
    disk_read_seconds: Floats
    vcpus: Floats
    vcpu_seconds: Floats

    def __len__(self) -> int:
        """Return the number of guests."""
        return len(self.uuids)
