"""Which boot of the host it is."""

from pathlib import Path

import pytest

from ballonet.host import boot


def test_a_boot_has_one_name() -> None:
    assert boot.boot_id() == boot.boot_id()
    assert len(boot.boot_id() or "") == len("00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_where_the_kernel_does_not_say_it_is_unknown(
    content: bytes | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "boot_id"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(boot, "_BOOT_ID", file)

    assert boot.boot_id() is None
