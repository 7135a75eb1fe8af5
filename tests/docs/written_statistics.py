"""docs/statistics.md, from the table of statistics."""

from written import NOTE, page, table

from ballonet.facts.statistics import STATISTICS, Statistic

HEAD = f"""\
# Statistics and their names

{NOTE}

A guest's kernel counts, its balloon driver sends that through VirtIO to QEMU, libvirt asks QEMU, and `virsh
dommemstat` asks libvirt. Each of them has names of its own, and some of these mean different things: what
libvirt calls "available" is the guest's MemTotal, and what Linux and QEMU call so libvirt calls "usable".
`ballonet names` prints this table, `ballonet stats GUEST --names virtio` a guest's values by any of these
names, and `ballonet names usable` what is below. [How ballooning works](ballooning.md) says what to make of
them.

Tags 10 to 15 come from Linux 6.12 and QEMU 9.2 on, and libvirt does not hand them on."""

KINDS = {"counter": "a counter since boot", "gauge": "rises and falls"}


def statistics_page() -> str:
    """Return the page."""
    header = (
        "Linux",
        "VirtIO `VIRTIO_BALLOON_S_…`",
        "QEMU",
        "libvirt `VIR_DOMAIN_MEMORY_STAT_…`",
        "`dommemstat`",
    )
    rows = [_row(statistic) for statistic in STATISTICS]
    return page(
        HEAD, table(header, rows), *(part for statistic in STATISTICS for part in _section(statistic))
    )


def _row(statistic: Statistic) -> tuple[str, ...]:
    names = (
        statistic.linux,
        (statistic.virtio or "").removeprefix("VIRTIO_BALLOON_S_"),
        statistic.qemu,
        (statistic.libvirt or "").removeprefix("VIR_DOMAIN_MEMORY_STAT_"),
        statistic.memstat,
    )
    return tuple(f"`{name}`" if name else "" for name in names)


def _section(statistic: Statistic) -> list[str]:
    domstats = f"balloon.{statistic.domstats}" if statistic.domstats else None
    since = {"Linux": statistic.since_linux, "QEMU": statistic.since_qemu, "libvirt": statistic.since_libvirt}
    versions = ", ".join(f"{layer} {version}" for layer, version in since.items() if version)
    facts = [
        f"`{statistic.key}` in ballonet's JSON",
        f"in {statistic.unit}, {KINDS[statistic.kind]}",
        f"tag {statistic.tag}" if statistic.tag is not None else "",
        f"`{domstats}` in `virsh domstats`" if domstats else "",
        f"since {versions}" if versions else "",
    ]
    named = statistic.memstat or statistic.key
    return [
        f"## {named}",
        statistic.meaning,
        statistic.traps,
        f"*{'; '.join(fact for fact in facts if fact)}.*",
    ]
