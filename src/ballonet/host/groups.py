"""How much memory the control groups of a process let it have."""

import re
from collections.abc import Iterator
from pathlib import Path

_GROUPS = "sys/fs/cgroup"
# Where each kind of hierarchy is mounted, and what holds its limit; of version 2 alone, or beside version 1.
_UNIFIED = ((_GROUPS, "memory.max"), (f"{_GROUPS}/unified", "memory.max"))
_OLD = ((f"{_GROUPS}/memory", "memory.limit_in_bytes"),)
_LIMIT = re.compile(r"[0-9]{1,20}")
_NONE = 2**62  # version 1 writes nearly 2^63 where there is no limit


def limit_bytes(process: int, root: Path = Path("/")) -> int | None:
    """Return the least limit of a process' control groups, from its own up to the root; None: there is none.

    A guest that grows beyond it is killed by the host's kernel, however much is free beside it.
    """
    limits = [limit for file in _files(process, root) if (limit := _limit(file)) is not None]
    return min(limits, default=None)


def _files(process: int, root: Path) -> Iterator[Path]:
    """Yield all files in which a limit of a process may stand."""
    for line in _text(root / "proc" / str(process) / "cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        places = _UNIFIED if not controllers else _OLD if "memory" in controllers.split(",") else ()
        parts = [part for part in path.split("/") if part]
        if ".." in parts:  # it lies outside of what this process may see
            continue
        for mount, name in places:
            for depth in range(len(parts) + 1):
                yield root.joinpath(mount, *parts[:depth], name)


def _limit(file: Path) -> int | None:
    word = _text(file).strip()  # "max" where there is none
    return int(word) if _LIMIT.fullmatch(word) and int(word) < _NONE else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):  # a path that can be none
        return ""
