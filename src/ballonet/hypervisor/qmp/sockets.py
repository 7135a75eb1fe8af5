"""Which sockets a `qmp:` URI means at this moment."""

import os
import stat
from glob import glob, has_magic

from ballonet.errors import HypervisorError


def found(pattern: str) -> list[str]:
    """Return the sockets that there are, sorted; one without a wildcard only where it is there."""
    return sorted(path for path in glob(pattern) if _is_socket(path))  # noqa: PTH207 - a pattern


def check_place(pattern: str) -> None:
    """Raise HypervisorError where no socket can come: a single one is missing, or the directory of all is."""
    if not has_magic(pattern):
        if not os.path.lexists(pattern):
            raise HypervisorError(
                f"there is no socket {pattern}",
                hint=f"start QEMU with -qmp unix:{pattern},server=on,wait=off",
            )
        if not _is_socket(pattern):
            raise HypervisorError(f"{pattern} is no socket", hint=f"look at it: ls -l {pattern}")
        return
    place = os.path.dirname(pattern)  # noqa: PTH120 - a pattern
    while has_magic(place):
        place = os.path.dirname(place)  # noqa: PTH120
    if not os.path.isdir(place):  # noqa: PTH112
        raise HypervisorError(
            f"there is no directory {place}", hint=f"make it, and start QEMUs with sockets in it: {pattern}"
        )


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)  # noqa: PTH116 - hundreds, each tick
    except OSError:
        return False
