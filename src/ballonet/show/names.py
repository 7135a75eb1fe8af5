"""The table of names: what each layer calls the same value, and what one value means."""

from ballonet.facts.statistics import STATISTICS, Statistic
from ballonet.show.table import UNKNOWN, fits, pairs, records, table

_HEADER = ("Linux /proc/...", "VirtIO ..._S_...", "QEMU", "libvirt ..._STAT_...", "dommemstat")
_LEFT_OUT = "VirtIO names begin with VIRTIO_BALLOON_S_, libvirt's with VIR_DOMAIN_MEMORY_STAT_."


def names_table(columns: int | None = None) -> str:
    """Return the table of all statistics; as blocks where it does not fit a terminal of so many columns."""
    rows = [_row(statistic) for statistic in STATISTICS]
    text = table(_HEADER, rows)
    if columns is not None and not fits(text, columns):
        text = records(_HEADER, rows)
    return f"{text}\n\n{_LEFT_OUT}\nWhat one means: ballonet names STAT, by any of its names."


def _row(statistic: Statistic) -> tuple[str, ...]:
    names = (
        (statistic.linux or "").removeprefix("/proc/"),
        (statistic.virtio or "").removeprefix("VIRTIO_BALLOON_S_"),
        statistic.qemu,
        (statistic.libvirt or "").removeprefix("VIR_DOMAIN_MEMORY_STAT_"),
        statistic.memstat,
    )
    return tuple(name or UNKNOWN for name in names)


def name_details(statistic: Statistic, columns: int | None = None) -> str:
    """Return all names of a statistic, what it means and what to beware of."""
    tag = "" if statistic.tag is None else f" (tag {statistic.tag})"
    rows = [
        ("meaning", statistic.meaning),
        ("beware", statistic.traps),
        ("unit", _unit(statistic)),
        ("Linux", statistic.linux or UNKNOWN),
        ("VirtIO", f"{statistic.virtio}{tag}" if statistic.virtio else UNKNOWN),
        ("QEMU", statistic.qemu or UNKNOWN),
        ("libvirt", statistic.libvirt or f"{UNKNOWN} (not exposed)"),
        ("domstats", f"balloon.{statistic.domstats}" if statistic.domstats else UNKNOWN),
        ("dommemstat", statistic.memstat or UNKNOWN),
        ("ballonet", statistic.key),
        ("since", _since(statistic)),
    ]
    return pairs([(title, value) for title, value in rows if value], columns)


def _unit(statistic: Statistic) -> str:
    counts = "counts up since the guest's boot" if statistic.kind == "counter" else "rises and falls"
    kib = " (KiB in libvirt)" if statistic.unit == "bytes" and statistic.libvirt else ""
    return f"{statistic.unit}{kib}, {counts}"


def _since(statistic: Statistic) -> str:
    versions = (
        ("Linux", statistic.since_linux),
        ("QEMU", statistic.since_qemu),
        ("libvirt", statistic.since_libvirt),
    )
    return ", ".join(f"{layer} {version}" for layer, version in versions if version)
