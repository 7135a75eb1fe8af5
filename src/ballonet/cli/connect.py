"""From `-c URI` to a hypervisor: the one place that chooses the adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

from ballonet.cli.context import Context
from ballonet.engine.ports import Hypervisor
from ballonet.errors import UsageError
from ballonet.hypervisor.libvirt import LibvirtHypervisor

# libvirt's drivers. It asks its daemon about any other word, so that a slip of the finger would look like a
# daemon that does not run.
_DRIVERS = frozenset(
    {"bhyve", "ch", "esx", "gsx", "hyperv", "lxc", "openvz", "parallels", "qemu", "test", "vbox"}
    | {"vmwarefusion", "vmwareplayer", "vmwarews", "vpx", "vz", "xen"}
)


@asynccontextmanager
async def connect(context: Context, *, deadline_seconds: float = 5.0) -> AsyncIterator[Hypervisor]:
    """Open the hypervisor that `-c` names for the length of a block.

    Raises UsageError for what is no URI, HypervisorError or NotPermittedError where it cannot be reached.
    """
    check_uri(context.uri)
    hypervisor = await LibvirtHypervisor.open(
        context.uri, read_only=context.read_only, deadline_seconds=deadline_seconds
    )
    try:
        yield hypervisor
    finally:
        await hypervisor.close()


def check_uri(uri: str) -> None:
    """Raise UsageError for what cannot be a libvirt URI."""
    hint = "URIs look like qemu:///system, qemu:///session or qemu+ssh://root@host/system"
    try:
        parts = urlsplit(uri)
    except ValueError as error:  # "[" without "]"
        raise UsageError(f"{uri!r} is not a URI: {error}", hint=hint) from error
    if not parts.scheme or "://" not in uri or any(character.isspace() for character in uri):
        raise UsageError(f"{uri!r} is not a URI", hint=hint)
    if parts.path == "/embed" and not parse_qs(parts.query).get("root", [""])[0].startswith("/"):
        raise UsageError(
            f"{uri!r} does not say where the embedded driver keeps its files",
            hint="give it a directory: qemu:///embed?root=/var/tmp/guests",
        )
    driver = parts.scheme.partition("+")[0]
    if driver not in _DRIVERS:
        raise UsageError(f"no hypervisor is called {driver!r}", hint=hint)
