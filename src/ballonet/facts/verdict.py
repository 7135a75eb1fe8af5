"""Whether a guest is managed, or why not: one table of words for plans, tables and `doctor`."""

from dataclasses import dataclass, replace

from ballonet.facts.uri import sockets_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be done with a guest, why, and what an administrator can do about it.

    `managed` guests may grow and shrink; a managed guest whose code is not "managed" may only grow.
    In `remedy`, `{name}` stands for the guest's name.
    """

    code: str
    managed: bool
    reason: str
    remedy: str = ""


# The order is that of precedence: the first that applies to a guest is its verdict. Columns hold the
# index in this tuple.
VERDICTS = (
    Verdict("not-running", managed=False, reason="not running"),
    Verdict(
        "excluded",
        managed=False,
        reason="excluded by the administrator",
        remedy="set manage = true where this says: ballonet config show {name} --origin; or in its metadata",
    ),
    Verdict(
        "held",
        managed=False,
        reason="held: somebody asked for it to be left as it is",
        remedy="end the hold: ballonet resume {name}",
    ),
    Verdict(
        "no-device",
        managed=False,
        reason="no balloon device",
        remedy="virt-xml {name} --edit --memballoon model=virtio, then shut it down and start it again",
    ),
    Verdict(
        "passthrough",
        managed=False,
        reason="a passed-through host device pins its memory",
        remedy="use a virtio device instead, or size the guest with: ballonet set-max {name} SIZE --config",
    ),
    Verdict(
        "vhost-vdpa",
        managed=False,
        reason="a vhost-vdpa device pins its memory",
        remedy="use virtio-net with vhost, or size the guest with: ballonet set-max {name} SIZE --config",
    ),
    Verdict(
        "hugepages",
        managed=False,
        reason="huge pages are not given back by the balloon",
        remedy="virt-xml {name} --edit --memorybacking hugepages=no, then shut it down and start it again",
    ),
    Verdict(
        "locked",
        managed=False,
        reason="its memory is locked",
        remedy="virt-xml {name} --edit --memorybacking locked=no, then shut it down and start it again",
    ),
    Verdict(
        "confidential",
        managed=False,
        reason="a confidential guest's memory cannot be taken",
        remedy="size the guest with: ballonet set-max {name} SIZE --config",
    ),
    Verdict(
        "virtio-mem",
        managed=False,
        reason="virtio-mem resizes it",
        remedy="size it so: virsh update-memory-device {name} --requested-size SIZE; to balance it, take its "
        "virtio-mem device out",
    ),
    Verdict(
        "busy", managed=False, reason="it does not answer, or a job holds it (migration, save or snapshot)"
    ),
    Verdict("unknown-size", managed=False, reason="its size is unknown"),
    Verdict("booting", managed=False, reason="booting"),
    Verdict(
        "no-period",
        managed=False,
        reason="nobody asks it for statistics (period 0)",
        remedy="ballonet period {name} 1s",
    ),
    Verdict(
        "silent",
        managed=False,
        reason="its balloon driver is silent",
        remedy="in the guest: modprobe virtio_balloon (Windows: virtio drivers with the service BLNSVR; BSD "
        "sends no statistics: ballonet set {name} SIZE)",
    ),
    Verdict(
        "no-usable",
        managed=False,
        reason="it does not report `usable`",
        remedy="Windows: install the balloon driver's service, blnsvr.exe -i; Linux: use kernel 4.6 or later",
    ),
    Verdict(
        "blind",
        managed=False,
        reason="its statistics stopped",
        remedy="look into the guest: it hangs, or its balloon driver was unloaded",
    ),
    Verdict(
        "absurd",
        managed=False,
        reason="its statistics cannot be true",
        remedy="look into the guest: its balloon driver reports more memory than it has, or less than none",
    ),
    Verdict("stuck", managed=False, reason="it did not follow its last target"),
    Verdict("foreign", managed=False, reason="somebody else changed its size a moment ago"),
    Verdict("stale", managed=True, reason="grows only: its statistics are old"),
    Verdict("managed", managed=True, reason="managed"),
)

CODES = {verdict.code: index for index, verdict in enumerate(VERDICTS)}

# What helps where QEMU is started without libvirt, by the code of a verdict or of a finding.
_PLAIN = {
    "no-device": "start its QEMU with -device virtio-balloon-pci",
    "passthrough": "use a virtio device instead, or size the guest with -m where its QEMU is started",
    "vhost-vdpa": "use virtio-net with vhost, or size the guest with -m where its QEMU is started",
    "hugepages": "start its QEMU without -mem-path, and without hugetlb=on",
    "locked": "start its QEMU without -overcommit mem-lock=on",
    "confidential": "size the guest with -m where its QEMU is started",
    "virtio-mem": "size it by its virtio-mem device's requested-size, or start its QEMU without one",
    "group-limit": "raise memory.max of its control group, or lower its ceiling",
    "busy": "why: ballonet doctor {name}",
    "autodeflate-off": "start its QEMU with -device virtio-balloon-pci,deflate-on-oom=on",
    "reporting-off": "start its QEMU with -device virtio-balloon-pci,free-page-reporting=on",
    "unanswered": "{hint}",
}


def remedy_of(code: str, usual: str, hypervisor: str) -> str:
    """Return what helps a guest of this URI's hypervisor; `usual` is what helps one of libvirt's."""
    return usual if sockets_of(hypervisor) is None else _PLAIN.get(code, usual)


def spoken(verdict: Verdict, name: str, hypervisor: str = "") -> Verdict:
    """Return the verdict with its remedy for this guest of the hypervisor of this URI."""
    remedy = remedy_of(verdict.code, verdict.remedy, hypervisor)
    return replace(verdict, remedy=remedy.format(name=name))
