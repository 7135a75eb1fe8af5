import os
from pathlib import Path

import pytest

from ballonet.errors import BallonetError
from ballonet.facts.host import HostMeans, HostMemory, HugePool
from ballonet.host.memory import LinuxHost
from ballonet.units import GIB, KIB, MIB

PAGE = os.sysconf("SC_PAGE_SIZE")
HUGE = "sys/kernel/mm/hugepages"
MEMINFO = """\
MemTotal:       16777216 kB
MemFree:         1048576 kB
MemAvailable:    8388608 kB
SwapTotal:       2097152 kB
SwapFree:        1048576 kB
HugePages_Total:       0
"""
PRESSURE = """\
some avg10=12.50 avg60=3.00 avg300=1.00 total=123456
full avg10=0.25 avg60=0.10 avg300=0.00 total=12345
"""
ARCSTATS = """\
13 1 0x01 147 39984 7153245 2134234
name                            type data
size                            4    1073741824
c_min                           4    268435456
c_max                           4    8589934592
"""


def write(root: Path, **files: str) -> LinuxHost:
    places = {
        "meminfo": "proc/meminfo",
        "vmstat": "proc/vmstat",
        "pressure": "proc/pressure/memory",
        "arcstats": "proc/spl/kstat/zfs/arcstats",
        "merged": "sys/kernel/mm/ksm/pages_sharing",
        **{f"{kind}_of_2m": f"{HUGE}/hugepages-2048kB/{kind}_hugepages" for kind in ("nr", "free", "resv")},
        **{f"{kind}_of_1g": f"{HUGE}/hugepages-1048576kB/{kind}_hugepages" for kind in ("nr", "free")},
    }
    for name, text in files.items():
        path = root / places[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return LinuxHost(root)


def test_all_that_a_host_shows(tmp_path: Path) -> None:
    host = write(
        tmp_path,
        meminfo=MEMINFO,
        vmstat="pgfault 5\npswpout 7\n",
        pressure=PRESSURE,
        arcstats=ARCSTATS,
        merged="1000\n",
    )
    expected = HostMemory(
        total_bytes=16 * GIB,
        available_bytes=8 * GIB,
        swap_total_bytes=2 * GIB,
        swap_free_bytes=1 * GIB,
        swapped_out_bytes_total=7 * PAGE,
        pressure_some_ratio=0.125,
        pressure_full_ratio=0.0025,
        arc_shrinkable_bytes=768 * MIB,
        merged_bytes=1000 * PAGE,
    )
    assert expected == host.memory()


def test_what_zswap_takes_was_swapped_out_too(tmp_path: Path) -> None:
    host = write(tmp_path, meminfo=MEMINFO, vmstat="zswpin 1\nzswpout 5\npswpout 7\nzswpwb 2\n")
    assert 12 * PAGE == host.memory().swapped_out_bytes_total


def test_the_hosts_other_means(tmp_path: Path) -> None:
    zswap = "Zswap: 1024 kB\nZswapped: 4096 kB\n"
    host = write(
        tmp_path,
        meminfo=MEMINFO + zswap,
        merged="3\n",
        nr_of_2m="100\n",
        free_of_2m="40\n",
        resv_of_2m="10\n",
        nr_of_1g="2\n",
        free_of_1g="0\n",
    )
    (tmp_path / HUGE / "hugepages-odd").mkdir()
    pools = HugePool(GIB, pages=2, idle_pages=0), HugePool(2 * MIB, pages=100, idle_pages=30)
    assert HostMeans(3 * PAGE, 4 * MIB, MIB, pools) == host.means()
    assert [0, 60 * MIB] == [pool.idle_bytes for pool in pools]


def test_a_host_without_other_means(tmp_path: Path) -> None:
    assert HostMeans() == write(tmp_path).means()
    assert HostMeans() == write(tmp_path, meminfo=MEMINFO, merged="many\n").means()


def test_what_a_host_does_not_show_is_unknown(tmp_path: Path) -> None:
    memory = write(tmp_path, meminfo=MEMINFO).memory()
    assert (None, None, None) == (
        memory.swapped_out_bytes_total,
        memory.pressure_some_ratio,
        memory.pressure_full_ratio,
    )
    assert 0 == memory.arc_shrinkable_bytes


def test_pressure_that_is_refused_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "proc/pressure/memory").mkdir(parents=True)  # reading a directory fails as psi=0 does
    assert None is write(tmp_path, meminfo=MEMINFO).memory().pressure_some_ratio


def test_odd_text_is_passed_over(tmp_path: Path) -> None:
    odd = (
        "MemTotal:  x kB\nMemTotal: 1024 kB\n\nMemAvailable:\nMemFree: 512 kB\nSwapTotal: -1 kB\n\xff\xfe ²\n"
    )
    host = write(tmp_path, meminfo=odd, vmstat="pswpout\n", pressure="some avg10=nan\n", arcstats="size\n")
    memory = host.memory()
    assert 1024 * KIB == memory.total_bytes
    assert 512 * KIB == memory.available_bytes  # Linux before 3.14
    assert 0 == memory.swap_total_bytes
    assert (None, None) == (memory.swapped_out_bytes_total, memory.pressure_some_ratio)


def test_an_arc_below_its_minimum_gives_nothing(tmp_path: Path) -> None:
    host = write(tmp_path, meminfo=MEMINFO, arcstats="size 4 100\nc_min 4 200\n")
    assert 0 == host.memory().arc_shrinkable_bytes


@pytest.mark.parametrize("meminfo", ["", "MemTotal: 1 kB\n", "MemAvailable: 1 kB\n"])
def test_a_host_without_a_size_is_an_error_with_a_hint(tmp_path: Path, meminfo: str) -> None:
    with pytest.raises(BallonetError, match="does not say") as caught:
        write(tmp_path, meminfo=meminfo).memory()
    assert "mount -t proc proc /proc" == caught.value.hint


def test_this_host() -> None:
    memory = LinuxHost().memory()
    assert 0 < memory.available_bytes <= memory.total_bytes
    assert memory.swap_free_bytes <= memory.swap_total_bytes
    assert memory.swapped_out_bytes_total is not None
    assert all(pool.idle_pages <= pool.pages for pool in LinuxHost().means().huge_pools)
