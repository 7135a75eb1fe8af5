"""A lab guest as QEMU's command line: guests without libvirt, each with a monitor of its own."""

import asyncio
import subprocess
from pathlib import Path

from ballonet.errors import BallonetError, UsageError
from ballonet.facts.uri import sockets_of
from ballonet.lab.domain import (
    AGENT_PORT,
    DATA,
    MIB,
    REPORTS_PORT,
    SCHEDULE_PORT,
    SWAP,
    GuestSpec,
    Places,
    kernel_words,
)
from ballonet.lab.image import Image


class PlainQemu:
    """Starts guests whose monitors are the sockets of a `qmp:` URI, the guests' names in place of its `*`."""

    def __init__(self, uri: str) -> None:
        self._pattern = sockets_of(uri) or ""
        if self._pattern.count("*") != 1:
            raise UsageError(
                f"{uri!r} does not say where each guest's monitor is to be",
                hint="write one *, where its name is to stand: -c 'qmp:/run/vms/*.qmp'",
            )

    async def boot(self, spec: GuestSpec, uuid: str, places: Places, image: Image, accelerator: str) -> None:
        """Start a guest; its process goes on by itself, and its monitor listens when this returns."""
        monitor = Path(self._pattern.replace("*", spec.name))
        monitor.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        words = command(spec, uuid, places, image, accelerator, monitor)
        ran = await asyncio.to_thread(
            subprocess.run, words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            said = (ran.stderr.strip().splitlines() or ["nothing"])[-1]
            raise BallonetError(
                f"QEMU did not start {spec.name}: {said}", hint="try: qemu-system-x86_64 -version"
            )


def command(
    spec: GuestSpec, uuid: str, places: Places, image: Image, accelerator: str, monitor: Path
) -> list[str]:
    """Return the words that start a guest, as libvirt would start the same one."""
    emulated = accelerator != "kvm"
    initramfs = image.agent_initramfs if spec.agent else image.initramfs
    return [
        "qemu-system-x86_64",
        *("-name", f"guest={spec.name}", "-uuid", uuid, "-machine", "q35,usb=off"),
        # A small cache of translated code, and a plain processor: see `domain.py`.
        *("-accel", "tcg,tb-size=32" if emulated else "kvm", "-cpu", "qemu64" if emulated else "host"),
        *("-smp", str(spec.vcpus), "-m", f"{spec.memory_bytes // MIB}M"),
        *("-nodefaults", "-no-user-config", "-display", "none", "-daemonize"),
        *("-kernel", str(image.kernel), "-initrd", str(initramfs)),
        *("-append", kernel_words(spec, accelerator)),
        *("-qmp", f"unix:{monitor},server=on,wait=off", "-serial", f"file:{places.console}"),
        *_ports(places),
        *(_agent(places) if spec.agent else ()),
        *_disk(places.swap, SWAP, spec.swap_bytes, spec.iops),
        *_disk(places.data, DATA, spec.disk_bytes, spec.iops),
        *_balloon(spec),
    ]


def _ports(places: Places) -> list[str]:
    return [
        *("-device", "virtio-serial-pci"),
        *("-chardev", f"file,id=reports,path={places.reports},append=on"),
        *("-device", f"virtserialport,chardev=reports,name={REPORTS_PORT}"),
        *("-chardev", f"socket,id=schedule,path={places.schedule},server=on,wait=off"),
        *("-device", f"virtserialport,chardev=schedule,name={SCHEDULE_PORT}"),
    ]


def _agent(places: Places) -> list[str]:
    return [
        *("-chardev", f"socket,id=agent,path={places.agent},server=on,wait=off"),
        *("-device", f"virtserialport,chardev=agent,id=agent0,name={AGENT_PORT}"),
    ]


def _disk(place: Path, name: str, size_bytes: int, iops: int) -> list[str]:
    if not size_bytes:
        return []
    throttle = f",throttling.iops-total={iops}" if iops else ""
    drive = f"file={place},format=raw,if=none,id={name},discard=unmap{throttle}"
    return ["-drive", drive, "-device", f"virtio-blk-pci,drive={name},serial={name}"]


def _balloon(spec: GuestSpec) -> list[str]:
    if not spec.balloon:
        return []
    switches = {"deflate-on-oom": spec.autodeflate, "free-page-reporting": spec.free_page_reporting}
    words = [f"{name}={'on' if on else 'off'}" for name, on in switches.items()]
    period = f"guest-stats-polling-interval={spec.period_seconds}"
    return ["-device", ",".join(["virtio-balloon-pci,id=balloon0", *words, period])]
