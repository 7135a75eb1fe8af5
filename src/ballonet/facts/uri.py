"""What a hypervisor's URI says: whether it can be one, where its guests run, and which mean the same."""

import os
from collections.abc import Sequence
from urllib.parse import parse_qs, urlencode, urlsplit

from ballonet.errors import UsageError

# libvirt's drivers. It asks its daemon about any other word, so that a slip of the finger would look like a
# daemon that does not run.
_DRIVERS = frozenset(
    {"bhyve", "ch", "esx", "gsx", "hyperv", "lxc", "openvz", "parallels", "qemu", "test", "vbox"}
    | {"vmwarefusion", "vmwareplayer", "vmwarews", "vpx", "vz", "xen"}
)
# What tells two hypervisors of one driver and host apart; keys, users and transports are ways to get there.
_TELLING = ("root", "socket")
_HINT = "URIs look like qemu:///system, qemu:///session or qemu+ssh://root@host/system"
_QMP = "qmp:"
_QMP_HINT = "name sockets of QEMU's monitors: qmp:/run/vms/web.qmp, or in quotes 'qmp:/run/vms/*.qmp'"


def check_uri(uri: str) -> None:
    """Raise UsageError for what is neither a libvirt URI nor names the sockets of QEMU's monitors."""
    if uri.startswith(_QMP):
        _check_sockets(uri)
        return
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:  # "[" without "]", a port that is no number
        raise UsageError(f"{uri!r} is not a URI: {error}", hint=_HINT) from error
    if parts.scheme == "sim":
        raise UsageError(
            f"{uri!r} is a simulated host, which only top shows",
            hint="ballonet top -c sim:SCENARIO; or try policies on it: ballonet sim run SCENARIO",
        )
    if not parts.scheme or "://" not in uri or not uri.isprintable() or " " in uri:
        raise UsageError(f"{uri!r} is not a URI", hint=_HINT)
    if parts.path == "/embed" and not parse_qs(parts.query).get("root", [""])[0].startswith("/"):
        raise UsageError(
            f"{uri!r} does not say where the embedded driver keeps its files",
            hint="give it a directory: qemu:///embed?root=/var/tmp/guests",
        )
    driver = parts.scheme.partition("+")[0]
    if driver not in _DRIVERS:
        raise UsageError(f"no hypervisor is called {driver!r}", hint=_HINT)


def _check_sockets(uri: str) -> None:
    """Raise UsageError for what names no sockets. Blanks stand between URIs where several are shown."""
    path = uri.removeprefix(_QMP)
    if not path or path.endswith("/"):
        raise UsageError(f"{uri!r} names no socket", hint=_QMP_HINT)
    if path.startswith("//"):
        raise UsageError(f"{uri!r} is no path: QMP is spoken on this host only", hint=_QMP_HINT)
    if not uri.isprintable() or " " in uri:
        raise UsageError(f"{uri!r} has a blank in its path", hint="give the sockets a path without blanks")
    if "**" in path:
        raise UsageError(f"{uri!r} looks through whole trees", hint="write * for each directory between")


def sockets_of(uri: str) -> str | None:
    """Return the absolute path, or pattern, of the monitors' sockets; None for a URI of libvirt's."""
    if not uri.startswith(_QMP):
        return None
    return os.path.abspath(os.path.expanduser(uri.removeprefix(_QMP)))  # noqa: PTH100, PTH111 - a pattern


def check_uris(uris: Sequence[str]) -> None:
    """Raise UsageError for what cannot be URIs of hypervisors, or means one hypervisor twice."""
    known: dict[str, str] = {}
    for uri in uris:
        check_uri(uri)
        other = known.get(canonical(uri))
        if other is not None:
            twice = "is named twice" if other == uri else f"is the same hypervisor as {other!r}"
            raise UsageError(f"{uri!r} {twice}", hint="name each hypervisor once")
        known[canonical(uri)] = uri


def host_of(uri: str) -> str:
    """Return the machine that the guests run on, as the URI names it; "" is this one."""
    if uri.startswith(_QMP):
        return ""
    return urlsplit(uri).hostname or ""


def canonical(uri: str) -> str:
    """Return the hypervisor that is meant, however it is reached: by driver, host, path and whose it is."""
    if (sockets := sockets_of(uri)) is not None:
        return f"{_QMP}{sockets}"
    parts = urlsplit(uri)
    query = parse_qs(parts.query)
    host = host_of(uri) + (f":{parts.port}" if parts.port else "")
    path = os.path.normpath(parts.path) if parts.path else ""
    if path == "/session":  # each user has one
        path += f"/{parts.username or ''}" if host else f"/{os.getuid()}"
    telling = urlencode([(key, os.path.normpath(query[key][-1])) for key in _TELLING if key in query])
    return f"{parts.scheme.partition('+')[0]}://{host}{path}{telling and '?'}{telling}"
