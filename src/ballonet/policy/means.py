"""What `doctor` says of the host's other means to manage memory: KSM, zswap, huge pages, control groups."""

from ballonet.facts.guest import Guest, Obstacle
from ballonet.facts.host import HostMeans
from ballonet.policy.findings import Entry, Severity
from ballonet.policy.settings import Settings
from ballonet.units import MIB, format_size

WORTH_BYTES = 64 * MIB  # less that lies idle is not worth a word

MEANS: tuple[Entry[HostMeans], ...] = (
    Entry(
        Severity.WARNING,
        "huge-idle",
        lambda means: sum(pool.idle_bytes for pool in means.huge_pools) >= WORTH_BYTES,
        what="{huge_idle} are set aside as huge pages that nobody uses",
        why="Only guests that are backed by huge pages can have them, and those give nothing back. What the "
        "host has free is less by them, and with it what ballonet hands out.",
        remedy="{huge_remedy}",
    ),
    Entry(
        Severity.ADVICE,
        "merged",
        lambda means: means.merged_bytes >= WORTH_BYTES,
        what="KSM saves {merged}",
        why="None of it is handed out: it belongs to those whose pages were merged, and each takes its own "
        "again by writing. KSM takes a part of a processor, and lets guests find out what others hold.",
    ),
    Entry(
        Severity.ADVICE,
        "compressed",
        lambda means: means.compressed_bytes >= WORTH_BYTES,
        what="{compressed} that were swapped out are compressed in memory (zswap), in {compressed_pool}",
        why="Guest memory among it comes back in microseconds instead of milliseconds, but no guest knows "
        "that it is gone. The host was, or is, short of memory: zswap taking more counts as swapping.",
    ),
)


LIMITED: Entry[Guest] = Entry(
    Severity.WARNING,
    "group-limit",
    lambda _: True,
    what="its control group may hold {limit}, and it may grow to {maximum}",
    why="QEMU's own memory comes on top of that. Beyond the limit the host's kernel swaps the guest out or "
    "kills it, however much is free beside it, and nothing tells so before.",
    remedy="virsh memtune {name} --hard-limit -1{config}; where its slice is limited: "
    "systemctl set-property machine.slice MemoryMax=infinity; or lower its ceiling",
)


def is_limited(guest: Guest, limit_bytes: int | None) -> bool:
    """Return whether a control group would not let a guest have all of its maximum, and its process some.

    Huge pages are not counted by it.
    """
    if limit_bytes is None or guest.maximum_bytes is None or Obstacle.HUGEPAGES in guest.obstacles:
        return False
    return limit_bytes < guest.maximum_bytes + Settings(budget_bytes=0.0).process_bytes


def means_values(means: HostMeans) -> dict[str, str]:
    """Return what a text on these means may name."""
    idle = [pool for pool in means.huge_pools if pool.idle_pages]
    return {
        "huge_idle": format_size(sum(pool.idle_bytes for pool in idle)),
        "huge_remedy": "; ".join(
            f"echo {pool.pages - pool.idle_pages} | sudo tee /sys/kernel/mm/hugepages/"
            f"hugepages-{pool.page_bytes // 1024}kB/nr_hugepages"
            for pool in idle
        ),
        "merged": format_size(means.merged_bytes),
        "compressed": format_size(means.compressed_bytes),
        "compressed_pool": format_size(means.compressed_pool_bytes),
    }
