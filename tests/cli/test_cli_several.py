"""Several hypervisors named at once: by hand, and for `run`."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from running import Run, two_lines

OTHER = "55555555-5555-4555-8555-555555555555"
# Another guest that is called web, and one of the same UUID as the first host's "locked".
SECOND_HOST = f"""\
<node xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
  <domain type='test'>
    <name>web</name><uuid>{OTHER}</uuid>
    <memory unit='GiB'>1</memory><vcpu>1</vcpu><os><type>hvm</type></os>
    <devices><memballoon model='virtio'><stats period='5'/></memballoon></devices>
  </domain>
  <domain type='test'>
    <name>copy</name><uuid>44444444-4444-4444-8444-444444444444</uuid>
    <memory unit='GiB'>2</memory><vcpu>1</vcpu><os><type>hvm</type></os>
    <devices><memballoon model='virtio'/></devices>
  </domain>
</node>
"""
GIB = 1 << 30


@pytest.fixture
def other(tmp_path: Path) -> str:
    (tmp_path / "other.xml").write_text(SECOND_HOST)
    return f"test://{tmp_path}/other.xml"


@pytest.fixture
def nowhere(tmp_path: Path) -> str:
    return f"test://{tmp_path}/nothing.xml"


def said(result: "subprocess.CompletedProcess[str]") -> str:
    """Return standard error without what libvirt's XML parser says by itself."""
    return "".join(
        line for line in result.stderr.splitlines(keepends=True) if not line.startswith("I/O warning")
    )


def test_guests_of_all_are_shown_with_where_they_are(ballonet: Run, host: str, other: str) -> None:
    result = ballonet("guests", "-c", host, "-c", other)
    assert 0 == result.returncode
    header, *rows = [line.split() for line in result.stdout.splitlines()]
    assert "HYPERVISOR" == header[-1]
    assert [("bare", host), ("locked", host), ("web", host), ("web", other)] == [
        (row[0], row[-1]) for row in rows
    ]
    assert f"copy is left alone at {other}: {host} has a guest of the same UUID\n" == result.stderr
    found = json.loads(ballonet("guests", "-c", host, "-c", other, "-o", "json").stdout)["guests"]
    assert [host, host, host, other] == [guest["hypervisor"] for guest in found]


def test_a_guest_is_looked_for_everywhere_and_never_guessed(ballonet: Run, host: str, other: str) -> None:
    both = ("-c", host, "-c", other)
    assert "bare" == json.loads(ballonet("show", "bare", *both, "-o", "json").stdout)["guest"]["name"]
    result = ballonet("set", "web", "900M", *both)
    assert 2 == result.returncode
    wrong, hint = two_lines(result)
    assert f"2 guests are meant by 'web': at {host}, {other}" == wrong
    assert OTHER in hint
    assert ballonet("set", OTHER, "900M", *both).stdout.startswith("web: asked to shrink from 1.00 GiB")
    assert 4 == ballonet("show", "nobody", *both).returncode


def test_one_that_cannot_be_reached_does_not_hide_the_others(ballonet: Run, host: str, nowhere: str) -> None:
    both = ("-c", host, "-c", nowhere)
    result = ballonet("guests", *both)
    assert 0 == result.returncode
    assert ["bare", "locked", "web"] == [line.split()[0] for line in result.stdout.splitlines()[1:]]
    assert said(result).startswith(f"ballonet: cannot connect to {nowhere}: ")
    found = json.loads(ballonet("doctor", *both, "-o", "json").stdout)["findings"]
    assert ["unreachable"] == [each["code"] for each in found if nowhere in each["what"]]
    assert "web" in {each["subject"] for each in found}
    assert 1 == ballonet("show", "web", *both).returncode  # it may have one, too
    assert 1 == ballonet("guests", "-c", nowhere, "-c", f"{nowhere}.too").returncode


@pytest.mark.parametrize("name", ["guests", "run"])
def test_one_hypervisor_cannot_be_named_twice(ballonet: Run, host: str, name: str) -> None:
    result = ballonet(name, "-c", host, "-c", host)
    assert (2, f"{host!r} is named twice") == (result.returncode, two_lines(result)[0])


def test_hosts_do_not_share_a_budget(ballonet: Run, host: str) -> None:
    result = ballonet("run", "-c", host, "-c", "qemu+ssh://far/system", "--for", "1s")
    assert 2 == result.returncode
    assert "different hosts" in two_lines(result)[0]


def test_settings_name_several_and_run_sees_to_all(
    ballonet: Run, host: str, other: str, nowhere: str, tmp_path: Path
) -> None:
    file = tmp_path / "ballonet.toml"
    file.write_text(f'[service]\nuri = ["{host}", "{other}", "{nowhere}"]\n[host]\nbudget = "8GiB"\n')
    environment = {key: value for key, value in os.environ.items() if key != "LIBVIRT_DEFAULT_URI"}
    with tempfile.TemporaryDirectory(prefix="ballonet-") as directory:
        path = f"{directory}/ballonet.sock"
        command = [sys.executable, "-m", "ballonet", "run", "--config", str(file), "--socket", path]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout
            first = process.stdout.readline()
            assert first.endswith(f"there is no connection to {nowhere} yet\n")
            alone = f"copy         left alone at {other}: {host} has a guest of the same UUID\n"
            assert any(line.endswith(alone) for line in process.stdout)  # or it would read on
            plan = json.loads(ballonet("plan", "-o", "json", env={"BALLONET_SOCKET": path}).stdout)
            status = ballonet("status", env={"BALLONET_SOCKET": path}).stdout
            process.terminate()
            process.communicate(timeout=60)
    assert f"no answer   {nowhere}: their guests stay as they are\n" in status
    [shared] = plan["hypervisors"]
    assert (8 * GIB, f"{host} {other} {nowhere}") == (shared["budget_bytes"], shared["uri"])
    assert [("bare", host), ("locked", host), ("web", host), ("web", other)] == [
        (row["name"], row["hypervisor"]) for row in shared["guests"]
    ]
