"""The commands by hand, on libvirt's test driver: what they print, and what they refuse with which code."""

import json
import signal
import subprocess
import sys

import pytest
from running import NOWHERE, Run, two_lines

from ballonet.extras import remedy

FIELDS = [
    "name",
    "uuid",
    "id",
    "hypervisor",
    "state",
    "maximum_bytes",
    "actual_bytes",
    "target_bytes",
    "floor_bytes",
    "ceiling_bytes",
    "usable_bytes",
    "unused_bytes",
    "available_bytes",
    "disk_caches_bytes",
    "rss_bytes",
    "swap_in_bytes_total",
    "swap_out_bytes_total",
    "major_faults_total",
    "minor_faults_total",
    "stats_age_seconds",
    "stats_period_seconds",
    "autodeflate",
    "free_page_reporting",
    "agent",
    "verdict",
]
WEB = "11111111-1111-4111-8111-111111111111"


def test_guests_is_a_row_a_guest(ballonet: Run, host: str) -> None:
    result = ballonet("guests", "-c", host)
    assert (0, "") == (result.returncode, result.stderr)
    header, *rows = result.stdout.splitlines()
    assert [
        "GUEST",
        "STATE",
        "MAXIMUM",
        "ACTUAL",
        "USABLE",
        "UNUSED",
        "RSS",
        "AGE",
        "VERDICT",
    ] == header.split()
    assert ["bare", "locked", "web"] == [row.split()[0] for row in rows]
    assert rows[0].endswith("no device")


def test_all_guests_are_those_that_are_shut_off_too(ballonet: Run, host: str) -> None:
    rows = ballonet("guests", "--all", "-c", host).stdout.splitlines()[1:]
    assert ["bare", "locked", "off", "web"] == [row.split()[0] for row in rows]


def test_guests_for_programs(ballonet: Run, host: str) -> None:
    document = json.loads(ballonet("guests", "-c", host, "-o", "json").stdout)
    assert "ballonet/v1" == document["schema"]
    web = document["guests"][-1]
    assert FIELDS == list(web)
    assert ("web", WEB, 2**31, 2**30, 2**29) == (
        web["name"],
        web["uuid"],
        web["maximum_bytes"],
        web["actual_bytes"],
        web["usable_bytes"],
    )
    assert web["target_bytes"] is None
    assert {"managed", "reason", "remedy"} == set(web["verdict"])


@pytest.mark.parametrize("reference", ["web", WEB])
def test_one_guest_by_name_and_uuid(ballonet: Run, host: str, reference: str) -> None:
    assert "web" == json.loads(ballonet("show", reference, "-c", host, "-o", "json").stdout)["guest"]["name"]
    assert "hard floor" in ballonet("show", reference, "-c", host).stdout


@pytest.mark.parametrize(
    ("naming", "word"),
    [
        ("linux", "/proc/meminfo:MemAvailable"),
        ("virtio", "VIRTIO_BALLOON_S_AVAIL"),
        ("qemu", "stat-available-memory"),
        ("libvirt", "VIR_DOMAIN_MEMORY_STAT_USABLE"),
        ("memstat", "usable"),
    ],
)
def test_statistics_by_any_names(ballonet: Run, host: str, naming: str, word: str) -> None:
    lines = ballonet("stats", "web", "--names", naming, "-c", host).stdout.splitlines()
    assert [word, "512", "MiB"] in [line.split() for line in lines]


def test_statistics_for_programs_have_one_set_of_names(ballonet: Run, host: str) -> None:
    document = json.loads(ballonet("stats", "web", "--names", "qemu", "-o", "json", "-c", host).stdout)
    assert 2**29 == document["statistics"]["usable_bytes"]
    assert document["statistics"]["oom_kills_total"] is None


def test_changes_are_confirmed(ballonet: Run, host: str) -> None:
    said = {
        ("set", "web", "1.5GiB"): "web: asked to grow from 1.00 GiB to 1.50 GiB\n",
        ("set", "web", "512MiB", "--wait", "5s"): "web: 512 MiB reached after",
        ("set", "off", "768M"): "off: 768 MiB from its next start\n",
        ("set-max", "web", "3G", "--config"): "web: 3.00 GiB at most from its next start; it runs on",
        ("set-max", "off", "3G"): "off: 3.00 GiB at most from its next start\n",
        ("period", "web", "2"): "web: statistics every 2 s\n",
        ("period", "web", "0", "--live"): "web: statistics never (0)\n",
    }
    for arguments, text in said.items():
        result = ballonet(*arguments, "-c", host)
        assert (0, "") == (result.returncode, result.stderr), arguments
        assert result.stdout.startswith(text), arguments


@pytest.mark.parametrize(
    ("arguments", "code", "wrong", "hint"),
    [
        (["set", "web", "1500"], 2, "has no unit", "KiB in virsh"),
        (["set", "web", "0"], 2, "has no unit", "KiB in virsh"),
        (["set", "web", "0G"], 2, "is nothing", "1500M"),
        (["set", "web", "-1G"], 2, "negative", "1500M"),
        (["set", "--", "web", "-1G"], 2, "negative", "1500M"),
        (["set", "web", "1.5.2G"], 2, "not a size", "1500M"),
        (["set", "web", "1G", "--wait", "30"], 2, "has no unit", "30s"),
        (["set", "off", "1G", "--wait", "30s"], 2, "next start", "leave --wait"),
        (["set", "web", "2049M"], 5, "2049MiB is above the maximum of guest 'web', 2GiB", "set-max web"),
        (["set", "web", "100M"], 5, "below the hard floor", "234MiB"),
        (["set", "web", "100M", "--config"], 5, "below the hard floor", "234MiB"),
        (["set", "nope", "1G"], 4, "nope", "ballonet guests"),
        (["set", "off", "512M", "--live"], 5, "shut off", "virsh start off"),
        (["set", "bare", "512M"], 5, "no balloon device", "virt-xml bare"),
        (["set", "locked", "1G"], 5, "host gain none", "ballonet doctor locked"),
        (["set-max", "web", "3G"], 5, "cannot change before its next start", "set-max web 3GiB --config"),
        (["period", "bare", "5"], 5, "no balloon device", "virt-xml bare"),
        (["period", "web", "-5"], 2, "negative", "30s"),
        (["period", "web", "1.5"], 2, "whole", "1s"),
        (["period", "web", "soon"], 2, "not a duration", "30s"),
        (["period", "off", "5", "--live"], 5, "shut off", "virsh start off"),
        (["stats", "off"], 5, "shut off", "virsh start off"),
        (["stats", "nope"], 4, "nope", "ballonet guests"),
        (["stats", "web", "--names", "proxmox"], 2, "proxmox", "ballonet stats --help"),
        (["show", "nope"], 4, "nope", "ballonet guests"),
        (["set", "web", "1536M", "-r"], 7, "", "read-only"),
        (["period", "web", "5", "--read-only"], 7, "", "read-only"),
    ],
)
def test_refusals(ballonet: Run, host: str, arguments: list[str], code: int, wrong: str, hint: str) -> None:
    result = ballonet("-c", host, *arguments)
    said, advice = two_lines(result)
    assert (code, True, True) == (result.returncode, wrong in said, hint in advice), result.stderr


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("nonsense", 2),
        ("qemu:/system", 2),
        ("qemu://[/system", 2),
        ("no such://thing", 2),
        ("nosuchdriver:///x", 2),
        ("qemu:///embed", 2),
        ("qemu:///embed?root=here", 2),
        (NOWHERE, 1),
    ],
)
def test_connections_that_fail(ballonet: Run, uri: str, code: int) -> None:
    result = ballonet("guests", "-c", uri)
    two_lines(result)
    assert code == result.returncode, result.stderr


def test_libvirt_is_needed_only_where_it_is_used() -> None:
    program = (
        "import sys; sys.modules['libvirt'] = None; sys.argv[1:] = ['guests']\n"
        "from ballonet.cli import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert 1 == result.returncode
    assert f"; {remedy('libvirt')}" in two_lines(result)[1]


def test_verbose_shows_where_an_error_comes_from_and_keeps_its_code(ballonet: Run, host: str) -> None:
    result = ballonet("show", "nope", "-v", "-c", host)
    assert 4 == result.returncode
    assert result.stderr.startswith("Traceback")
    assert "\nballonet: " in result.stderr


def test_watching_prints_again_and_again_what_programs_read_line_by_line(host: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ballonet", "stats", "web", "--watch", "1ms", "-o", "json", "-c", host],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        documents = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)  # reads on: a full pipe would hold it
        assert (130, b"") == (process.returncode, errors)
    assert [2**30] * 3 == [document["statistics"]["actual_bytes"] for document in documents]


def test_a_guest_whose_agent_cannot_be_asked_is_shown_all_the_same(ballonet: Run, host: str) -> None:
    done = ballonet("-c", host, "show", "web", "--agent")

    assert 0 == done.returncode
    assert done.stdout.startswith("name        web\n")
    assert "ballonet: asking its agent: " in done.stderr
    assert "hint: " in done.stderr
