import shlex
from dataclasses import replace

import pytest

from ballonet.errors import DeadlineError, HypervisorError
from ballonet.facts.agent import Channel
from ballonet.facts.guest import Device, Guest, Obstacle, State, Stored
from ballonet.facts.host import HostMemory, OtherWriter
from ballonet.facts.statistics import Statistics
from ballonet.policy.diagnose import Finding, diagnose
from ballonet.policy.findings import GUESTS, HOST, WRITERS, Severity, Surroundings
from ballonet.units import GIB, MIB

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
        (reporting(usable_bytes=None, last_update=NOW - 60), {"blind", *NOTED}),
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
    assert {("web", "u")} == {(finding.subject, finding.uuid) for finding in findings}


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


def test_every_entry_has_its_own_code() -> None:
    codes = (
        [entry.code for entry in HOST] + [entry.code for entry in WRITERS] + [entry.code for entry in GUESTS]
    )
    assert sorted(set(codes)) == sorted(codes)
