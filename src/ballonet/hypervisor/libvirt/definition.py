"""What a domain's XML says about its memory: the balloon device, its features, and what defeats it."""

from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from ballonet.errors import HypervisorError, UsageError
from ballonet.facts.agent import Channel
from ballonet.facts.guest import Device, Obstacle
from ballonet.units import parse_size

AGENT = "devices/channel/target[@name='org.qemu.guest_agent.0']"
METADATA = "metadata/{urn:ballonet:guest:1}guest"  # settings that travel with a guest
_OSINFO = "{http://libosinfo.org/xmlns/libvirt/domain/1.0}"
SYSTEM = f"metadata/{_OSINFO}libosinfo/{_OSINFO}os"  # what virt-install and virt-manager note


@dataclass(frozen=True, slots=True)
class Definition:
    """The part of a domain's XML that ballooning depends on."""

    maximum_bytes: int
    current_bytes: int
    device: Device | None
    obstacles: frozenset[Obstacle]
    file_backed: bool = False
    metadata: str = ""  # our own element as XML; empty where there is none
    channel: Channel | None = None  # to an agent in the guest
    system: str = ""  # its operating system as libosinfo names it; empty where nobody noted it


UNREADABLE: Final = Definition(0, 0, None, frozenset())


def read_definition(xml: str) -> Definition:
    """Return what the XML of a domain says; raises `HypervisorError` for XML that is none of a domain."""
    try:
        return _read(ET.fromstring(xml))  # noqa: S314 - libvirt wrote it, and it has no entities
    except (ET.ParseError, ValueError, UsageError) as error:
        raise HypervisorError(
            f"libvirt's XML of a guest cannot be read: {error}", hint="see what it says: virsh dumpxml GUEST"
        ) from error


def _read(domain: ET.Element) -> Definition:
    maximum = _size(domain.find("memory"))
    current = _size(domain.find("currentMemory"))
    return Definition(
        maximum_bytes=maximum,
        current_bytes=current or maximum,
        device=_device(domain.find("devices/memballoon")),
        file_backed=domain.find("memoryBacking/source[@type='file']") is not None,
        metadata=_element(domain.find(METADATA)),
        channel=_channel(domain.find(AGENT)),
        system=_system(domain.find(SYSTEM)),
        obstacles=frozenset(obstacle for obstacle, found in _OBSTACLES.items() if _has(domain, found)),
    )


# A VFIO device pins all guest memory; so does an interface or a disk by vhost-vdpa.
_OBSTACLES = {
    Obstacle.PASSTHROUGH: (
        "devices/hostdev[@type='pci']",
        "devices/hostdev[@type='mdev']",
        "devices/interface[@type='hostdev']",
        "devices/disk[@type='nvme']",
    ),
    Obstacle.VHOST_VDPA: ("devices/interface[@type='vdpa']", "devices/disk[@type='vhostvdpa']"),
    Obstacle.HUGEPAGES: ("memoryBacking/hugepages",),
    Obstacle.LOCKED: ("memoryBacking/locked",),
    Obstacle.CONFIDENTIAL: ("launchSecurity",),
    # libvirt counts it in the sizes that it tells, and refuses to tell the balloon one that does.
    Obstacle.VIRTIO_MEM: ("devices/memory[@model='virtio-mem']",),
}


def _has(domain: ET.Element, paths: tuple[str, ...]) -> bool:
    return any(domain.find(path) is not None for path in paths)


def _device(element: ET.Element | None) -> Device | None:
    """Return the balloon device; libvirt writes model "none" where there is none."""
    if element is None or element.get("model") == "none":
        return None
    stats = element.find("stats")
    return Device(
        model=element.get("model", "virtio"),
        autodeflate=element.get("autodeflate") == "on",
        free_page_reporting=element.get("freePageReporting") == "on",
        period_seconds=max(0, int(stats.get("period", "0"))) if stats is not None else 0,
    )


def _channel(element: ET.Element | None) -> Channel | None:
    """Return who is at a channel's other end; libvirt says it of guests that run."""
    if element is None:
        return None
    state = element.get("state")
    return Channel(state) if state in set(Channel) else Channel.UNKNOWN


def _element(element: ET.Element | None) -> str:
    return "" if element is None else ET.tostring(element, encoding="unicode").strip()


def _system(element: ET.Element | None) -> str:
    return "" if element is None else element.get("id", "")


def _size(element: ET.Element | None) -> int:
    """Return the bytes of <memory unit='KiB'>1048576</memory>; KiB where no unit is given."""
    if element is None or not element.text:
        return 0
    return parse_size(f"{element.text.strip()} {element.get('unit', 'KiB')}", zero=True)
