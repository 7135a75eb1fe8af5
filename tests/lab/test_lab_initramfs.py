import gzip
import stat
import subprocess
from pathlib import Path

import pytest

from ballonet.errors import BallonetError
from ballonet.lab.initramfs import archive, load_order

# As depmod writes it for Debian's cloud kernel: in this one virtio.ko needs virtio_ring.ko.
DEP = """\
kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio_ring.ko:
kernel/drivers/virtio/virtio-pci.ko.xz: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
"""


def test_a_module_comes_after_all_that_it_needs_and_only_once() -> None:
    order = load_order(DEP, ["virtio_pci", "virtio_blk"])
    assert ["virtio_ring.ko", "virtio.ko", "virtio-pci.ko.xz", "virtio_blk.ko"] == [
        Path(path).name for path in order
    ]


def test_what_is_built_into_the_kernel_needs_no_loading() -> None:
    assert [] == load_order("", ["virtio_blk"], "kernel/drivers/block/virtio-blk.ko\n")


def test_a_kernel_without_a_driver_is_refused_by_its_name() -> None:
    with pytest.raises(BallonetError, match="no module virtio_balloon") as caught:
        load_order(DEP, ["virtio_balloon"])
    assert "BALLONET_LAB_KERNEL" in caught.value.hint


def test_cpio_reads_back_what_was_archived(tmp_path: Path) -> None:
    files = {
        "init": (stat.S_IFREG | 0o755, b"#!/bin/sh\n"),
        "bin/deep/tool": (stat.S_IFREG | 0o644, bytes(range(256)) * 5),
        "proc": (stat.S_IFDIR | 0o755, b""),
    }
    subprocess.run(
        ["cpio", "-id", "--quiet"], cwd=tmp_path, input=gzip.decompress(archive(files)), check=True
    )
    assert b"#!/bin/sh\n" == (tmp_path / "init").read_bytes()
    assert 0o755 == stat.S_IMODE((tmp_path / "init").stat().st_mode)
    assert bytes(range(256)) * 5 == (tmp_path / "bin" / "deep" / "tool").read_bytes()
    assert (tmp_path / "proc").is_dir()
