"""libvirt's errors in our words: by its codes, each with what to do about it."""

import os

from ballonet.errors import (
    BallonetError,
    DeadlineError,
    HypervisorError,
    NoSuchGuestError,
    NotPermittedError,
    RefusedError,
    UnreachableError,
    UsageError,
)

# The numbers of libvirt's virErrorNumber that mean something of their own.
_INTERNAL = 1
_NO_SUPPORT = 3
_NO_CONNECT = 5
_INVALID_ARGUMENT = 8
_DENIED = frozenset(
    {29, 45, 79, 88, 94}
)  # read-only connection; failed, cancelled, denied, unavailable rights
_NO_GUEST = 42
_INVALID_OPERATION = 55
_TIMEOUT = 68
_UNSUPPORTED = 84
_NO_AGENT = frozenset({74, 86})  # no channel to one; one that does not answer

# How a person gets rights, and how a unit does, whose user logs in nowhere.
_GROUP = "run it with sudo, or join the group: sudo usermod -aG libvirt $USER, then log in again"
_RULE = (
    "polkit must run, with packaging/polkit-1/60-ballonet.rules in /etc/polkit-1/rules.d (docs/service.md, "
    '"Access to libvirt"); then: systemctl restart ballonet'
)
_UNIT_GROUP = (
    "libvirt's socket is for a group: SupplementaryGroups=libvirt in the unit (docs/service.md, "
    '"Access to libvirt"); then: systemctl restart ballonet'
)

# What libvirt refuses, by a word of its text: what that means, and what helps.
_REFUSALS = (
    (
        "balloon",
        "the guest has no balloon device",
        "virt-xml GUEST --edit --memballoon model=virtio, then shut it down and start it again",
    ),
    (
        "maximum memory on an active",
        "a running guest keeps its maximum",
        "store it for the next start with --config, then shut the guest down and start it again",
    ),
    ("not running", "the guest is not running", "virsh start GUEST, or use --config"),
    ("persistent", "the guest is stored nowhere", "virsh dumpxml GUEST > GUEST.xml; virsh define GUEST.xml"),
    ("numa", "its maximum is the sum of its NUMA cells", "change <numa> in its definition: virsh edit GUEST"),
)


def failure(code: int, message: str, doing: str) -> BallonetError:
    """Return what a failed call on a guest means; `doing` says what was tried ("resizing web-1")."""
    said = _plain(message)
    lower = said.lower()
    if code == _NO_GUEST:
        return NoSuchGuestError(f"{doing}: the guest is gone", hint="see who is there: ballonet guests --all")
    if code in _DENIED:
        if "read only" in lower or "read-only" in lower:
            hint = "leave out --read-only, and a URI's socket that ends in -ro"
            return NotPermittedError(f"{doing}: the connection is read-only", hint=hint)
        return NotPermittedError(f"{doing}: {said}", hint=_rights(_RULE))
    if code in _NO_AGENT and "agent" in lower:
        return HypervisorError(f"{doing}: {said}", hint="in the guest: systemctl status qemu-guest-agent")
    if code == _TIMEOUT:
        hint = "see what holds it: virsh domjobinfo GUEST; is its QEMU stopped?"
        return DeadlineError(f"{doing}: something else is at work on the guest", hint=hint)
    if code == _INVALID_OPERATION or (code == _INTERNAL and "no memory balloon" in lower):
        for word, meaning, remedy in _REFUSALS:
            if word in lower:
                return RefusedError(f"{doing}: {meaning}", hint=remedy)
    if code in {_INVALID_ARGUMENT, _INVALID_OPERATION, _NO_SUPPORT, _UNSUPPORTED}:
        return RefusedError(f"{doing}: {said}", hint="see what it has: ballonet show GUEST")
    return HypervisorError(f"{doing}: {said}", hint="see the log: journalctl -u libvirtd -u virtqemud")


def connection_failure(code: int, message: str, uri: str) -> BallonetError:
    """Return why a connection could not be opened."""
    said = _plain(message)
    lower = said.lower()
    if "permission denied" in lower or code in _DENIED:
        hint = _rights(_RULE if code in _DENIED else _UNIT_GROUP)
        return NotPermittedError(f"no permission to use {uri}", hint=hint)
    if code in {_NO_CONNECT, _INVALID_ARGUMENT, _INTERNAL} and (
        "no connection driver" in lower or "uri" in lower
    ):
        return UsageError(
            f"libvirt does not understand the URI {uri!r}: {said}",
            hint="URIs look like qemu:///system, qemu:///session or qemu+ssh://root@host/system",
        )
    if "no such file" in lower or "connection refused" in lower or "failed to connect socket" in lower:
        return UnreachableError(
            f"no libvirt daemon answers at {uri}",
            hint="start it: systemctl start libvirtd (or virtqemud.socket); install it: "
            "apt install libvirt-daemon-system",
        )
    return UnreachableError(f"cannot connect to {uri}: {said}", hint="try: virsh -c URI list")


def _rights(of_unit: str) -> str:
    """Return how this process gets its rights: a person's, or one that systemd started."""
    return of_unit if "NOTIFY_SOCKET" in os.environ else _GROUP


def _plain(message: str) -> str:
    """Return libvirt's text as one line without its prefixes."""
    return " ".join(message.split()).strip(": ") or "libvirt gave no reason"
