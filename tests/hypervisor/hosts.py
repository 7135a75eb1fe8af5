"""What the tests run on: a fake, libvirt's test driver, and real guests under a libvirtd of their own.

A pytest plugin: the real guests boot once for all files of a group that name them.
"""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from daemon import Daemon
from fake import FakeHypervisor
from monitors import FakeMonitor
from sharing import shared
from subjects import MAXIMUM_BYTES, Machine, PlainMachine, Subject

from ballonet.errors import BallonetError
from ballonet.hypervisor.libvirt import LibvirtHypervisor
from ballonet.hypervisor.qmp import QmpHypervisor
from ballonet.hypervisor.several import SeveralHypervisors
from ballonet.lab.domain import GuestSpec
from ballonet.lab.image import KERNEL_VARIABLE, build
from ballonet.lab.lab import Lab
from ballonet.lab.plain import PlainQemu
from ballonet.units import MIB

# A guest that is stored and need not boot: what stands in it is the driver's type, and what else it says.
OFF = """\
  <domain type='{type}'>
    <name>off</name>
    <memory unit='MiB'>256</memory><vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os>
    <devices><memballoon model='virtio'><stats period='1'/></memballoon></devices>
    {more}
  </domain>
"""
TEST_HOST = f"""\
<node xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
  <domain type='test'>
    <name>web</name>
    <memory unit='MiB'>256</memory><vcpu>1</vcpu><os><type arch='i686'>hvm</type></os>
    <devices><memballoon model='virtio'><stats period='1'/></memballoon></devices>
  </domain>
{OFF.format(type="test", more="<test:runstate>5</test:runstate>").replace("x86_64", "i686")}
</node>
"""


MACHINE = [
    GuestSpec("web", memory_bytes=MAXIMUM_BYTES),
    GuestSpec("api", memory_bytes=MAXIMUM_BYTES // 2),
    GuestSpec("bare", memory_bytes=MAXIMUM_BYTES // 2, balloon=False),
    GuestSpec("mute", memory_bytes=MAXIMUM_BYTES // 2, driver=False, autodeflate=True),
    GuestSpec("full", memory_bytes=160 * MIB, swap_bytes=0),
]


# What a package must say of itself to be one.
CONTROL = "Package: kernel\nVersion: 1\nArchitecture: all\nMaintainer: tests\nDescription: what guests boot\n"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have all labs boot one kernel, downloaded once, from a package that need not be uncompressed."""
    if item.get_closest_marker("real") is None or KERNEL_VARIABLE in os.environ:
        return
    place = tempfile.TemporaryDirectory(prefix="kernel-")
    item.config.add_cleanup(place.cleanup)
    with suppress(BallonetError):  # labs say by themselves what lacks
        os.environ[KERNEL_VARIABLE] = str(_packed(Path(place.name)))


def _packed(place: Path) -> Path:
    build(place)
    tree, package = place / "kernel", place / "kernel.deb"
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(CONTROL)
    words = ["dpkg-deb", "-Znone", "-b", str(tree), str(package)]
    subprocess.run(words, check=True, capture_output=True)
    return package


@contextmanager
def _machine() -> Iterator[Machine]:
    with booted(MACHINE) as found:
        definition = found.daemon.directory / "off.xml"
        definition.write_text(OFF.format(type="qemu", more=""))
        found.daemon.virsh("define", str(definition))
        yield found


@pytest.fixture
def machine() -> Machine:
    return shared.get(_machine)


@contextmanager
def booted(specs: Sequence[GuestSpec]) -> Iterator[Machine]:
    """Boot guests under a libvirtd of their own; they end with the block."""
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("a libvirtd of the tests' own needs a mount namespace, so root")
    # Not tmp_path, which is too long for the names of sockets.
    with tempfile.TemporaryDirectory(prefix="hv-") as place, asyncio.Runner() as runner:
        daemon = Daemon(Path(place) / "daemon")
        try:
            daemon.start()
            lab = runner.run(_lab(Path(place) / "lab", daemon.uri, specs))
            try:
                yield Machine(daemon, lab)
            finally:  # before the directory goes, which names its guests
                runner.run(lab.down())
        finally:
            daemon.kill()


PLAIN = [
    GuestSpec("web", memory_bytes=MAXIMUM_BYTES),
    GuestSpec("bare", memory_bytes=MAXIMUM_BYTES // 2, balloon=False),
    GuestSpec("mute", memory_bytes=MAXIMUM_BYTES // 2, driver=False, autodeflate=True),
]


@pytest.fixture
def plain() -> PlainMachine:
    return shared.get(_plain)


@contextmanager
def _plain() -> Iterator[PlainMachine]:
    with booted_plain(PLAIN) as found:
        yield found


@contextmanager
def booted_plain(specs: Sequence[GuestSpec]) -> Iterator[PlainMachine]:
    """Boot guests under QEMUs of their own; they end with the block."""
    with tempfile.TemporaryDirectory(prefix="qmp-") as place, asyncio.Runner() as runner:
        directory = Path(place) / "lab"
        lab = Lab(directory, PlainQemu(f"qmp:{directory}/monitors/*.qmp"))

        async def boot() -> None:
            await lab.__aenter__()
            await lab.boot(specs)

        try:
            runner.run(boot())
            yield PlainMachine(lab)
        finally:
            runner.run(lab.down())


async def _lab(directory: Path, uri: str, specs: Sequence[GuestSpec]) -> Lab:
    hypervisor = await LibvirtHypervisor.open(uri)
    lab = await Lab(directory, hypervisor).__aenter__()
    await lab.boot(specs)
    await hypervisor.close()
    return lab


@pytest.fixture
async def real(machine: Machine) -> AsyncIterator[LibvirtHypervisor]:
    hypervisor = await LibvirtHypervisor.open(machine.daemon.uri, deadline_seconds=3.0)
    yield hypervisor
    await hypervisor.close()


@pytest.fixture(
    params=[
        "fake",
        "several",
        "test driver",
        "monitors",
        pytest.param("real guests", marks=pytest.mark.real),
        pytest.param("real guests without libvirt", marks=pytest.mark.real),
    ]
)
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param in {"fake", "several", "monitors"}:
        return f"{request.param}:///"
    if request.param == "real guests without libvirt":
        plain: PlainMachine = request.getfixturevalue("plain")
        return plain.uri
    if request.param == "real guests":
        # Asked for here and not by name, so that nothing boots for the other two.
        machine: Machine = request.getfixturevalue("machine")
        return machine.daemon.uri
    (tmp_path / "host.xml").write_text(TEST_HOST)
    return f"test://{tmp_path}/host.xml"


@pytest.fixture
async def subject(uri: str) -> AsyncIterator[Subject]:
    if uri.startswith(("fake:", "several:")):
        first = FakeHypervisor()
        second = FakeHypervisor() if uri.startswith("several:") else first
        first.add("web", MAXIMUM_BYTES)
        second.add("off", MAXIMUM_BYTES, running=False)
        yield Subject(
            first if second is first else SeveralHypervisors({"fake:///1": first, "fake:///2": second})
        )
        return
    if uri.startswith("monitors:"):
        with tempfile.TemporaryDirectory(prefix="qmp-") as place:
            monitor = await FakeMonitor(Path(place) / "a.qmp", maximum_bytes=MAXIMUM_BYTES).start()
            monitors = await QmpHypervisor.open(f"qmp:{place}/*.qmp")
            yield Subject(monitors, stores=False)
            await monitors.close()
            await monitor.stop()
        return
    if uri.startswith("qmp:"):
        plain = await QmpHypervisor.open(uri, deadline_seconds=10.0)
        yield Subject(plain, stores=False)
        await plain.close()
        return
    hypervisor = await LibvirtHypervisor.open(uri, deadline_seconds=10.0)
    real = uri.startswith("qemu")
    yield Subject(hypervisor, reports=real, tells=real)
    await hypervisor.close()
