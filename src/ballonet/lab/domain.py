"""A lab guest as libvirt's XML."""

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from ballonet.errors import UsageError
from ballonet.lab.image import Image

MIB = 1 << 20
SWAP = "swap"
DATA = "data"
REPORTS_PORT = "lab.reports"  # the names by which the workload finds its ports
SCHEDULE_PORT = "lab.schedule"
AGENT_PORT = "org.qemu.guest_agent.0"
QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"
NAME_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,19}")


@dataclass(frozen=True, slots=True)
class GuestSpec:
    """A guest to boot: sizes in bytes, times in seconds."""

    name: str
    memory_bytes: int = 512 * MIB  # the maximum
    current_bytes: int | None = None  # the balloon's first target; None: the maximum
    vcpus: int = 1
    period_seconds: int = 1  # between two statistics; 0: none
    autodeflate: bool = False
    free_page_reporting: bool = True
    balloon: bool = True  # there is a device
    driver: bool = True  # and the guest loads its driver
    swap_bytes: int = 512 * MIB  # 0: no swap
    data_bytes: int | None = None  # half for files, half for streams; 0: no data disk; None: `disk_bytes`
    iops: int = 1000  # each disk is held to it; 0: as fast as it goes
    seen: bool = (
        True  # libvirt knows its data disk; if not, that is as files on a network: nobody sees it read
    )
    agent: bool = False  # it has a channel for an agent, and qemu-guest-agent at it
    agent_blocks: str = ""  # commands that the agent refuses, with commas between
    life_seconds: int = 3600  # after which the guest powers itself off

    @property
    def disk_bytes(self) -> int:
        """Return the size of the data disk, by default so large that no half of it fits into memory twice."""
        return 4 * max(self.memory_bytes, 1024 * MIB) if self.data_bytes is None else self.data_bytes

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise UsageError(
                f"a lab guest cannot be named {self.name!r}",
                hint="use up to 20 small letters, digits and dashes, with a letter first",
            )
        if self.memory_bytes < 96 * MIB:
            raise UsageError(
                f"{self.memory_bytes // MIB} MiB is too little for the lab's kernel to boot in",
                hint="give lab guests 96 MiB or more",
            )


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one guest."""

    console: Path
    reports: Path
    schedule: Path  # a socket
    agent: Path  # a socket
    swap: Path
    data: Path

    @classmethod
    def below(cls, directory: Path, name: str) -> "Places":
        """Return the files of the guest of that name in a lab's directory."""
        home = directory / "guests" / name
        names = ("console", "reports", "schedule", "agent", SWAP, DATA)
        return cls(*(home / file for file in names))


def domain_xml(spec: GuestSpec, uuid: str, places: Places, image: Image, accelerator: str) -> str:
    """Return the guest's definition; `accelerator` is "kvm" or "tcg"."""
    domain = ET.Element("domain", type="kvm" if accelerator == "kvm" else "qemu")
    _add(domain, "name", spec.name)
    _add(domain, "uuid", uuid)
    _add(domain, "memory", str(spec.memory_bytes), unit="b")
    _add(domain, "currentMemory", str(spec.current_bytes or spec.memory_bytes), unit="b")
    _add(domain, "vcpu", str(spec.vcpus))
    _add_boot(domain, spec, image, accelerator)
    features = _add(domain, "features")
    _add(features, "acpi")
    if accelerator == "kvm":
        _add(domain, "cpu", mode="host-passthrough")
    else:
        # Translated code: the default cache may take a gigabyte of QEMU's own memory, which is a signal here.
        _add(_add(features, "tcg"), "tb-cache", "32", unit="MiB")
        # A CPU with fast string instructions has the kernel use them, translated byte by byte: with
        # them memory is touched at 90 MiB/s, with this plain one at 250.
        _add(_add(domain, "cpu", mode="custom", match="exact", check="none"), "model", "qemu64")
    for event in ("on_poweroff", "on_crash"):
        _add(domain, event, "destroy")
    _add(domain, "on_reboot", "restart")
    devices = _add(domain, "devices")
    _add(devices, "controller", type="usb", model="none")
    _add_ports(devices, places)
    if spec.agent:
        agent = _add(devices, "channel", type="unix")
        _add(agent, "source", mode="bind", path=str(places.agent))
        _add(agent, "target", type="virtio", name=AGENT_PORT)
    if spec.swap_bytes:
        _add_disk(devices, places.swap, "vda", spec.iops)
    if spec.disk_bytes and spec.seen:
        _add_disk(devices, places.data, "vdb", spec.iops)
    elif spec.disk_bytes:
        _add_unseen_disk(domain, places.data, spec.iops)
    _add_balloon(devices, spec)
    return ET.tostring(domain, encoding="unicode")


def _add(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def _add_boot(domain: ET.Element, spec: GuestSpec, image: Image, accelerator: str) -> None:
    boot = _add(domain, "os")
    _add(boot, "type", "hvm", arch="x86_64", machine="q35")
    _add(boot, "kernel", str(image.kernel))
    _add(boot, "initrd", str(image.agent_initramfs if spec.agent else image.initramfs))
    _add(boot, "cmdline", kernel_words(spec, accelerator))


def kernel_words(spec: GuestSpec, accelerator: str) -> str:
    """Return the command line of the guest's kernel."""
    words = f"console=ttyS0 quiet panic=1 lab.driver={int(spec.driver)} lab.life={spec.life_seconds}"
    words += f" lab.blocks={spec.agent_blocks}" if spec.agent_blocks else ""
    # Debian's kernels zero each page when it is taken, and once more for who takes it: emulated, that halves
    # the speed at which a guest can grow.
    # The kernel waits for ticks of its timer in a loop of fixed length, and ends if none came: on a busy host
    # an emulated processor is faster than they are. Under KVM it leaves the check out by itself.
    return words if accelerator == "kvm" else f"{words} init_on_alloc=0 no_timer_check"


def _add_ports(devices: ET.Element, places: Places) -> None:
    serial = _add(devices, "serial", type="file")
    _add(serial, "source", path=str(places.console))
    reports = _add(devices, "channel", type="file")
    _add(reports, "source", path=str(places.reports), append="on")
    _add(reports, "target", type="virtio", name=REPORTS_PORT)
    schedule = _add(devices, "channel", type="unix")
    _add(schedule, "source", mode="bind", path=str(places.schedule))
    _add(schedule, "target", type="virtio", name=SCHEDULE_PORT)


def _add_disk(devices: ET.Element, place: Path, target: str, iops: int) -> None:
    disk = _add(devices, "disk", type="file", device="disk")
    _add(disk, "driver", name="qemu", type="raw", discard="unmap")
    _add(disk, "source", file=str(place))
    _add(disk, "target", dev=target, bus="virtio")
    _add(disk, "serial", place.name)
    if iops:
        _add(_add(disk, "iotune"), "total_iops_sec", str(iops))


def _add_unseen_disk(domain: ET.Element, place: Path, iops: int) -> None:
    """Give a guest a disk by QEMU's own options: libvirt has no statistics of what it did not make."""
    drive = f"file={place},if=none,id=unseen,format=raw,discard=unmap,throttling.iops-total={iops}"
    device = f"virtio-blk-pci,drive=unseen,serial={place.name},bus=pcie.0,addr=0x10"
    options = _add(domain, f"{{{QEMU_NAMESPACE}}}commandline")
    for word in ("-drive", drive, "-device", device):
        _add(options, f"{{{QEMU_NAMESPACE}}}arg", value=word)


def _add_balloon(devices: ET.Element, spec: GuestSpec) -> None:
    if not spec.balloon:
        _add(devices, "memballoon", model="none")
        return
    switches = {"autodeflate": spec.autodeflate, "freePageReporting": spec.free_page_reporting}
    words = {name: "on" if on else "off" for name, on in switches.items()}
    balloon = _add(devices, "memballoon", model="virtio", **words)
    _add(balloon, "stats", period=str(spec.period_seconds))
