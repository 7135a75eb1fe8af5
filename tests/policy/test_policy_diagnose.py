import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from ballonet.errors import DeadlineError, HypervisorError
from ballonet.facts.agent import Channel
from ballonet.facts.guest import Device, Guest, Obstacle, State, Stored
from ballonet.facts.host import HostMeans, HostMemory, HugePool, OtherWriter
from ballonet.facts.statistics import Statistics
from ballonet.policy.diagnose import Finding, diagnose
from ballonet.policy.findings import GUESTS, HOST, WRITERS, Severity, Surroundings
from ballonet.policy.means import LIMITED, MEANS
from ballonet.units import GIB, MIB

DOCS = Path(__file__).parents[2] / "docs"
NOW = 1_700_000_000.0
MEMORY = HostMemory(
    total_bytes=16 * GIB,
    available_bytes=8 * GIB,
    swap_total_bytes=2 * GIB,
    swap_free_bytes=2 * GIB,
    swapped_out_bytes_total=0,
    pressure_some_ratio=0.0,
    pressure_full_ratio=0.0,
    arc_shrinkable_bytes=0,
)
FINE = Surroundings(MEMORY)
DEVICE = Device("virtio", autodeflate=True, free_page_reporting=True, period_seconds=2)
STORED = Stored(maximum_bytes=GIB, current_bytes=GIB, period_seconds=2)
STATISTICS = Statistics(
    unused_bytes=300 * MIB, usable_bytes=500 * MIB, swap_out_bytes_total=0, last_update=NOW - 1
)
GUEST = Guest(
    name="web",
    uuid="u",
    id=1,
    state=State.RUNNING,
    read_at=NOW,
    maximum_bytes=GIB,
    actual_bytes=GIB,
    device=DEVICE,
    stored=STORED,
    statistics=STATISTICS,
)
OFF = replace(GUEST, state=State.SHUT_OFF, id=None, statistics=Statistics())
NOTED = {"autodeflate-on", "reporting-on"}  # what is said of a guest with which nothing is wrong


def asked_every(seconds: int, *, stored: int = 2) -> Guest:
    device = replace(DEVICE, period_seconds=seconds)
    return replace(GUEST, device=device, stored=replace(STORED, period_seconds=stored))


def reporting(**statistics: float | None) -> Guest:
    return replace(GUEST, statistics=replace(STATISTICS, **statistics))  # type: ignore[arg-type]


def with_device(*, autodeflate: bool, free_page_reporting: bool, row: Guest = GUEST) -> Guest:
    device = replace(DEVICE, autodeflate=autodeflate, free_page_reporting=free_page_reporting)
    return replace(row, device=device)


SQUEEZED = with_device(autodeflate=False, free_page_reporting=True, row=reporting(usable_bytes=10 * MIB))


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        (GUEST, NOTED),
        (OFF, NOTED),
        (replace(GUEST, state=State.PAUSED, read_at=NOW + 9999), NOTED),
        (replace(GUEST, stored=None), NOTED),
        (replace(GUEST, device=None), {"no-device"}),
        (replace(OFF, device=None), {"no-device"}),
        *((replace(GUEST, obstacles=frozenset({obstacle})), {obstacle.value}) for obstacle in Obstacle),
        (replace(OFF, obstacles=frozenset(Obstacle)), {obstacle.value for obstacle in Obstacle}),
        (replace(GUEST, channel=Channel.DISCONNECTED), {"no-agent", *NOTED}),
        (replace(GUEST, channel=Channel.CONNECTED), NOTED),
        (replace(GUEST, channel=Channel.UNKNOWN), NOTED),
        (replace(OFF, channel=Channel.DISCONNECTED), NOTED),
        (replace(GUEST, file_backed=True), {"file-backed", *NOTED}),
        (replace(GUEST, file_backed=True, obstacles=frozenset({Obstacle.LOCKED})), {"locked"}),
        (replace(GUEST, system="http://microsoft.com/win/11"), set()),
        (replace(GUEST, system="http://debian.org/debian/12"), NOTED),
        (asked_every(0), {"no-period", *NOTED}),
        (asked_every(0, stored=0), {"no-period", *NOTED}),
        (asked_every(2, stored=0), {"forgets-period", *NOTED}),
        (replace(OFF, stored=replace(STORED, period_seconds=0)), {"forgets-period", *NOTED}),
        (asked_every(11), {"slow", *NOTED}),
        (asked_every(10), NOTED),
        (replace(GUEST, statistics=Statistics()), {"silent", *NOTED}),
        (replace(GUEST, statistics=Statistics(), job="migration"), NOTED),
        (reporting(last_update=NOW - 30), NOTED),
        (reporting(last_update=NOW - 31), {"blind", *NOTED}),
        (reporting(last_update=NOW + 1), NOTED),
        (reporting(last_update=NOW + 2), {"clock", *NOTED}),
        (reporting(usable_bytes=None), {"no-usable", *NOTED}),
        (reporting(unused_bytes=None), {"no-usable", *NOTED}),
        (reporting(usable_bytes=None, last_update=NOW - 60), {"no-usable", *NOTED}),
        (reporting(usable_bytes=2 * GIB), {"absurd", *NOTED}),
        (reporting(unused_bytes=400 * MIB, available_bytes=300 * MIB), {"absurd", *NOTED}),
        (reporting(usable_bytes=2 * GIB, last_update=NOW - 60), {"blind", *NOTED}),
        (replace(reporting(usable_bytes=2 * GIB), maximum_bytes=None), NOTED),
        (replace(GUEST, device=replace(DEVICE, driver=True)), NOTED),
        (replace(GUEST, device=replace(DEVICE, driver=False)), {"no-driver", *NOTED}),
        (
            replace(GUEST, device=replace(DEVICE, driver=False), statistics=Statistics()),
            {"no-driver", *NOTED},
        ),
        (SQUEEZED, {"no-swap", "autodeflate-off", "reporting-on"}),
        (reporting(usable_bytes=10 * MIB), NOTED),  # autodeflate rescues it
        (
            replace(SQUEEZED, statistics=replace(SQUEEZED.statistics, swap_out_bytes_total=4096)),
            {"autodeflate-off", "reporting-on"},
        ),
        (
            replace(SQUEEZED, statistics=replace(SQUEEZED.statistics, swap_out_bytes_total=None)),
            {"autodeflate-off", "reporting-on"},
        ),
        (
            with_device(autodeflate=False, free_page_reporting=False),
            {"autodeflate-off", "reporting-off"},
        ),
        (
            replace(GUEST, stored=replace(STORED, current_bytes=GIB // 2)),
            {"starts-smaller", *NOTED},
        ),
    ],
)
def test_what_is_found_in_a_guest(row: Guest, codes: set[str]) -> None:
    findings = diagnose([row], FINE)
    assert codes == {finding.code for finding in findings}
    assert all(("web", "u") == (finding.subject, finding.uuid) for finding in findings)


SMALL = HugePool(2 * MIB, pages=100, idle_pages=31)  # 62 MiB of it are idle
LARGE = HugePool(GIB, pages=4, idle_pages=3)
MOM = OtherWriter("oVirt MOM", running=True, evidence="process momd")
PROXMOX = OtherWriter("Proxmox VE", running=True, evidence="process pvestatd")


@pytest.mark.parametrize(
    ("around", "codes"),
    [
        (FINE, []),
        (replace(FINE, host=None), ["remote"]),
        (replace(FINE, read_only=True), ["read-only"]),
        (replace(FINE, host=replace(MEMORY, pressure_some_ratio=None)), ["no-pressure"]),
        (replace(FINE, host=replace(MEMORY, swap_free_bytes=GIB)), ["host-swap"]),
        (replace(FINE, host=replace(MEMORY, swap_total_bytes=0, swap_free_bytes=0)), []),
        (replace(FINE, means=HostMeans(63 * MIB, 63 * MIB, MIB, (SMALL,))), []),
        (replace(FINE, means=HostMeans(merged_bytes=64 * MIB)), ["merged"]),
        (replace(FINE, means=HostMeans(compressed_bytes=64 * MIB)), ["compressed"]),
        (replace(FINE, means=HostMeans(huge_pools=(LARGE, SMALL))), ["huge-idle"]),
        (replace(FINE, writers=(MOM, PROXMOX)), ["mom", "proxmox"]),
        (replace(FINE, writers=(replace(MOM, running=False),)), ["idle-writer"]),
        (replace(FINE, writers=(OtherWriter("ballonet", running=True, evidence="process 1"),)), ["balanced"]),
        (replace(FINE, unreachable=(HypervisorError("no daemon", hint="start it"),)), ["unreachable"]),
    ],
)
def test_what_is_found_on_the_host(around: Surroundings, codes: list[str]) -> None:
    findings = diagnose([], around)
    assert codes == [finding.code for finding in findings]
    assert all(("host", "") == (finding.subject, finding.uuid) for finding in findings)


@pytest.mark.parametrize("process", ["momd", "vdsmd"])
def test_of_ovirts_processes_it_is_not_said_that_guests_are_resized(process: str) -> None:
    (finding,) = diagnose([], replace(FINE, writers=(replace(MOM, evidence=f"process {process}"),)))
    assert Severity.WARNING is finding.severity
    assert f"oVirt MOM may resize the same guests (process {process})" in finding.what
    assert finding.why.startswith("Where the cluster's ballooning is on, ")


def test_remedies_for_a_qemu_without_libvirt_name_no_tool_of_libvirts() -> None:
    plain = replace(GUEST, hypervisor="qmp:/run/*.qmp", device=replace(DEVICE, period_seconds=0), stored=None)
    troubled = (
        replace(plain, device=None),
        *(replace(plain, obstacles=frozenset({obstacle})) for obstacle in Obstacle),
        with_device(autodeflate=False, free_page_reporting=False, row=plain),
        replace(plain, uuid="mute"),
    )
    error = HypervisorError("it is in use", hint="give it one more monitor")
    findings = diagnose(troubled, replace(FINE, unanswered={"mute": error}, unseen=frozenset({"u"})))
    assert "give it one more monitor" == only(findings, "unanswered").remedy
    for finding in findings:
        assert not {word for word in ("virsh", "virt-xml", "set-max", "pgrep") if word in finding.remedy}
    assert "-device virtio-balloon-pci" in only(findings, "no-device").remedy


def only(findings: list[Finding], code: str) -> Finding:
    [finding] = [finding for finding in findings if finding.code == code]
    return finding


def test_an_error_brings_its_words_and_its_hint() -> None:
    error = HypervisorError("no {daemon} answers", hint="systemctl start libvirtd")
    finding = only(diagnose([], replace(FINE, unreachable=(error,))), "unreachable")
    assert ("no {daemon} answers", "systemctl start libvirtd") == (finding.what, finding.remedy)


def test_a_guest_that_did_not_answer_and_one_whose_process_is_hidden() -> None:
    other = replace(GUEST, name="db", uuid="v")
    around = replace(FINE, unseen=frozenset({"u"}), unanswered={"v": DeadlineError("too late", hint="wait")})
    findings = diagnose([GUEST, other], around)
    assert "web" == only(findings, "unseen").subject
    bare = replace(GUEST, device=None)
    assert {"no-device"} == {finding.code for finding in diagnose([bare], replace(around, unanswered={}))}
    late = only(findings, "unanswered")
    assert ("db", "it cannot be asked: too late") == (late.subject, late.what)
    assert "pgrep -f v" in late.remedy


@pytest.mark.parametrize(
    ("limit", "found"), [(None, False), (GIB + 255 * MIB, True), (GIB + 256 * MIB, False), (64 * GIB, False)]
)
def test_a_control_group_that_lets_a_guest_have_less_than_all(limit: int | None, *, found: bool) -> None:
    around = replace(FINE, limits={} if limit is None else {"u": limit})
    others = replace(GUEST, maximum_bytes=None), replace(GUEST, obstacles=frozenset({Obstacle.HUGEPAGES}))
    assert not any("group-limit" == finding.code for finding in diagnose(others, around))
    findings = diagnose([GUEST], around)
    limited = [finding for finding in findings if finding.code == "group-limit"]
    expected = "its control group may hold 1.25 GiB, and it may grow to 1.00 GiB"
    assert [expected] * found == [finding.what for finding in limited]


def test_the_worst_comes_first() -> None:
    around = replace(FINE, host=replace(MEMORY, pressure_some_ratio=None, swap_free_bytes=0))
    found = [finding.severity for finding in diagnose([GUEST, replace(GUEST, device=None)], around)]
    assert sorted(found, key=list(Severity).index) == found
    assert (Severity.PROBLEM, Severity.ADVICE) == (found[0], found[-1])


def test_remedies_quote_names_for_the_shell() -> None:
    name = "a b; {rm}"
    findings = diagnose([replace(asked_every(0, stored=0), name=name)], FINE)
    remedy = only(findings, "no-period").remedy
    assert ["ballonet", "period", name, "1s", "--live", "--config"] == shlex.split(remedy)


def test_a_guest_that_is_stored_nowhere_is_not_told_to_store() -> None:
    findings = diagnose([replace(asked_every(0), stored=None)], FINE)
    assert "ballonet period web 1s" == only(findings, "no-period").remedy


def test_sizes_and_ages_stand_in_the_texts() -> None:
    stored = replace(STORED, current_bytes=512 * MIB)
    findings = diagnose([replace(reporting(last_update=NOW - 90), stored=stored)], FINE)
    assert "its statistics stopped 1 min 30 s ago" == only(findings, "blind").what
    smaller = only(findings, "starts-smaller")
    assert "it starts with 512 MiB of its 1.00 GiB" == smaller.what
    assert "ballonet set web 1GiB --config" == smaller.remedy


def test_idle_huge_pages_are_given_back_pool_by_pool() -> None:
    idle = only(diagnose([], replace(FINE, means=HostMeans(huge_pools=(LARGE, SMALL)))), "huge-idle")

    assert "3.06 GiB are set aside as huge pages that nobody uses" == idle.what
    place = "sudo tee /sys/kernel/mm/hugepages/hugepages-"
    expected = f"echo 1 | {place}1048576kB/nr_hugepages; echo 69 | {place}2048kB/nr_hugepages"
    assert expected == idle.remedy


def test_every_entry_has_its_own_code() -> None:
    codes = [entry.code for entries in (HOST, MEANS, WRITERS, GUESTS, [LIMITED]) for entry in entries]
    assert sorted(set(codes)) == sorted(codes)


def test_the_document_on_other_means_names_findings_that_there_are() -> None:
    codes = {entry.code for entries in (HOST, MEANS, WRITERS, GUESTS, [LIMITED]) for entry in entries}
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", (DOCS / "means.md").read_text()))

    expected = {
        "merged",
        "compressed",
        "huge-idle",
        "host-swap",
        "file-backed",
        "virtio-mem",
        "reporting-off",
    }
    assert expected <= named & codes
    assert {"memtune", "usable"} == named - codes
