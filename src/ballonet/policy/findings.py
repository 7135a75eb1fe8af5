"""Every finding of `doctor` as data: when it applies, what it says, why it matters, and its remedy.

In the texts, `{words}` stand for what is known of the guest or the host; a remedy can be pasted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from ballonet.errors import BallonetError
from ballonet.facts.agent import Channel
from ballonet.facts.guest import Guest, Obstacle, State
from ballonet.facts.host import HostMeans, HostMemory, OtherWriter
from ballonet.policy.signs import (
    fell_silent,
    forgets_period,
    has_feature,
    has_obstacle,
    is_ahead,
    is_asked,
    is_impossible,
    is_unasked,
    lacks_driver,
    lacks_swap,
    lacks_what_is_needed,
    starts_smaller,
)

Subject = TypeVar("Subject")

OURS = "ballonet"  # the product, where it is a service of ours that resizes the guests
SLOW_SECONDS = 10  # as often as Cockpit asks; in 10 s a build grows by 3.1 GiB, more than any cushion


class Severity(StrEnum):
    """How much a finding matters, the worst first."""

    PROBLEM = "problem"  # ballooning does not work
    WARNING = "warning"  # it works worse than it could, or somebody is in danger
    ADVICE = "advice"  # good to know


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known beside the guests."""

    host: HostMemory | None  # None: the guests run on another machine
    means: HostMeans = field(default_factory=HostMeans)
    writers: tuple[OtherWriter, ...] = ()
    read_only: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)  # by UUID: bytes of the guest's control group
    unseen: frozenset[str] = frozenset()  # UUIDs of running guests whose process cannot be read
    unreachable: tuple[BallonetError, ...] = ()  # why hypervisors do not let us look
    unanswered: Mapping[str, BallonetError] = field(default_factory=dict)  # by UUID: why it was not asked


@dataclass(frozen=True, slots=True)
class Entry(Generic[Subject]):
    """When a finding applies to its subject, and what it says."""

    severity: Severity
    code: str
    applies: Callable[[Subject], bool]
    why: str
    what: str = ""
    remedy: str = ""


def _swaps(around: Surroundings) -> bool:
    host = around.host
    return host is not None and host.swap_free_bytes < host.swap_total_bytes


_TWO_SIZES = "Its sizes count virtio-mem's memory, and its balloon does not: it could not grow to them."
_NOTHING_GAINED = "It would lose memory, and the host would gain none: it keeps all that it has."
_RESTART = "then shut it down and start it again"

UNREACHABLE: Entry[BallonetError] = Entry(
    Severity.PROBLEM,
    "unreachable",
    lambda _: True,
    what="{error}",
    why="Without the hypervisor none of its guests can be seen, let alone resized.",
    remedy="{hint}",
)

HOST: tuple[Entry[Surroundings], ...] = (
    Entry(
        Severity.PROBLEM,
        "read-only",
        lambda around: around.read_only,
        what="the connection is read-only",
        why="Guests can be looked at, but neither resized nor asked for statistics.",
        remedy="leave out --read-only; without rights: sudo usermod -aG libvirt $USER, then log in again",
    ),
    Entry(
        Severity.WARNING,
        "host-swap",
        _swaps,
        what="{swap_used} of its {swap} of swap are in use",
        why="Guest memory that the host swapped out is slow, no guest knows it, and its resident memory "
        "leaves it out. The host was, or is, short of memory.",
        remedy="ballonet advise; once memory is free again: sudo swapoff -a && sudo swapon -a",
    ),
    Entry(
        Severity.ADVICE,
        "no-pressure",
        lambda around: around.host is not None and around.host.pressure_some_ratio is None,
        what="its kernel does not tell memory pressure (PSI)",
        why="How long programs on the host wait for memory is then unknown; shortage shows only in what is "
        "free and in swap.",
        remedy="add psi=1 to GRUB_CMDLINE_LINUX in /etc/default/grub, then: sudo update-grub && sudo reboot",
    ),
    Entry(
        Severity.ADVICE,
        "remote",
        lambda around: around.host is None,
        what="the guests run on another machine",
        why="Its memory and the guests' processes cannot be seen from here: bursts are seen seconds later, "
        "and each guest must keep more for them.",
        remedy="run ballonet there",
    ),
)

WRITERS: tuple[Entry[OtherWriter], ...] = (
    Entry(
        Severity.WARNING,
        "mom",
        lambda writer: writer.running and writer.product == "oVirt MOM",
        what="{product} may resize the same guests ({evidence}): its cluster's policy is not known here",
        why="Where the cluster's ballooning is on, two that do not know of each other fight: ballonet leaves "
        "a guest alone for a while after each change by another hand, and so for ever.",
        remedy="in the cluster's Optimization take the tick out of Memory Balloon Optimization, then Sync "
        "MoM Policy on its hosts; leave mom-vdsm running, which cares for KSM as well",
    ),
    Entry(
        Severity.WARNING,
        "proxmox",
        lambda writer: writer.running and writer.product == "Proxmox VE",
        what="{product} runs ({evidence}) and resizes those of its guests that have a minimum",
        why="It fills the host up to its own goal (80 % unless said), which takes what ballonet counts on.",
        remedy="qm set VMID --delete balloon for each of these, or leave their memory out: ballonet run "
        "--budget SIZE",
    ),
    Entry(
        Severity.ADVICE,
        "balanced",
        lambda writer: writer.product == OURS,
        what="a ballonet service balances these guests ({evidence})",
        why="It undoes what is changed by hand after a minute, but for ballonet set GUEST SIZE --for 10m. "
        "A second one would be refused.",
    ),
    Entry(
        Severity.ADVICE,
        "idle-writer",
        lambda writer: not writer.running,
        what="{product} is installed ({evidence}), and does not run",
        why="Where it is started it may resize guests as well.",
    ),
)

UNSEEN: Entry[Guest] = Entry(
    Severity.WARNING,
    "unseen",
    lambda guest: guest.device is not None and not guest.obstacles,
    what="its process on the host cannot be read",
    why="Its resident memory shows a burst within a tenth of a second; its statistics need seconds, in "
    "which it swaps.",
    remedy="run ballonet as root, or: sudo mount -o remount,hidepid=0 /proc",
)

UNANSWERED: Entry[Guest] = Entry(
    Severity.PROBLEM,
    "unanswered",
    lambda _: True,
    what="it cannot be asked: {error}",
    why="It can be neither judged nor resized, and what is said of it may be old.",
    remedy="ps -o pid,stat,comm $(pgrep -f {uuid}), where T is stopped and D waits for a disk; "
    "virsh destroy {name} ends it",
)

GUESTS: tuple[Entry[Guest], ...] = (
    Entry(
        Severity.PROBLEM,
        "no-device",
        lambda guest: guest.device is None and guest.state is not State.UNKNOWN,
        why="Nothing can be taken from it or given to it while it runs.",
    ),
    *(
        Entry(
            Severity.PROBLEM,
            obstacle.value,
            has_obstacle(obstacle),
            why=_TWO_SIZES if obstacle is Obstacle.VIRTIO_MEM else _NOTHING_GAINED,
        )
        for obstacle in Obstacle
    ),
    Entry(
        Severity.WARNING,
        "file-backed",
        lambda guest: guest.file_backed and not guest.obstacles,
        what="its memory is a file",
        why="If that lies on a disk, the host writes it there, and counts it as cache that it could drop: "
        "more memory seems to be available than is. In a tmpfs it is counted as used, and all is well.",
        remedy=f"virt-xml {{name}} --edit --memorybacking source.type=memfd,access.mode=shared, {_RESTART}",
    ),
    Entry(
        Severity.PROBLEM,
        "no-period",
        is_unasked,
        why="Nobody knows what it needs, so nothing is ever taken from it. ballonet run --enforce asks it "
        "by itself.",
        remedy="ballonet period {name} 1s{config}",
    ),
    Entry(
        Severity.PROBLEM,
        "no-driver",
        lacks_driver,
        what="its driver does not have the balloon device",
        why="Told to shrink it would not move at all. It has none, it is still booting, or it unloaded it.",
        remedy="in the guest: modprobe virtio_balloon (Windows: install the virtio drivers)",
    ),
    Entry(
        Severity.PROBLEM,
        "silent",
        lambda guest: is_asked(guest) and guest.statistics.last_update is None and not lacks_driver(guest),
        why="It is asked for statistics and never answered: no driver, one that knows no statistics (BSD), "
        "or it is still booting. Told to shrink, it may not move at all.",
    ),
    Entry(
        Severity.PROBLEM,
        "blind",
        fell_silent,
        what="its statistics stopped {age} ago",
        why="What it needs now is unknown: it is left as it is.",
    ),
    Entry(
        Severity.PROBLEM,
        "no-usable",
        lacks_what_is_needed,
        why="What can be taken without swapping is unknown: it is never shrunk by itself.",
    ),
    Entry(
        Severity.PROBLEM,
        "absurd",
        is_impossible,
        what="it says that {usable} are usable and {unused} unused, of {whole} that it has",
        why="Its statistics cannot be true, so what it needs is unknown: it is left as it is.",
    ),
    Entry(
        Severity.WARNING,
        "clock",
        is_ahead,
        what="its statistics are from the future, by {ahead}",
        why="The clocks of the hypervisor and of this machine differ, so nobody knows how old they are.",
        remedy="set both clocks by NTP: sudo timedatectl set-ntp true",
    ),
    Entry(
        Severity.WARNING,
        "no-swap",
        lacks_swap,
        what="it has {usable} left and has never swapped",
        why="It looks as if it had no swap space, which cannot be seen from here: then its kernel kills "
        "processes next.",
        remedy="ballonet advise {name}; in the guest: swapon --show",
    ),
    Entry(
        Severity.WARNING,
        "slow",
        lambda guest: (
            guest.device is not None and is_asked(guest) and guest.device.period_seconds > SLOW_SECONDS
        ),
        what="it reports only every {period}",
        why="It may have swapped for long before anybody knows that it needs more.",
        remedy="ballonet period {name} 1s{config}",
    ),
    Entry(
        Severity.ADVICE,
        "forgets-period",
        forgets_period,
        what="from its next start on nobody asks it for statistics",
        why="The period is set for the running guest, and not stored.",
        remedy="ballonet period {name} 1s --config",
    ),
    Entry(
        Severity.ADVICE,
        "starts-smaller",
        starts_smaller,
        what="it starts with {stored} of its {stored_maximum}",
        why="That is right where something gives it the rest when it needs it; else the rest is never used. "
        "It has all of it anyhow until its balloon driver is loaded.",
        remedy="ballonet set {name} {exact_maximum} --config",
    ),
    Entry(
        Severity.ADVICE,
        "autodeflate-off",
        has_feature("autodeflate", on=False),
        what="autodeflate is off",
        why="When too much was taken, its kernel kills processes rather than take memory back. With it on, "
        "the balloon counts as used in the guest: `available` does not follow its size. Linux only.",
        remedy=f"virt-xml {{name}} --edit --memballoon autodeflate=on, {_RESTART}",
    ),
    Entry(
        Severity.ADVICE,
        "autodeflate-on",
        has_feature("autodeflate", on=True),
        what="autodeflate is on",
        why="Before its kernel kills a process it takes memory back. An actual size above what it was told "
        "is then a call for more, and telling it the same size again undoes the rescue. In the guest the "
        "balloon counts as used.",
    ),
    Entry(
        Severity.ADVICE,
        "no-agent",
        lambda guest: guest.channel is Channel.DISCONNECTED and guest.state is State.RUNNING,
        what="it has a channel for a guest agent, and no agent is at its end",
        why="How long its programs wait for memory, and what lies in its swap, only an agent can tell. "
        "All works without.",
        remedy="in the guest: apt install qemu-guest-agent; then agent = true in the settings",
    ),
    Entry(
        Severity.ADVICE,
        "reporting-off",
        has_feature("free_page_reporting", on=False),
        what="free page reporting is off",
        why="What it frees stays in the host's memory until the balloon takes it, and its resident memory "
        "never falls, so that a second burst cannot be seen in it: it keeps a larger cushion instead. "
        "Needs Linux 5.7 in the guest, QEMU 5.1, libvirt 6.9.",
        remedy=f"virt-xml {{name}} --edit --memballoon freePageReporting=on, {_RESTART}",
    ),
    Entry(
        Severity.ADVICE,
        "reporting-on",
        has_feature("free_page_reporting", on=True),
        what="free page reporting is on",
        why="What it frees leaves the host's memory within seconds, and costs a page fault on the host when "
        "it is used again. Its resident memory follows what it uses, so bursts are seen at once.",
    ),
)
