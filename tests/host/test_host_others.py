from pathlib import Path

from ballonet.facts.host import OtherWriter
from ballonet.host.others import other_writers


def process(root: Path, pid: int, comm: str, *command: str) -> None:
    directory = root / "proc" / str(pid)
    directory.mkdir(parents=True)
    (directory / "comm").write_text(f"{comm}\n")
    (directory / "cmdline").write_bytes("\0".join([*command, ""]).encode())


def test_a_host_without_any(tmp_path: Path) -> None:
    process(tmp_path, 1, "systemd", "/sbin/init")
    process(tmp_path, 2, "vim", "vim", "/root/momd.conf", "/usr/sbin/momd")
    assert [] == other_writers(tmp_path)
    assert [] == other_writers(tmp_path / "nothing")


def test_a_script_is_known_by_its_path(tmp_path: Path) -> None:
    process(tmp_path, 7, "python3", "/usr/bin/python3", "/usr/sbin/momd", "-c", "/etc/vdsm/mom.conf")
    assert [OtherWriter("oVirt MOM", running=True, evidence="process momd")] == other_writers(tmp_path)


def test_a_renamed_process_is_known_by_its_name(tmp_path: Path) -> None:
    process(tmp_path, 7, "pvestatd", "pvestatd")
    assert [OtherWriter("Proxmox VE", running=True, evidence="process pvestatd")] == other_writers(tmp_path)


def test_what_is_only_installed(tmp_path: Path) -> None:
    (tmp_path / "etc/vdsm").mkdir(parents=True)
    (tmp_path / "etc/pve").mkdir()
    expected = [
        OtherWriter("oVirt MOM", running=False, evidence="directory /etc/vdsm"),
        OtherWriter("Proxmox VE", running=False, evidence="directory /etc/pve"),
    ]
    assert expected == other_writers(tmp_path)


def test_a_process_that_ends_meanwhile_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "proc/5").mkdir(parents=True)
    process(tmp_path, 7, "vdsmd", "/usr/share/vdsm/vdsmd")
    assert [True] == [writer.running for writer in other_writers(tmp_path)]
