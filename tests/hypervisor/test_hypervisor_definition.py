"""What a domain's XML means for ballooning."""

import pytest

from ballonet.errors import HypervisorError
from ballonet.facts.agent import Channel
from ballonet.facts.guest import Device, Obstacle
from ballonet.hypervisor.libvirt.definition import read_definition
from ballonet.units import GIB, KIB, MIB


def domain(devices: str = "", more: str = "") -> str:
    return f"<domain><memory unit='KiB'>2097152</memory>{more}<devices>{devices}</devices></domain>"


def test_sizes_have_units_and_the_maximum_is_current_where_nothing_else_is() -> None:
    assert (2 * GIB, 2 * GIB) == sizes(domain())
    assert (2 * GIB, 512 * MIB) == sizes(domain(more="<currentMemory unit='MiB'>512</currentMemory>"))
    assert (2 * GIB, 7 * KIB) == sizes(domain(more="<currentMemory>7</currentMemory>"))
    assert (2 * GIB, 4096) == sizes(domain(more="<currentMemory unit='b'>4096</currentMemory>"))


def sizes(xml: str) -> tuple[int, int]:
    definition = read_definition(xml)
    return definition.maximum_bytes, definition.current_bytes


def test_the_device_and_its_features() -> None:
    xml = (
        "<memballoon model='virtio' autodeflate='on' freePageReporting='on'><stats period='5'/></memballoon>"
    )
    expected = Device("virtio", autodeflate=True, free_page_reporting=True, period_seconds=5)
    assert expected == read_definition(domain(xml)).device
    plain = Device("virtio-non-transitional", autodeflate=False, free_page_reporting=False, period_seconds=0)
    assert plain == read_definition(domain("<memballoon model='virtio-non-transitional'/>")).device


def test_the_system_that_its_maker_noted() -> None:
    """As virt-install writes it."""
    noted = (
        '<metadata><libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">'
        '<libosinfo:os id="http://microsoft.com/win/11"/></libosinfo:libosinfo></metadata>'
    )
    assert "http://microsoft.com/win/11" == read_definition(domain(more=noted)).system
    for more in ("", noted.replace(' id="http://microsoft.com/win/11"', "")):
        assert "" == read_definition(domain(more=more)).system


@pytest.mark.parametrize("devices", ["", "<memballoon model='none'/>"])
def test_no_device(devices: str) -> None:
    assert read_definition(domain(devices)).device is None


@pytest.mark.parametrize(
    ("devices", "more", "obstacle"),
    [
        ("<hostdev mode='subsystem' type='pci'/>", "", Obstacle.PASSTHROUGH),
        ("<hostdev mode='subsystem' type='mdev'/>", "", Obstacle.PASSTHROUGH),
        ("<interface type='hostdev'/>", "", Obstacle.PASSTHROUGH),
        ("<disk type='nvme' device='disk'/>", "", Obstacle.PASSTHROUGH),
        ("<interface type='vdpa'/>", "", Obstacle.VHOST_VDPA),
        ("<disk type='vhostvdpa'/>", "", Obstacle.VHOST_VDPA),
        ("", "<memoryBacking><hugepages/></memoryBacking>", Obstacle.HUGEPAGES),
        ("", "<memoryBacking><locked/></memoryBacking>", Obstacle.LOCKED),
        ("", "<launchSecurity type='sev'/>", Obstacle.CONFIDENTIAL),
        ("<memory model='virtio-mem'><target><size>8</size></target></memory>", "", Obstacle.VIRTIO_MEM),
    ],
)
def test_what_defeats_ballooning(devices: str, more: str, obstacle: Obstacle) -> None:
    assert frozenset({obstacle}) == read_definition(domain(devices, more)).obstacles


def test_what_does_not() -> None:
    devices = "<hostdev mode='subsystem' type='usb'/><interface type='network'/><disk type='file'/>"
    backing = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
    devices += "<memory model='dimm'><target><size>8</size></target></memory>"
    found = read_definition(domain(devices, backing))
    assert (frozenset(), False) == (found.obstacles, found.file_backed)


def test_memory_that_is_a_file() -> None:
    backing = "<memoryBacking><source type='file'/><access mode='shared'/></memoryBacking>"
    assert read_definition(domain(more=backing)).file_backed


def test_what_is_no_xml() -> None:
    with pytest.raises(HypervisorError, match="cannot be read"):
        read_definition("<domain>")


def test_our_own_element_is_kept_as_xml_and_others_are_not() -> None:
    wish = (
        "<metadata><x:y xmlns:x='urn:x'/><b:guest xmlns:b='urn:ballonet:guest:1' floor='2 GiB'/></metadata>"
    )

    found = read_definition(domain(more=wish)).metadata

    assert 'guest xmlns:ns0="urn:ballonet:guest:1" floor="2 GiB"' in found
    assert not read_definition(domain(more="<metadata><guest floor='2 GiB'/></metadata>")).metadata
    assert not read_definition(domain()).metadata


@pytest.mark.parametrize(
    ("state", "channel"),
    [
        ("state='connected'", Channel.CONNECTED),
        ("state='disconnected'", Channel.DISCONNECTED),
        ("state='else'", Channel.UNKNOWN),
        ("", Channel.UNKNOWN),
    ],
)
def test_who_is_at_the_channel_of_an_agent(state: str, channel: Channel) -> None:
    others = "<channel type='unix'><target type='virtio' name='other'/></channel>"
    agent = f"<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' {state}/></channel>"

    assert read_definition(domain(others)).channel is None
    assert channel is read_definition(domain(others + agent)).channel
