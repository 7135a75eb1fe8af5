"""The one directory that holds everything of a lab."""

import os
from pathlib import Path
from urllib.parse import quote

from ballonet.errors import BallonetError, UsageError

MARKER = "ballonet-lab"  # only a directory with this file in it is ever removed
# Sockets below it have names of their own, and a socket's path has at most 107 characters.
LONGEST_PATH = 50
# What libvirt's embedded driver needs where there is no daemon, no systemd and perhaps no cgroups.
QEMU_CONF = """\
stdio_handler = "file"
security_driver = "none"
namespaces = []
cgroup_controllers = []
dynamic_ownership = 0
remember_owner = 0
"""
QEMU_CONF_OF_ROOT = 'user = "root"\ngroup = "root"\n'


def claim(directory: Path) -> Path:
    """Make a directory, or take an empty or claimed one, for a lab; return its absolute path."""
    path = directory.absolute()
    length = len(os.fsencode(path))
    if length > LONGEST_PATH:
        raise UsageError(
            f"the lab's directory has {length} characters: too long for the names of sockets below it",
            hint=f"use a directory whose whole path has at most {LONGEST_PATH} characters",
        )
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_uid != os.getuid():
        raise BallonetError(f"{path} belongs to somebody else", hint="give another place: --directory DIR")
    if any(path.iterdir()) and not is_lab(path):
        raise UsageError(
            f"{path} holds other files, and a lab's directory is removed at its end",
            hint="give a directory that is empty or does not exist",
        )
    (path / MARKER).touch()
    return path


def is_lab(directory: Path) -> bool:
    """Return whether a lab of this user made this directory, so that it may be removed with its guests.

    Another user's is not: the UUIDs in it would name whatever guests that user wants to see ended.
    """
    return (directory / MARKER).is_file() and directory.stat().st_uid == os.getuid()


def embedded_uri(directory: Path) -> str:
    """Prepare a lab's directory for libvirt's embedded driver and return the URI to open.

    Call it before libvirt is loaded: it is told by the environment not to write its log to the terminal.
    """
    root = claim(directory) / "libvirt"
    (root / "etc").mkdir(parents=True, exist_ok=True)
    (root / "etc" / "qemu.conf").write_text(QEMU_CONF + (QEMU_CONF_OF_ROOT if os.getuid() == 0 else ""))
    os.environ.setdefault("LIBVIRT_LOG_OUTPUTS", f"2:file:{root}/libvirt.log")
    return f"qemu:///embed?root={quote(str(root))}"
