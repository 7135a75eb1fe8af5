"""libvirt's errors in our words: by its codes, each with what to do about it."""

from ballonet.errors import (
    BallonetError,
    HypervisorError,
    NoSuchGuestError,
    NotPermittedError,
    RefusedError,
    UsageError,
)

# The numbers of libvirt's virErrorNumber that mean something of their own.
_NO_SUPPORT = 3
_INVALID_ARGUMENT = 8
_DENIED = frozenset({29, 45, 88})  # read-only connection, AUTH_FAILED, ACCESS_DENIED
_NO_CONNECT = 5
_SYSTEM_ERROR = 38
_NO_GUEST = 42
_INVALID_OPERATION = 55
_UNSUPPORTED = 84

_GROUP = "run it with sudo, or join the group: sudo usermod -aG libvirt $USER, then log in again"


def failure(code: int, message: str, doing: str) -> BallonetError:
    """Return what a failed call on a guest means; `doing` says what was tried ("resizing web-1")."""
    said = _plain(message)
    lower = said.lower()
    if code == _NO_GUEST:
        return NoSuchGuestError(f"{doing}: the guest is gone", hint="see who is there: ballonet guests --all")
    if code in _DENIED:
        if "read only" in lower or "read-only" in lower:
            return NotPermittedError(f"{doing}: the connection is read-only", hint="leave out --read-only")
        return NotPermittedError(f"{doing}: {said}", hint=_GROUP)
    if code == _INVALID_OPERATION and "balloon" in lower:
        return RefusedError(
            f"{doing}: the guest has no balloon device",
            hint="virt-xml GUEST --edit --memballoon model=virtio, then shut it down and start it again",
        )
    if code == _INVALID_OPERATION and "maximum" in lower:
        return RefusedError(
            f"{doing}: a running guest keeps its maximum",
            hint="store it for the next start with --config, then shut the guest down and start it again",
        )
    if code == _INVALID_OPERATION and "not running" in lower:
        return RefusedError(f"{doing}: the guest is not running", hint="virsh start GUEST, or use --config")
    if code == 1 and "no memory balloon" in lower:
        return RefusedError(
            f"{doing}: the guest has no balloon device",
            hint="virt-xml GUEST --edit --memballoon model=virtio, then shut it down and start it again",
        )
    if code in {_INVALID_ARGUMENT, _INVALID_OPERATION, _NO_SUPPORT, _UNSUPPORTED}:
        return RefusedError(f"{doing}: {said}", hint="see what it has: ballonet show GUEST")
    return HypervisorError(f"{doing}: {said}", hint="see the log: journalctl -u libvirtd -u virtqemud")


def connection_failure(code: int, message: str, uri: str) -> BallonetError:
    """Return why a connection could not be opened."""
    said = _plain(message)
    lower = said.lower()
    if "permission denied" in lower or code in _DENIED:
        return NotPermittedError(f"no permission to use {uri}", hint=_GROUP)
    if code in {_NO_CONNECT, _INVALID_ARGUMENT, 1} and ("no connection driver" in lower or "uri" in lower):
        return UsageError(
            f"libvirt does not understand the URI {uri!r}: {said}",
            hint="URIs look like qemu:///system, qemu:///session or qemu+ssh://root@host/system",
        )
    if "no such file" in lower or "connection refused" in lower or "failed to connect socket" in lower:
        return HypervisorError(
            f"no libvirt daemon answers at {uri}",
            hint="start it: systemctl start libvirtd (or virtqemud.socket); install it: "
            "apt install libvirt-daemon-system",
        )
    return HypervisorError(f"cannot connect to {uri}: {said}", hint="try: virsh -c URI list")


def _plain(message: str) -> str:
    """Return libvirt's text as one line without its prefixes."""
    return " ".join(message.split()).strip(": ") or "libvirt gave no reason"
