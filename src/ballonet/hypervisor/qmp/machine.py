"""What QEMU says of a guest beside its statistics: identity, sizes, balloon device, and what defeats that."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from ballonet.facts.agent import Channel
from ballonet.facts.guest import Device, Obstacle, State
from ballonet.hypervisor.qmp import process
from ballonet.hypervisor.readings import known

LONGEST_NAME = 255
POLLING = "guest-stats-polling-interval"

# QEMU's run states that are not simply "paused", and the job that some of them are.
_STATES: Final[Mapping[str, tuple[State, str | None]]] = {
    "running": (State.RUNNING, None),
    "colo": (State.RUNNING, "replication"),
    "suspended": (State.SUSPENDED, None),
    "shutdown": (State.SHUTTING_DOWN, None),
    "guest-panicked": (State.CRASHED, None),
    "inmigrate": (State.PAUSED, "migration in"),
    "finish-migrate": (State.PAUSED, "migration out"),
    "postmigrate": (State.PAUSED, "migration out"),
    "save-vm": (State.PAUSED, "save"),
    "restore-vm": (State.PAUSED, "restore"),
}
# A migration that is over, one way or the other.
_OVER = frozenset({"none", "completed", "failed", "cancelled"})

# The balloon's types, by what libvirt calls them; of QOM's types, those that pin all of a guest's memory.
_BALLOONS = {
    "virtio-balloon-pci": "virtio",
    "virtio-balloon-pci-transitional": "virtio-transitional",
    "virtio-balloon-pci-non-transitional": "virtio-non-transitional",
    "virtio-balloon-ccw": "virtio",
    "virtio-balloon-device": "virtio",
}
_PLACES = ("/machine/peripheral", "/machine/peripheral-anon")
_PORT, AGENT_PORT = "virtserialport", "org.qemu.guest_agent.0"
# Some MiB are locked for io_uring and the like; what locks or pins a guest takes all of it.
_PINNED_SHARE = 0.25


class Ask(Protocol):
    """How QEMU is asked: one command with its arguments; None where this QEMU refuses it."""

    async def __call__(self, command: str, arguments: Mapping[str, object] | None = None, /) -> object:
        """Return the answer."""


@dataclass(frozen=True, slots=True)
class Port:
    """The port that a guest has for an agent in it."""

    channel: Channel
    path: str  # of the socket at the host's end, as an absolute path; "" where none is known


@dataclass(frozen=True, slots=True)
class Machine:
    """What is read when a monitor is connected to, and now and then."""

    name: str
    uuid: str
    state: State
    job: str | None
    maximum_bytes: int | None
    actual_bytes: int | None
    balloon: str  # the device's path in QEMU's object model; "" where there is none
    device: Device | None
    obstacles: frozenset[Obstacle]
    port: Port | None
    process: int | None
    threads: tuple[int, ...]  # one a virtual processor


async def read_machine(ask: Ask, path: str, usual_name: str, listener: int | None) -> Machine:
    """Return what QEMU says; what it does not say, or says in no way that is known, is unknown."""
    cpus = _list(await ask("query-cpus-fast"))
    threads = tuple(number for cpu in cpus if (number := known(cpu.get("thread-id"))))
    mine = listener is not None and threads and process.has_thread(listener, threads[0])
    state, job = await read_state(ask)
    name = _text(_dict(await ask("query-name")).get("name")) or usual_name
    maximum = await _maximum(ask)
    devices = await _devices(ask)
    balloon, device = await _balloon(ask, devices)
    actual = known(_dict(await ask("query-balloon")).get("actual")) if balloon else maximum
    own = listener if mine else None
    return Machine(
        name=name,
        uuid=uuid_of(_dict(await ask("query-uuid")).get("UUID"), name, usual_name, path),
        state=state,
        job=job,
        maximum_bytes=maximum,
        actual_bytes=actual,
        balloon=balloon,
        device=device,
        obstacles=await _obstacles(ask, devices, maximum, own),
        port=await _port(ask, devices, own),
        process=own,
        threads=threads if mine else (),
    )


async def read_state(ask: Ask) -> tuple[State, str | None]:
    """Return what the guest is doing, and the job that holds it."""
    status = _text(_dict(await ask("query-status")).get("status"))
    state, job = _STATES.get(status, (State.PAUSED if status else State.UNKNOWN, None))
    if job is None:
        migration = _text(_dict(await ask("query-migrate")).get("status")) or "none"
        job = None if migration in _OVER else "migration out"
    return state, job


def uuid_of(said: object, name: str, usual_name: str, path: str) -> str:
    """Return a guest's UUID, or one made up for a guest without: the same whenever it is asked.

    It is made of its name, so that two monitors of one guest agree; of its socket's path where it was given
    no name (`usual_name` is then what it goes by).
    """
    try:
        found = UUID(_text(said))
    except ValueError:
        found = UUID(int=0)
    if found.int:
        return str(found)
    return str(uuid5(NAMESPACE_URL, f"qmp:{path}" if name == usual_name else f"qmp-name:{name}"))


def usual_name(pattern: str, path: str) -> str:
    """Return the name of a guest that was given none: the last part of its path that the pattern leaves open.

    Of /run/*/qmp.sock that is the directory; what follows the last dot is left out.
    """
    pairs = list(zip(Path(pattern).parts, Path(path).parts, strict=False))
    changing = [found for wanted, found in pairs if any(sign in wanted for sign in "*?[")]
    return Path(changing[-1] if changing else path).stem[:LONGEST_NAME]


async def _maximum(ask: Ask) -> int | None:
    """Return what a balloon may leave the guest: all it has but virtio-mem's, which no balloon takes from."""
    summary = _dict(await ask("query-memory-size-summary"))
    base = known(summary.get("base-memory"))
    if base is None or not known(summary.get("plugged-memory")):
        return base
    devices = _list(await ask("query-memory-devices"))
    modules = [_dict(each.get("data")) for each in devices if each.get("type") == "dimm"]
    return base + sum(known(each.get("size")) or 0 for each in modules)


async def _devices(ask: Ask) -> dict[str, str]:
    """Return the types of all devices that were added to the machine, by their paths."""
    found = {}
    for place in _PLACES:
        for item in _list(await ask("qom-list", {"path": place})):
            kind = _text(item.get("type"))
            if kind.startswith("child<"):
                found[f"{place}/{_text(item.get('name'))}"] = kind.removeprefix("child<").removesuffix(">")
    return found


async def _balloon(ask: Ask, devices: Mapping[str, str]) -> tuple[str, Device | None]:
    """Return the path of the balloon device and what it was given; QEMU has one at most."""
    path = next((path for path, kind in devices.items() if kind in _BALLOONS), "")
    if not path:
        return "", None

    async def value(name: str) -> object:
        return await ask("qom-get", {"path": path, "property": name})

    return path, Device(
        model=_BALLOONS[devices[path]],
        autodeflate=await value("deflate-on-oom") is True,
        free_page_reporting=await value("free-page-reporting") is True,
        period_seconds=known(await value(POLLING)) or 0,
        driver=await has_driver(ask, path),
    )


async def has_driver(ask: Ask, balloon: str) -> bool | None:
    """Return whether the guest's driver has the device; None where QEMU cannot tell (before 7.2)."""
    for path in (f"{balloon}/virtio-backend", balloon):
        status = _dict(await ask("x-query-virtio-status", {"path": path}))
        if isinstance(started := status.get("started"), bool):
            return started
    return None


async def _port(ask: Ask, devices: Mapping[str, str], own: int | None) -> Port | None:
    """Return the port for an agent, where one of the machine's ports has the agent's name."""
    for path in (path for path, kind in devices.items() if kind == _PORT):
        if await ask("qom-get", {"path": path, "property": "name"}) == AGENT_PORT:
            label = _text(await ask("qom-get", {"path": path, "property": "chardev"}))
            return Port(await _channel(ask, label), await _end(ask, label, own))
    return None


async def _channel(ask: Ask, label: str) -> Channel:
    """Return whether anybody in the guest has opened what this character device of QEMU's leads to."""
    for each in _list(await ask("query-chardev")):
        if each.get("label") == label and isinstance(is_open := each.get("frontend-open"), bool):
            return Channel.CONNECTED if is_open else Channel.DISCONNECTED
    return Channel.UNKNOWN


async def _end(ask: Ask, label: str, own: int | None) -> str:
    """Return the socket that a character device of QEMU's is; "" where it is none, or not to be found."""
    address = _dict(await ask("qom-get", {"path": f"/chardevs/{label}", "property": "addr"}))
    path = address.get("path")
    if address.get("type") != "unix" or address.get("abstract") or not isinstance(path, str):
        return ""
    if not path.isprintable() or (own is None and not path.startswith("/")):
        return ""
    return path if own is None else os.path.join(process.directory(own), path)  # noqa: PTH118 - any text


async def _obstacles(
    ask: Ask, devices: Mapping[str, str], maximum: int | None, own: int | None
) -> frozenset[Obstacle]:
    """Return why taking memory would free none, by QEMU's devices and by what the kernel says of it."""
    found = set()
    if any(kind.startswith("vfio-") for kind in devices.values()):
        found.add(Obstacle.PASSTHROUGH)
    if any(kind.startswith("vhost-vdpa") for kind in devices.values()):
        found.add(Obstacle.VHOST_VDPA)
    shield = await ask("qom-get", {"path": "/machine", "property": "confidential-guest-support"})
    if _text(shield):
        found.add(Obstacle.CONFIDENTIAL)
    kept = process.kept(own) if own is not None else process.Kept()
    least = _PINNED_SHARE * (maximum or 0)
    if kept.huge:  # those that it touched so far
        found.add(Obstacle.HUGEPAGES)
    if least and not found & {Obstacle.PASSTHROUGH, Obstacle.VHOST_VDPA, Obstacle.CONFIDENTIAL}:
        if kept.pinned > least:
            found.add(Obstacle.VHOST_VDPA)
        elif kept.locked > least:
            found.add(Obstacle.LOCKED)
    return frozenset(found)


def _dict(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Mapping[str, object]]:
    return [_dict(item) for item in value] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:LONGEST_NAME] if isinstance(value, str) else ""
