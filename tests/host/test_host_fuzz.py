"""Text under /proc that no kernel writes: unknown where it is no number, and never a fault."""

import math
from dataclasses import astuple
from pathlib import Path

import pytest
from fuzzing import fuzzed, well_said
from hypothesis import given
from hypothesis import strategies as st

from ballonet.errors import BallonetError
from ballonet.host.groups import limit_bytes
from ballonet.host.memory import LinuxHost
from ballonet.host.residents import ProcessResidents

UUID = "11111111-1111-4111-8111-111111111111"
PLACES = (
    "proc/meminfo",
    "proc/vmstat",
    "proc/pressure/memory",
    "proc/spl/kstat/zfs/arcstats",
    "sys/kernel/mm/ksm/pages_sharing",
)

words = st.sampled_from(
    [
        "MemTotal:",
        "MemAvailable:",
        "MemFree:",
        "SwapTotal:",
        "pswpout",
        "size",
        "c_min",
        "some",
        "full",
        "4",
        "kB",
    ]
)
numbers = st.sampled_from(["0", "1024", "-1", "9" * 5000, "9" * 30, "1e5", "avg10=0.5", "avg10=" + "9" * 400])
lines = st.lists(words | numbers | st.text(max_size=5), max_size=5).map(" ".join)
texts = st.lists(lines, max_size=12).map("\n".join).map(str.encode) | st.binary(max_size=200)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("host")
    for place in PLACES:
        (found / place).parent.mkdir(parents=True, exist_ok=True)
    return found


@fuzzed
@given(
    given_texts=st.tuples(texts, texts, texts, texts, texts | numbers.map(str.encode)), sized=st.booleans()
)
def test_any_text_is_the_hosts_memory_or_refused(
    root: Path, given_texts: tuple[bytes, ...], *, sized: bool
) -> None:
    for place, text in zip(PLACES, given_texts, strict=True):
        (root / place).write_bytes(text)
    if sized:
        (root / PLACES[0]).write_bytes(b"MemTotal: 1024 kB\nMemAvailable: 512 kB\n" + given_texts[0])

    try:
        memory = LinuxHost(root).memory()
    except BallonetError as error:
        well_said(error)
        assert not sized
    else:
        facts = [fact for fact in astuple(memory) if fact is not None]
        assert all(math.isfinite(fact) and fact >= 0 for fact in facts)
        ratios = (memory.pressure_some_ratio, memory.pressure_full_ratio)
        assert all(ratio is None or 0.0 <= ratio <= 1.0 for ratio in ratios)


SOUND = b"7 (qemu) S" + b" 1" * 18 + b" 500 0"
QEMU = b"qemu\0-uuid\0" + UUID.encode() + b"\0"
statms = st.sampled_from([b"10 5 1", b"10 -5 1", b"10 " + b"9" * 100, b"10", b"", b"\xff \xff"]) | st.binary()
stats = st.sampled_from([SOUND, b"", b")", SOUND.replace(b"500", b"9" * 400), SOUND.replace(b"500", b"-1")])


@fuzzed
@given(
    st.sampled_from([QEMU, QEMU[:-5], b"-uuid\0"]) | st.binary(),
    stats | st.binary(),
    statms,
    st.sampled_from([b"cpu 1\nbtime 1700000000\n", b"cpu\nbtime x\n", b"cpu\nbtime 1e999\n"]) | st.binary(),
)
def test_any_process_is_read_or_passed_over(
    tmp_path_factory: pytest.TempPathFactory, command_line: bytes, stat: bytes, statm: bytes, host: bytes
) -> None:
    root = tmp_path_factory.mktemp("processes")
    (root / "proc/7").mkdir(parents=True)
    (root / "proc/stat").write_bytes(host)
    for name, content in (("cmdline", command_line), ("stat", stat), ("statm", statm)):
        (root / "proc/7" / name).write_bytes(content)
    residents = ProcessResidents(root)

    residents.follow([UUID])
    started = residents.started_at(UUID)
    resident = residents.read()

    assert started is None or math.isfinite(started)
    assert all(0 < size < 2**64 for size in resident.values())
    residents.follow([])


groups = (
    st.sampled_from(["0::/a/b", "4:memory:/a", "4:cpu,memory:/", "0::/../a", "0::/\x00", "::", "0"])
    | st.text()
)


@fuzzed
@given(st.lists(groups, max_size=4).map("\n".join).map(str.encode) | st.binary(), numbers | st.text())
def test_any_control_group_is_a_limit_or_none(
    tmp_path_factory: pytest.TempPathFactory, lines: bytes, limit: str
) -> None:
    root = tmp_path_factory.mktemp("groups")
    (root / "proc/7").mkdir(parents=True)
    (root / "proc/7/cgroup").write_bytes(lines)
    for place in ("a/b/memory.max", "a/memory.max", "memory/a/memory.limit_in_bytes", "unified/memory.max"):
        path = root / "sys/fs/cgroup" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(limit, errors="replace")

    found = limit_bytes(7, root)

    assert found is None or 0 <= found < 2**63
