"""The limits of control groups, in trees as both versions of the interface show them."""

import os
from pathlib import Path

import pytest

from ballonet.host.groups import limit_bytes
from ballonet.units import GIB, MIB

SCOPE = "machine.slice/machine-qemu\\x2d7\\x2dweb.scope"
NONE_OF_VERSION_1 = str(2**63 - 4096)


def limited(root: Path, *lines: str, **limits: str) -> int | None:
    """Return the limit of process 7, whose /proc/7/cgroup has these lines, among groups with these limits."""
    (root / "proc/7").mkdir(parents=True, exist_ok=True)
    (root / "proc/7/cgroup").write_text("".join(f"{line}\n" for line in lines))
    for place, limit in limits.items():
        path = root / "sys/fs/cgroup" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{limit}\n")
    return limit_bytes(7, root)


@pytest.mark.parametrize(
    ("own", "above", "top", "limit"),
    [
        ("max", "max", "max", None),
        (str(2 * GIB), "max", "max", 2 * GIB),
        ("max", str(8 * GIB), "max", 8 * GIB),
        (str(9 * GIB), str(8 * GIB), "max", 8 * GIB),
        ("max", "max", str(GIB), GIB),  # of the container that all of it runs in
        ("x", "", str(2**63), None),
    ],
)
def test_the_least_on_the_way_to_the_root(
    tmp_path: Path, own: str, above: str, top: str, limit: int | None
) -> None:
    limits = {f"{SCOPE}/memory.max": own, "machine.slice/memory.max": above, "memory.max": top}
    assert limit == limited(tmp_path, f"0::/{SCOPE}", **limits)


def test_a_host_with_both_versions(tmp_path: Path) -> None:
    lines = ("4:memory:/machine/web", "3:cpu,cpuacct:/machine/web", f"0::/{SCOPE}")
    limits = {
        "memory/machine/web/memory.limit_in_bytes": str(512 * MIB),
        "memory/memory.limit_in_bytes": NONE_OF_VERSION_1,
        f"unified/{SCOPE}/memory.max": str(GIB),
    }
    assert 512 * MIB == limited(tmp_path, *lines, **limits)
    limits["memory/machine/web/memory.limit_in_bytes"] = NONE_OF_VERSION_1
    assert GIB == limited(tmp_path, *lines, **limits)


@pytest.mark.parametrize("line", ["0::/../../other", "", "0", "::", "0::/gone", "5:memory"])
def test_what_cannot_be_seen_limits_nothing(tmp_path: Path, line: str) -> None:
    (tmp_path / "sys/fs/other").mkdir(parents=True)
    (tmp_path / "sys/fs/other/memory.max").write_text("1\n")
    assert limited(tmp_path, line) is None
    assert limit_bytes(8, tmp_path) is None


def test_this_process_has_a_limit_that_it_lives_within_or_none() -> None:
    limit = limit_bytes(os.getpid())
    assert limit is None or limit > 16 * MIB
