"""Where the service listens."""

import os
from pathlib import Path

DEFAULT_SOCKET = Path("/run/ballonet/ballonet.sock")


def socket_path() -> Path:
    """Return where commands look for the service: `$BALLONET_SOCKET`, or the usual place."""
    return Path(os.environ.get("BALLONET_SOCKET") or DEFAULT_SOCKET)


def usable(directory: Path) -> bool:
    """Return whether this process may write to a directory that is there."""
    return directory.is_dir() and os.access(directory, os.W_OK | os.X_OK)


def give(what: Path | int, group_id: int) -> None:
    """Have a group own a file, by path or descriptor; raises OSError.

    One that it owns already is left alone: the shipped unit's filter of system calls allows no chown.
    """
    if os.stat(what).st_gid != group_id:  # noqa: PTH116 - a descriptor, too
        os.chown(what, -1, group_id)
