"""Guests as QEMU's command line."""

from pathlib import Path

import pytest

from ballonet.errors import BallonetError, UsageError
from ballonet.lab.domain import GuestSpec, Places
from ballonet.lab.image import Image
from ballonet.lab.plain import PlainQemu, command
from ballonet.units import MIB

UUID = "11111111-1111-4111-8111-111111111111"
IMAGE = Image(Path("/image/kernel"), Path("/image/initramfs"), 0.0, Path("/image/initramfs-agent"))


def words(spec: GuestSpec, accelerator: str = "tcg") -> list[str]:
    return command(
        spec, UUID, Places.below(Path("/lab"), spec.name), IMAGE, accelerator, Path("/run/web.qmp")
    )


def after(line: list[str], option: str) -> list[str]:
    return [line[place + 1] for place, word in enumerate(line) if word == option]


def test_a_guest_has_what_its_specification_says() -> None:
    line = words(GuestSpec("web", memory_bytes=256 * MIB, vcpus=2, period_seconds=3, autodeflate=True))
    assert ["guest=web"] == after(line, "-name")
    assert ([UUID], ["256M"], ["2"]) == (after(line, "-uuid"), after(line, "-m"), after(line, "-smp"))
    assert ["unix:/run/web.qmp,server=on,wait=off"] == after(line, "-qmp")
    [balloon] = [device for device in after(line, "-device") if device.startswith("virtio-balloon")]
    assert {"deflate-on-oom=on", "free-page-reporting=on", "guest-stats-polling-interval=3"} <= set(
        balloon.split(",")
    )
    assert 2 == len(after(line, "-drive"))
    assert "lab.driver=1" in after(line, "-append")[0]


def test_what_a_guest_shall_not_have_is_left_out() -> None:
    line = words(GuestSpec("web", balloon=False, driver=False, swap_bytes=0, data_bytes=0), "kvm")
    assert not [word for word in line if "balloon" in word]
    assert [] == after(line, "-drive")
    assert "lab.driver=0" in after(line, "-append")[0]
    assert (["kvm"], ["host"]) == (after(line, "-accel"), after(line, "-cpu"))


def test_only_a_guest_that_is_to_have_an_agent_has_it_and_a_port_for_it() -> None:
    port = "virtserialport,chardev=agent,id=agent0,name=org.qemu.guest_agent.0"
    line = words(GuestSpec("web", agent=True, agent_blocks="guest-exec"))
    assert port in after(line, "-device")
    assert "socket,id=agent,path=/lab/guests/web/agent,server=on,wait=off" in after(line, "-chardev")
    assert ["/image/initramfs-agent"] == after(line, "-initrd")
    assert "lab.blocks=guest-exec" in after(line, "-append")[0]
    line = words(GuestSpec("web"))
    assert port not in after(line, "-device")
    assert ["/image/initramfs"] == after(line, "-initrd")


@pytest.mark.parametrize("uri", ["qmp:/run/web.qmp", "qmp:/run/*/*.qmp", "qemu:///system"])
def test_each_guest_needs_a_socket_of_its_own(uri: str) -> None:
    with pytest.raises(UsageError) as refused:
        PlainQemu(uri)
    assert "*" in refused.value.hint


async def test_what_qemu_says_when_it_does_not_start_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "qemu-system-x86_64"
    fake.write_text("#!/bin/sh\necho 'no such machine' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    starter = PlainQemu(f"qmp:{tmp_path}/monitors/*.qmp")
    with pytest.raises(BallonetError, match="no such machine"):
        await starter.boot(GuestSpec("web"), UUID, Places.below(tmp_path, "web"), IMAGE, "tcg")
