"""Guests for people: the table of all, and everything about one."""

from ballonet.engine.limits import LimitsOf, usual
from ballonet.engine.table import Judged, judge
from ballonet.facts.guest import Device, Guest, Obstacle
from ballonet.facts.verdict import Verdict
from ballonet.policy.floors import hard_floor_bytes
from ballonet.show.statistics import statistics_table
from ballonet.show.table import UNKNOWN, pairs, paragraph, table
from ballonet.show.words import age, period, share, size, switch
from ballonet.units import format_duration

_SIZES = ("MAXIMUM", "ACTUAL", "USABLE", "UNUSED", "RSS")


def guests_table(guests: list[Guest], limits: LimitsOf = usual) -> str:
    """Return one row a guest; 80 columns wide where names and states are short."""
    header = ["GUEST", "STATE", *_SIZES, "AGE", "VERDICT"]
    found = zip(guests, judge(guests, limits), strict=True)
    rows = [_row(guest, judged.verdict) for guest, judged in found]
    if len({guest.hypervisor for guest in guests}) > 1:
        header.append("HYPERVISOR")
        rows = [(*row, guest.hypervisor) for row, guest in zip(rows, guests, strict=True)]
    return table(header, rows, right={*_SIZES, "AGE"})


def _row(guest: Guest, verdict: Verdict) -> tuple[str, ...]:
    statistics = guest.statistics
    sizes = (
        guest.maximum_bytes,
        guest.actual_bytes,
        statistics.usable_bytes,
        statistics.unused_bytes,
        statistics.rss_bytes,
    )
    return (
        guest.name,
        guest.state,
        *map(size, sizes),
        age(guest.stats_age_seconds),
        verdict.code.replace("-", " "),
    )


def guest_details(guest: Guest, columns: int | None = None, limits: LimitsOf = usual) -> str:
    """Return everything known of one guest, in paragraphs wrapped to so many columns."""
    [judged] = judge([guest], limits)
    paragraphs = (
        pairs(_identity(guest, judged.verdict), columns),
        pairs(_device(guest)),
        pairs(_sizes(guest, judged)),
        pairs(_agent(guest)) if guest.channel or guest.heard else "",
        statistics_table(guest) if guest.id is not None else "",
        "\n".join(paragraph(sentence, columns) for sentence in meanings(guest)),
    )
    return "\n\n".join(text for text in paragraphs if text)


def _identity(guest: Guest, verdict: Verdict) -> list[tuple[str, str]]:
    rows = [
        ("name", guest.name),
        ("uuid", guest.uuid),
        ("id", UNKNOWN if guest.id is None else str(guest.id)),
        ("state", guest.state.value),
        ("verdict", verdict.reason),
    ]
    if guest.hypervisor:
        rows.append(("hypervisor", guest.hypervisor))
    if guest.job:
        rows.append(("job", guest.job))
    if verdict.remedy:
        rows.append(("remedy", verdict.remedy))
    return rows


def _device(guest: Guest) -> list[tuple[str, str]]:
    device = guest.device
    if device is None:
        return [("balloon", "no device")]
    driver = {True: "has the device", False: "does not have the device"}
    return [
        ("balloon", device.model),
        *([] if device.driver is None else [("driver", driver[device.driver])]),
        ("statistics", _period(guest, device)),
        ("autodeflate", switch(device.autodeflate)),
        ("free page reporting", switch(device.free_page_reporting)),
    ]


def _period(guest: Guest, device: Device) -> str:
    asked = f"asked for {period(device.period_seconds)}"
    if guest.stats_age_seconds is None:
        return f"{asked}, none ever came"
    return f"{asked}, the last came {age(guest.stats_age_seconds)} ago"


def _sizes(guest: Guest, judged: Judged) -> list[tuple[str, str]]:
    maximum = guest.maximum_bytes
    rows = [
        ("maximum", size(maximum)),
        ("actual", size(guest.actual_bytes)),
        ("ceiling", size(judged.ceiling_bytes)),
        ("floor", size(judged.floor_bytes)),
        ("hard floor", UNKNOWN if maximum is None else size(hard_floor_bytes(maximum))),
    ]
    if guest.stored:
        stored = guest.stored
        sizes = f"{size(stored.current_bytes)} of {size(stored.maximum_bytes)}"
        rows.append(("next start", f"{sizes}, statistics {period(stored.period_seconds)}"))
    return rows


def _agent(guest: Guest) -> list[tuple[str, str]]:
    """Return who is at the guest's end of its agent's channel, and what the agent told."""
    heard = guest.heard
    if heard is None:
        return [("agent", f"{guest.channel}, not asked")]
    recent = UNKNOWN if heard.recent_ratio is None else share(heard.recent_ratio)
    waited = UNKNOWN if heard.waited_seconds_total is None else format_duration(heard.waited_seconds_total)
    return [
        ("agent", "asked just now"),
        ("waits for memory", f"{recent} of the last seconds, {waited} since its boot"),
        ("swap", f"{size(heard.swapped_bytes)} used, {size(heard.swap_free_bytes)} left"),
        ("committed", size(heard.committed_bytes)),
    ]


def meanings(guest: Guest) -> list[str]:
    """Return what a guest's sizes say, a sentence each; nothing where nothing is known."""
    statistics, device = guest.statistics, guest.device
    maximum, actual = guest.maximum_bytes, guest.actual_bytes
    unused, usable, available = statistics.unused_bytes, statistics.usable_bytes, statistics.available_bytes
    sentences = []
    if maximum is not None and actual is not None and actual < maximum:
        sentences.append(f"The balloon holds {size(maximum - actual)} of its {size(maximum)}.")
    overhead = 0 if actual is None or available is None else actual - available
    if overhead > 0 and not (device and device.autodeflate):
        sentences.append(f"Kernel and firmware keep {size(overhead)} of its actual size.")
    if unused is not None:
        sentences.append(f"{size(unused)} hold nothing: most of it can be taken at no cost.")
    if usable is not None and unused is not None and usable > unused:
        sentences.append(
            f"{size(usable - unused)} more can be dropped, and would have to be read again if it is needed."
        )
    if actual is not None and usable is not None:
        used = actual - max(0, overhead) - usable
        sentences.append(f"{size(max(0, used))} are in use: taking from these makes it swap.")
    sentences += [_OBSTACLES[obstacle] for obstacle in Obstacle if obstacle in guest.obstacles]
    return sentences


_OBSTACLES = {
    Obstacle.PASSTHROUGH: "A passed-through device pins its memory: shrinking it frees nothing on the host.",
    Obstacle.VHOST_VDPA: "A vhost-vdpa device pins its memory: shrinking it frees nothing on the host.",
    Obstacle.HUGEPAGES: "It lives on huge pages, which the balloon cannot give back.",
    Obstacle.LOCKED: "Its memory is locked: shrinking it frees nothing on the host.",
    Obstacle.CONFIDENTIAL: "It is a confidential guest: the host cannot take its memory.",
    Obstacle.VIRTIO_MEM: "Its virtio-mem device resizes it: its balloon is left alone.",
}
