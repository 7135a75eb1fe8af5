"""What goes wrong with a monitor, in our words, each with what to do about it."""

from pathlib import Path

from ballonet.errors import (
    BallonetError,
    DeadlineError,
    HypervisorError,
    NotPermittedError,
    RefusedError,
)
from ballonet.hypervisor.qmp import process
from ballonet.hypervisor.qmp.client import ExecuteError

_SECOND = "-qmp unix:{path}.2,server=on,wait=off"
NO_DEVICE = "start it with -device virtio-balloon-pci,deflate-on-oom=on,free-page-reporting=on"
NOTHING_STORED = "change -m where QEMU is started, and start the guest anew"
_AGENT = (
    "start it with -device virtio-serial-pci "
    "-chardev socket,id=agent,path=/run/vms/NAME.agent,server=on,wait=off "
    "-device virtserialport,chardev=agent,id=agent0,name=org.qemu.guest_agent.0"
)
_AGENT_STATUS = "in the guest: systemctl status qemu-guest-agent"

# One line a socket; QEMU's end of each connection has a line as well, by whether QEMU has taken it.
_LISTS = Path("/proc/net/unix")
_TAKEN, _WAITING = "03", "02"


def refusal(error: ExecuteError, doing: str) -> BallonetError:
    """Return what QEMU's own error means; `doing` says what was tried ("resizing web")."""
    said = " ".join(str(error).split()) or error.error_class
    if error.error_class in {"DeviceNotActive", "DeviceNotFound"}:
        return RefusedError(f"{doing}: the guest has no balloon device", hint=NO_DEVICE)
    if error.error_class == "KVMMissingCap":
        return RefusedError(f"{doing}: this host's KVM cannot do it: {said}", hint="use a newer kernel")
    return HypervisorError(f"{doing}: QEMU says: {said}", hint="look at what QEMU wrote to its log")


def interrupted(doing: str) -> HypervisorError:
    """Return that the connection ended meanwhile."""
    return HypervisorError(f"{doing}: its monitor went away", hint="see who is there: ballonet guests")


def late(doing: str, seconds: float, pid: int | None) -> DeadlineError:
    """Return that a monitor that answered before does not now; `pid` is its QEMU, where it is known."""
    if pid is not None and process.is_stopped(pid):
        return DeadlineError(f"{doing}: QEMU (process {pid}) is stopped", hint=f"kill -CONT {pid}")
    which = f"-p {pid}" if pid is not None else "-C qemu-system-x86_64"
    return DeadlineError(
        f"{doing}: its monitor did not answer within {seconds:g} s",
        hint=f"QEMU hangs: ps -o pid,stat,wchan {which}, where D waits for a disk",
    )


def garbled(path: str) -> HypervisorError:
    """Return that what listens speaks something else."""
    return HypervisorError(
        f"{path} does not speak QMP",
        hint="a human monitor or a guest agent's socket is none: start QEMU with "
        f"-qmp unix:{path},server=on,wait=off",
    )


def silent(path: str, pid: int | None) -> BallonetError:
    """Return why a monitor that can be reached does not say a word: QMP serves one client at a time."""
    if pid is not None and process.is_stopped(pid):
        return DeadlineError(
            f"{path} does not answer: QEMU (process {pid}) is stopped", hint=f"kill -CONT {pid}"
        )
    if _is_in_use(path):
        return HypervisorError(
            f"{path} is in use: another client is connected, and QMP serves one at a time",
            hint="a ballonet service? ask that: ballonet plan; else give QEMU one more monitor: "
            f"{_SECOND.format(path=path)}; who it is: ss -xp | grep {path}",
        )
    return DeadlineError(
        f"{path} does not answer",
        hint="QEMU hangs, or that is the socket of something else: ss -xlp | grep " + path,
    )


def unreachable(path: str, error: OSError) -> BallonetError:
    """Return why a socket that is there cannot be connected to."""
    if isinstance(error, PermissionError):
        return NotPermittedError(
            f"no permission to use {path}", hint="run it as the user that QEMU runs as, or as root"
        )
    if isinstance(error, BlockingIOError):  # others wait for it already
        return silent(path, None)
    return HypervisorError(f"{path}: {error.strerror or error}", hint=f"look at it: ls -l {path}")


# --- agents in guests -------------------------------------------------------------------------------


def no_agent_port() -> HypervisorError:
    """Return that a guest was not given what an agent answers through."""
    return HypervisorError("the guest has no port for an agent", hint=_AGENT)


def no_agent_socket() -> HypervisorError:
    """Return that a guest's port for an agent leads nowhere."""
    return HypervisorError("the port for its agent is no unix socket with a whole path", hint=_AGENT)


def foreign_agent(path: str) -> HypervisorError:
    """Return that another process listens where QEMU says that it does."""
    return HypervisorError(f"another process listens at {path} than at its monitor", hint=_AGENT)


def no_agent() -> HypervisorError:
    """Return that nobody is at the guest's end."""
    return HypervisorError("no agent is connected in the guest", hint=_AGENT_STATUS)


def silent_agent(path: str, seconds: float) -> HypervisorError:
    """Return why an agent does not answer: its port serves one client at a time."""
    if _is_in_use(path):
        return HypervisorError(
            f"the port for its agent, {path}, is in use: another client is connected",
            hint=f"agents serve one at a time; who it is: ss -xp | grep {path}",
        )
    return DeadlineError(f"its agent did not answer within {seconds:g} s", hint=_AGENT_STATUS)


def lost_agent(path: str) -> HypervisorError:
    """Return that the connection to an agent ended before its answer."""
    return HypervisorError(f"the port for its agent, {path}, hung up", hint=f"look at it: ls -l {path}")


def unreachable_agent(path: str, error: OSError) -> BallonetError:
    """Return why the socket of an agent's port cannot be connected to."""
    if isinstance(error, BlockingIOError):  # others wait for it already
        return silent_agent(path, 0.0)
    if isinstance(error, PermissionError):
        return unreachable(path, error)
    return HypervisorError(f"the port for its agent, {path}: {error.strerror or error}", hint=_AGENT)


def _is_in_use(path: str) -> bool:
    """Return whether a listener has taken one connection and lets others wait, as ours then does."""
    try:
        lines = _LISTS.read_text(errors="replace").splitlines()
    except OSError:
        return False
    fields = (line.split(None, 7) for line in lines)
    states = {line[5] for line in fields if len(line) == 8 and _is(line[7], path)}
    return {_TAKEN, _WAITING} <= states


def _is(bound: str, path: str) -> bool:
    """Return whether a socket's name, which may be relative to where QEMU was started, is this path."""
    return bound == path or (not bound.startswith("/") and path.endswith(f"/{bound}"))
