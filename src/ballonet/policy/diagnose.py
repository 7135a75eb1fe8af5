"""What keeps ballooning from working, or from paying: facts in, findings out, each with its remedy.

Every finding is one entry of a table: when it applies, what it says, why that matters, and what can be
pasted to end it. In the texts, `{words}` are what `_values` fills in.
"""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from ballonet.errors import BallonetError
from ballonet.facts.guest import Guest, Obstacle, State
from ballonet.facts.host import HostMemory, OtherWriter
from ballonet.facts.verdict import CODES, VERDICTS
from ballonet.policy.advise import freshness_seconds
from ballonet.policy.floors import reserve_bytes
from ballonet.policy.settings import Settings
from ballonet.units import exact_size, format_duration, format_size

Subject = TypeVar("Subject")

HOST = "host"
SLOW_SECONDS = 10  # as often as Cockpit asks; 10 s at 1.1 GiB in 2 s (builds) is more than any cushion
_BLIND_SECONDS = Settings(budget_bytes=0.0).blind_seconds


class Severity(StrEnum):
    """How much a finding matters, the worst first."""

    PROBLEM = "problem"  # ballooning does not work
    WARNING = "warning"  # it works worse than it could, or somebody is in danger
    ADVICE = "advice"  # good to know


_WORST_FIRST = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: what, why it matters, and what to do (empty: nothing needs to be done)."""

    severity: Severity
    code: str
    subject: str  # the guest's name, or "host"
    uuid: str  # the guest's; "" for the host
    what: str
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known beside the guests."""

    host: HostMemory | None  # None: the guests run on another machine
    writers: tuple[OtherWriter, ...] = ()
    read_only: bool = False
    unseen: frozenset[str] = frozenset()  # UUIDs of running guests whose process cannot be read


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Subject]):
    """When a finding applies to its subject, and what it says."""

    severity: Severity
    code: str
    applies: Callable[[Subject], bool]
    why: str
    what: str = ""
    remedy: str = ""


def diagnose(guests: Sequence[Guest], around: Surroundings) -> list[Finding]:
    """Return all findings, the worst first, those on the host before those on guests."""
    values = _host_values(around)
    findings = [_finding(entry, HOST, "", values) for entry in _HOST if entry.applies(around)]
    for writer in around.writers:
        values = {"product": writer.product, "evidence": writer.evidence}
        findings += [_finding(entry, HOST, "", values) for entry in _WRITERS if entry.applies(writer)]
    for guest in guests:
        entries = [*_GUESTS, _UNSEEN] if guest.uuid in around.unseen else _GUESTS
        values = _guest_values(guest)
        findings += [
            _finding(entry, guest.name, guest.uuid, values) for entry in entries if entry.applies(guest)
        ]
    return sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.severity))


def unreachable(error: BallonetError) -> Finding:
    """Return the finding that the hypervisor cannot be reached, or does not let us look."""
    why = "Without the hypervisor no guest can be seen, let alone resized."
    return Finding(Severity.PROBLEM, "unreachable", HOST, "", error.message, why, error.hint)


def unanswered(guest: Guest, error: BallonetError) -> Finding:
    """Return the finding that one guest cannot be asked."""
    why = "What it stores for its next start is unknown, and what is said of it may be old."
    return Finding(Severity.WARNING, "unanswered", guest.name, guest.uuid, error.message, why, error.hint)


def _finding(entry: _Entry[Subject], name: str, uuid: str, values: dict[str, str]) -> Finding:
    """Return an entry's finding; a verdict's code brings the words that the entry leaves out."""
    verdict = VERDICTS[CODES[entry.code]] if entry.code in CODES else None
    what = entry.what or (verdict.reason if verdict else "")
    remedy = entry.remedy or (verdict.remedy if verdict else "")
    texts = (text.format_map(values) for text in (what, entry.why, remedy))
    return Finding(entry.severity, entry.code, name, uuid, *texts)


def _host_values(around: Surroundings) -> dict[str, str]:
    """Return what a text on the host may name."""
    if around.host is None:
        return {}
    used = around.host.swap_total_bytes - around.host.swap_free_bytes
    return {"swap_used": format_size(used), "swap": format_size(around.host.swap_total_bytes)}


def _guest_values(guest: Guest) -> dict[str, str]:
    """Return what a text on a guest may name; its name as a shell takes it."""
    stored, device, statistics = guest.stored, guest.device, guest.statistics
    return {
        "name": shlex.quote(guest.name),
        "age": format_duration(max(0.0, guest.stats_age_seconds or 0.0)),
        "ahead": format_duration(max(0.0, -(guest.stats_age_seconds or 0.0))),
        "period": format_duration(device.period_seconds if device else 0),
        "usable": format_size(statistics.usable_bytes or 0),
        "config": " --live --config" if stored else "",
        "stored": format_size(stored.current_bytes if stored else 0),
        "stored_maximum": format_size(stored.maximum_bytes if stored else 0),
        "exact_maximum": exact_size(stored.maximum_bytes if stored else 0),
    }


def _running(guest: Guest) -> bool:
    return guest.state is State.RUNNING


def _asked(guest: Guest) -> bool:
    """Return whether a guest runs and is asked for statistics."""
    return _running(guest) and guest.device is not None and guest.device.period_seconds > 0


def _stopped(guest: Guest) -> bool:
    """Return whether a guest once sent statistics, and does no longer."""
    age, device = guest.stats_age_seconds, guest.device
    if not _asked(guest) or age is None or device is None:
        return False
    return age > max(_BLIND_SECONDS, freshness_seconds(device))


def _ahead(guest: Guest) -> bool:
    """Return whether statistics come from the future: a second is rounding."""
    return _asked(guest) and (guest.stats_age_seconds or 0.0) < -1.0


def _halfhearted(guest: Guest) -> bool:
    """Return whether a guest sends statistics without what a decision needs."""
    statistics = guest.statistics
    reports = _asked(guest) and statistics.last_update is not None and not _stopped(guest)
    return reports and (statistics.usable_bytes is None or statistics.unused_bytes is None)


def _swapless(guest: Guest) -> bool:
    """Return whether a guest is out of memory and never swapped: it has no swap space, or it just ran out."""
    statistics, maximum = guest.statistics, guest.maximum_bytes
    if maximum is None or statistics.usable_bytes is None or not _asked(guest) or _stopped(guest):
        return False
    exhausted = statistics.usable_bytes < reserve_bytes(maximum)
    rescued = guest.device is not None and guest.device.autodeflate
    return exhausted and statistics.swap_out_bytes_total == 0 and not rescued


def _forgets_period(guest: Guest) -> bool:
    """Return whether a guest will not be asked after its next start, though it is now, or is shut off."""
    stored = guest.stored is not None and guest.stored.period_seconds == 0
    unasked = _running(guest) and not _asked(guest)
    return stored and guest.device is not None and not unasked


def _starts_smaller(guest: Guest) -> bool:
    return guest.stored is not None and guest.stored.current_bytes < guest.stored.maximum_bytes


def _feature(name: str, *, on: bool) -> Callable[[Guest], bool]:
    """Return the test whether a feature of the balloon device is on, or off, where it can be used."""
    return lambda guest: (
        guest.device is not None and not guest.obstacles and bool(getattr(guest.device, name)) is on
    )


def _obstructed(obstacle: Obstacle) -> Callable[[Guest], bool]:
    return lambda guest: obstacle in guest.obstacles


def _swaps(around: Surroundings) -> bool:
    host = around.host
    return host is not None and host.swap_free_bytes < host.swap_total_bytes


_NOTHING_GAINED = "It would lose memory, and the host would gain none: it keeps all that it has."
_RESTART = "then shut it down and start it again"

_HOST: tuple[_Entry[Surroundings], ...] = (
    _Entry(
        Severity.PROBLEM,
        "read-only",
        lambda around: around.read_only,
        what="the connection is read-only",
        why="Guests can be looked at, but neither resized nor asked for statistics.",
        remedy="leave out --read-only; without rights: sudo usermod -aG libvirt $USER, then log in again",
    ),
    _Entry(
        Severity.WARNING,
        "host-swap",
        _swaps,
        what="{swap_used} of its {swap} of swap are in use",
        why="Guest memory that the host swapped out is slow, no guest knows it, and its resident memory "
        "leaves it out. The host was, or is, short of memory.",
        remedy="ballonet advise; once memory is free again: sudo swapoff -a && sudo swapon -a",
    ),
    _Entry(
        Severity.ADVICE,
        "no-pressure",
        lambda around: around.host is not None and around.host.pressure_some_ratio is None,
        what="its kernel does not tell memory pressure (PSI)",
        why="How long programs on the host wait for memory is then unknown; shortage shows only in what is "
        "free and in swap.",
        remedy="add psi=1 to GRUB_CMDLINE_LINUX in /etc/default/grub, then: sudo update-grub && sudo reboot",
    ),
    _Entry(
        Severity.ADVICE,
        "remote",
        lambda around: around.host is None,
        what="the guests run on another machine",
        why="Its memory and the guests' processes cannot be seen from here: bursts are seen seconds later, "
        "and each guest must keep more for them.",
        remedy="run ballonet there",
    ),
)

_WRITERS: tuple[_Entry[OtherWriter], ...] = (
    _Entry(
        Severity.PROBLEM,
        "mom",
        lambda writer: writer.running and writer.product == "oVirt MOM",
        what="{product} runs ({evidence}) and resizes the same guests",
        why="Two that do not know of each other fight: ballonet leaves a guest alone for a while after each "
        "change by another hand, and so for ever.",
        remedy="sudo systemctl disable --now mom-vdsm, and turn ballooning off in the cluster's optimization",
    ),
    _Entry(
        Severity.WARNING,
        "proxmox",
        lambda writer: writer.running and writer.product == "Proxmox VE",
        what="{product} runs ({evidence}) and resizes its own guests",
        why="It fills the host up to its own goal (80 % unless said), which takes what ballonet counts on.",
        remedy="qm set VMID --balloon 0 for each of its guests, or leave their memory out: ballonet run "
        "--budget SIZE",
    ),
    _Entry(
        Severity.ADVICE,
        "idle-writer",
        lambda writer: not writer.running,
        what="{product} is installed ({evidence}), and does not run",
        why="Where it is started it resizes guests as well.",
    ),
)

_UNSEEN: _Entry[Guest] = _Entry(
    Severity.WARNING,
    "unseen",
    _running,
    what="its process on the host cannot be read",
    why="Its resident memory shows a burst within a tenth of a second; its statistics need seconds, in "
    "which it swaps.",
    remedy="run ballonet as root, or: sudo mount -o remount,hidepid=0 /proc",
)

_GUESTS: tuple[_Entry[Guest], ...] = (
    _Entry(
        Severity.PROBLEM,
        "no-device",
        lambda guest: guest.device is None,
        why="Nothing can be taken from it or given to it while it runs.",
    ),
    *(
        _Entry(Severity.PROBLEM, obstacle.value, _obstructed(obstacle), why=_NOTHING_GAINED)
        for obstacle in Obstacle
    ),
    _Entry(
        Severity.PROBLEM,
        "no-period",
        lambda guest: _running(guest) and guest.device is not None and guest.device.period_seconds == 0,
        why="Nobody knows what it needs, so nothing is ever taken from it. ballonet run --enforce asks it "
        "by itself.",
        remedy="ballonet period {name} 1s{config}",
    ),
    _Entry(
        Severity.PROBLEM,
        "silent",
        lambda guest: _asked(guest) and guest.statistics.last_update is None,
        why="It is asked for statistics and never answered: no driver, one that knows no statistics (BSD), "
        "or it is still booting. Told to shrink, it may not move at all.",
    ),
    _Entry(
        Severity.PROBLEM,
        "blind",
        _stopped,
        what="its statistics stopped {age} ago",
        why="What it needs now is unknown: it is left as it is.",
    ),
    _Entry(
        Severity.PROBLEM,
        "no-usable",
        _halfhearted,
        why="What can be taken without swapping is unknown: it is never shrunk by itself.",
    ),
    _Entry(
        Severity.WARNING,
        "clock",
        _ahead,
        what="its statistics are from the future, by {ahead}",
        why="The clocks of the hypervisor and of this machine differ, so nobody knows how old they are.",
        remedy="set both clocks by NTP: sudo timedatectl set-ntp true",
    ),
    _Entry(
        Severity.WARNING,
        "no-swap",
        _swapless,
        what="it has {usable} left and has never swapped",
        why="It looks as if it had no swap space, which cannot be seen from here: then its kernel kills "
        "processes next.",
        remedy="ballonet advise {name}; in the guest: swapon --show",
    ),
    _Entry(
        Severity.WARNING,
        "slow",
        lambda guest: (
            guest.device is not None and _asked(guest) and guest.device.period_seconds > SLOW_SECONDS
        ),
        what="it reports only every {period}",
        why="It may have swapped for long before anybody knows that it needs more.",
        remedy="ballonet period {name} 1s{config}",
    ),
    _Entry(
        Severity.ADVICE,
        "forgets-period",
        _forgets_period,
        what="from its next start on nobody asks it for statistics",
        why="The period is set for the running guest, and not stored.",
        remedy="ballonet period {name} 1s --config",
    ),
    _Entry(
        Severity.ADVICE,
        "starts-smaller",
        _starts_smaller,
        what="it starts with {stored} of its {stored_maximum}",
        why="That is right where something gives it the rest when it needs it; else the rest is never used. "
        "It has all of it anyhow until its balloon driver is loaded.",
        remedy="ballonet set {name} {exact_maximum} --config",
    ),
    _Entry(
        Severity.ADVICE,
        "autodeflate-off",
        _feature("autodeflate", on=False),
        what="autodeflate is off",
        why="When too much was taken, its kernel kills processes rather than take memory back. With it on, "
        "the balloon counts as used in the guest: `available` does not follow its size. Linux only.",
        remedy=f"virt-xml {{name}} --edit --memballoon autodeflate=on, {_RESTART}",
    ),
    _Entry(
        Severity.ADVICE,
        "autodeflate-on",
        _feature("autodeflate", on=True),
        what="autodeflate is on",
        why="Before its kernel kills a process it takes memory back. An actual size above what it was told "
        "is then a call for more, and telling it the same size again undoes the rescue. In the guest the "
        "balloon counts as used.",
    ),
    _Entry(
        Severity.ADVICE,
        "reporting-off",
        _feature("free_page_reporting", on=False),
        what="free page reporting is off",
        why="What it frees stays in the host's memory until the balloon takes it, and its resident memory "
        "never falls, so that a second burst cannot be seen in it. "
        "Needs Linux 5.7 in the guest, QEMU 5.1, libvirt 6.9.",
        remedy=f"virt-xml {{name}} --edit --memballoon freePageReporting=on, {_RESTART}",
    ),
    _Entry(
        Severity.ADVICE,
        "reporting-on",
        _feature("free_page_reporting", on=True),
        what="free page reporting is on",
        why="What it frees leaves the host's memory within seconds, and costs a page fault on the host when "
        "it is used again. Its resident memory follows what it uses, so bursts are seen at once.",
    ),
)
